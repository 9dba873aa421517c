/**
 * What a test may claim of verdicts. Each claim is a function from verdicts to a finding; matchers
 * and assertions are made of these and say the same. A slip in the claim itself (an option or a code
 * that does not exist) is an error, never a failed or, worse, a passed expectation.
 */

import { render } from '../cli/report/index.ts';
import { PROFILES } from '../platform/index.ts';
import {
  DIAGNOSTICS,
  type Diagnostic,
  type DiagnosticCode,
  type LinuxPrediction,
  type Verdict,
} from '../verifier/index.ts';
import { hint } from './near.ts';
import { FileVerdicts, verifyUnder } from './verify-file.ts';

/** What claims are made of: the answer of `verifyFile`, of `verify`, or several of the latter. */
export type Verified = FileVerdicts | Verdict | readonly Verdict[];

interface Choice {
  /** Only the program of this name; default: every program of the file. */
  readonly program?: string;
  /** Verify under this profile instead. */
  readonly profile?: string;
}

export interface AcceptedOptions extends Choice {
  /** Most instructions that one run may be proven to execute. */
  readonly maxInstructions?: number;
  /** Most bytes of stack, all nested calls together. */
  readonly maxStack?: number;
  /** What the profile's kernel would say. */
  readonly linux?: LinuxPrediction;
}

export interface RejectedOptions extends Choice {
  /** Source line of the place that the diagnostic points at, 1-based. */
  readonly line?: number;
  /** The 8-byte slot that it points at. */
  readonly instruction?: number;
}

/** Whether a claim holds, and what to say when it had to and did not, or did and must not. */
export interface Finding {
  readonly pass: boolean;
  readonly message: string;
}

const CHOICE = ['program', 'profile'] as const;
const ACCEPTED_OPTIONS: readonly string[] = [...CHOICE, 'maxInstructions', 'maxStack', 'linux'];
const REJECTED_OPTIONS: readonly string[] = [...CHOICE, 'line', 'instruction'];

/**
 * Whether every chosen program is accepted, within the limits. Throws TypeError or RangeError for
 * options, profiles and programs that do not exist.
 */
export function findAcceptance(subject: Verified, options: AcceptedOptions = {}): Finding {
  checkOptions('toBeAccepted', options, ACCEPTED_OPTIONS);
  const verdicts = choose(subject, options);
  const faults = verdicts.flatMap((verdict) => faultsOf(verdict, options));
  if (faults.length > 0) return { pass: false, message: faults.join('\n\n') };
  const summaries = verdicts.map((verdict) => render(verdict)).join('\n');
  return { pass: true, message: `expected a refusal or a limit exceeded, but:\n${summaries}` };
}

/** Why a verdict is not the acceptance that was expected; empty: it is. */
function faultsOf(verdict: Verdict, options: AcceptedOptions): string[] {
  const { program } = verdict;
  if (!verdict.ok) return [`expected ${program.name} to be accepted, but:\n${render(verdict)}`];
  const faults: string[] = [];
  const { maxInstructions, maxStack, linux } = options;
  const worst = verdict.worstCaseInstructions;
  if (maxInstructions !== undefined && worst === null)
    faults.push(
      `expected ${program.name} to execute at most ${maxInstructions} instructions, but no bound of its own is proven: ${verdict.unboundedBy}`,
    );
  if (maxInstructions !== undefined && worst !== null && worst > maxInstructions)
    faults.push(
      `expected ${program.name} to execute at most ${maxInstructions} instructions, but the proven bound is ${worst}`,
    );
  if (maxStack !== undefined && verdict.stackBytes > maxStack)
    faults.push(
      `expected ${program.name} to use at most ${maxStack} bytes of stack, but it uses ${verdict.stackBytes}`,
    );
  if (linux !== undefined && verdict.linux !== linux)
    faults.push(
      `expected Linux to say '${linux}' of ${program.name}, but it is predicted to say '${verdict.linux}'`,
    );
  return faults;
}

/**
 * Whether a chosen program is refused for this reason, at this place: the object as a whole cannot
 * be loaded when one of its programs cannot. Throws RangeError for a code that does not exist.
 */
export function findRejection(
  subject: Verified,
  code: DiagnosticCode,
  options: RejectedOptions = {},
): Finding {
  checkCode(code);
  checkOptions('toBeRejectedWith', options, REJECTED_OPTIONS);
  const verdicts = choose(subject, options);
  const wanted = `${code}${options.line === undefined ? '' : ` at line ${options.line}`}${options.instruction === undefined ? '' : ` at instruction ${options.instruction}`}`;
  const isWanted = (diagnostic: Diagnostic) =>
    diagnostic.code === code &&
    (options.line === undefined || diagnostic.primary.line === options.line) &&
    (options.instruction === undefined || diagnostic.primary.instruction === options.instruction);
  const pass = verdicts.some((verdict) => !verdict.ok && verdict.diagnostics.some(isWanted));
  const head = pass
    ? `expected no rejection with ${wanted}, but:`
    : `expected a rejection with ${wanted}, but${found(verdicts, code)}:`;
  return { pass, message: [head, ...verdicts.map((verdict) => render(verdict))].join('\n') };
}

/** How near the verdicts came to the code. */
function found(verdicts: readonly Verdict[], code: string): string {
  const refused = verdicts.flatMap((verdict) => (verdict.ok ? [] : verdict.diagnostics));
  if (refused.length === 0)
    return verdicts.length === 1 ? ' the program is accepted' : ' all programs are accepted';
  const lines = refused
    .filter((diagnostic) => diagnostic.code === code)
    .map(({ primary }) => `line ${primary.line ?? '?'} (instruction ${primary.instruction})`);
  if (lines.length > 0) return ` it is at ${[...new Set(lines)].join(' and ')}`;
  return ` the reason is ${[...new Set(refused.map((each) => each.code))].join(' and ')}`;
}

function checkCode(code: string): void {
  if (Object.hasOwn(DIAGNOSTICS, code)) return;
  throw new RangeError(`there is no diagnostic '${code}'${hint(code, Object.keys(DIAGNOSTICS))}`);
}

function checkOptions(matcher: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${matcher}: options are an object, not ${String(options)}`);
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new TypeError(`${matcher}: there is no option '${name}'${hint(name, known)}`);
}

/** The verdicts that a claim is about; at least one. */
function choose(subject: Verified, { program, profile }: Choice): readonly Verdict[] {
  if (profile !== undefined && !PROFILES.has(profile))
    throw new RangeError(`no profile is called '${profile}'${hint(profile, [...PROFILES.keys()])}`);
  const all = verdictsOf(subject, profile);
  if (all.length === 0) throw new TypeError('there are no verdicts to make a claim of');
  if (program === undefined) return all;
  const chosen = all.filter((verdict) => verdict.program.name === program);
  if (chosen.length > 0) return chosen;
  const names = all.map((verdict) => verdict.program.name);
  throw new RangeError(`no program is called '${program}'${hint(program, names)}`);
}

function verdictsOf(subject: Verified, profile: string | undefined): readonly Verdict[] {
  if (subject instanceof FileVerdicts)
    return profile === undefined ? subject.verdicts : subject.under(profile);
  if (subject instanceof Promise)
    throw new TypeError('verifyFile() answers a promise: expect(await verifyFile(…))');
  const verdicts = (Array.isArray(subject) ? subject : [subject]) as readonly Verdict[];
  for (const verdict of verdicts)
    if (typeof verdict?.ok !== 'boolean' || verdict.program === undefined)
      throw new TypeError(
        'the claim is about what verifyFile() or verify() answered, nothing else',
      );
  return profile === undefined
    ? verdicts
    : verdicts.map(({ program }) => verifyUnder(program, profile));
}
