/**
 * Is this program safe? The verifier on one screen: resolve what the program is, walk it, and turn
 * what was found into a verdict.
 */

import type { Program } from '../isa/index.ts';
import { type Profile, ProgramType, partsOf, profile as profileNamed } from '../platform/index.ts';
import { Roots } from './calls/roots.ts';
import { stackDepth } from './calls/stack-depth.ts';
import { entryState } from './check/entry.ts';
import type { KernelBtf } from './check/kernel.ts';
import { prepare } from './check/prepare.ts';
import { circumstancesOf } from './diagnose/circumstances.ts';
import type { Failure } from './diagnose/failure.ts';
import { diagnose, withoutWalk } from './diagnose/report.ts';
import type { Diagnostic } from './diagnostic.ts';
import { DIAGNOSTICS, type DiagnosticCode } from './diagnostics.ts';
import { withMeasure } from './domain/index.ts';
import type { Meeting } from './explore/join.ts';
import {
  describeSummary,
  GUESSED_LOOPS,
  guessesLoops,
  predictLoops,
} from './explore/prediction.ts';
import { BEYOND_LINUX, type BeyondLinux, type Reasoning } from './explore/reasoning.ts';
import type { Summary } from './explore/summary.ts';
import type { Walk } from './explore/walk.ts';
import { boundOf } from './facts/bound.ts';
import { makeFacts } from './facts/facts.ts';
import { Recorder } from './facts/recorder.ts';
import { LIMITS } from './limits.ts';
import { mintProof } from './proof.ts';
import type { Privilege, Subject } from './subject.ts';
import type { Accepted, LinuxPrediction, Refused, Verdict } from './verdict.ts';

export interface VerifyOptions {
  /** Default: `linux-6.18`, or `memory` for programs of that type. */
  readonly profile?: string;
  /** The program is of this defined type, whatever it says of itself; the type is its profile. */
  readonly programType?: ProgramType<unknown>;
  /** What the loading process may do; default: `full` on Linux profiles, `none` elsewhere. */
  readonly privilege?: Privilege;
  /** Types of the kernel that BTF-typed programs read; a function is asked when one is met. */
  readonly kernelBtf?: KernelBtf;
  /** Diagnostics at most; default 5. */
  readonly maxErrors?: number;
}

/**
 * Proves a program safe, or says why not: a verdict, never an exception, for whatever the program
 * does. Throws RangeError for a profile that does not exist, TypeError for a programType that
 * `defineProgramType` did not make.
 */
export function verify(given: Program, options: VerifyOptions = {}): Verdict {
  const started = performance.now();
  const { programType } = options;
  const program = programType === undefined ? given : programOfType(given, programType);
  const verdict = examine(program, options, started);
  const most = programType && partsOf(programType).executed;
  if (!verdict.ok || most === undefined) return verdict;
  const worst = verdict.worstCaseInstructions;
  if (worst !== null && worst <= most) return verdict;
  const values = { worst: worst ?? 'more', most };
  const failure: Failure = { code: 'run-too-long', pc: 0, values };
  const diagnostic = diagnose(program, failure, withoutWalk(program, failure));
  return refused(program, profileFor(program, options), [diagnostic], started, undefined);
}

/** As a program of a defined type: what its section name means elsewhere is no concern. */
function programOfType(program: Program, type: { readonly name: string }): Program {
  if (!ProgramType.is(type))
    throw new TypeError('programType is what defineProgramType() made, nothing else');
  const { attachType: _, attachTarget: __, contextSize: ___, ...rest } = program;
  return { ...rest, type: type.name };
}

function examine(program: Program, options: VerifyOptions, started: number): Verdict {
  const profile = profileFor(program, options);
  const privilege = options.privilege ?? (profile.family === 'linux' ? 'full' : 'none');
  const { subject, failures } = prepare(program, profile, privilege, options.kernelBtf);
  const maxErrors = options.maxErrors ?? LIMITS.errors.value;
  if (subject === undefined) {
    const diagnostics = failures
      .slice(0, maxErrors)
      .map((failure) => diagnose(program, failure, withoutWalk(program, failure)));
    return refused(program, profile, diagnostics, started, undefined);
  }
  const refusedBy = ({ diagnostics, effort }: Attempt) =>
    refused(program, profile, diagnostics, started, effort);
  const most = Math.max(LIMITS.processed.value, profile.maxProcessed);
  const reasoning = profile.family === 'linux' ? 'linux' : 'full';
  const budget: Manner = { reasoning, meeting: 'apart', most, maxErrors, started };
  const short = profile.family === 'linux' ? undefined : shortWalk(subject, budget, options);
  if (short !== undefined) return short;
  const first = attempt(subject, budget);
  if (first.diagnostics.length === 0) {
    return accepted(first, started, options.programType);
  }
  if (isExhausted(first)) return joined(first, budget, options) ?? refusedBy(first);
  if (!first.isLax && first.walk.withheld.size === 0) return refusedBy(first);
  const second = attempt(subject, { ...budget, reasoning: 'full' });
  // Reasoning that only ran out of budget explains nothing.
  if (second.diagnostics.length > 0) return refusedBy(isExhausted(second) ? first : second);
  const verdict = accepted(second, started, options.programType);
  const used = [...first.walk.withheld, ...second.walk.withheld];
  // Nothing was withheld by name: then numbers were known better.
  const rules = describeRules(used.length > 0 ? used : ['refinement']);
  return { ...verdict, linux: 'unknown', warnings: [...rules, ...verdict.warnings] };
}

const describeRules = (used: readonly BeyondLinux[]): string[] =>
  [...new Set(used)].map(
    (rule) => `proven by a rule that Linux does not have: ${BEYOND_LINUX[rule]}`,
  );

/** Where nobody else's verdict is to be known, long walks give way to joined ones earlier. */
function shortWalk(subject: Subject, manner: Manner, options: VerifyOptions): Verdict | undefined {
  const walked = attempt(subject, { ...manner, most: LIMITS.walkedApart.value });
  if (isExhausted(walked)) return joined(walked, manner, options);
  const { program, profile } = subject;
  return walked.diagnostics.length === 0
    ? accepted(walked, manner.started, options.programType)
    : refused(program, profile, walked.diagnostics, manner.started, walked.effort);
}

/** What was too complex to walk, walked with states joined where ways meet. */
function joined(apart: Attempt, manner: Manner, options: VerifyOptions): Verdict | undefined {
  const { subject } = apart.walk;
  const walked = attempt(subject, {
    ...manner,
    reasoning: 'full',
    meeting: 'joined',
    maxErrors: 1,
  });
  if (walked.diagnostics.length > 0) return undefined;
  const verdict = accepted(walked, manner.started, options.programType);
  const rules = [
    'proven by joining states where ways meet: Linux walks each of them',
    ...describeRules([...walked.walk.withheld]),
  ];
  const processed = apart.effort.processed + verdict.processed;
  return { ...verdict, processed, linux: 'limit', warnings: [...rules, ...verdict.warnings] };
}

/** How a program is walked. */
interface Manner {
  readonly reasoning: Reasoning;
  readonly meeting: Meeting;
  /** Instructions. */
  readonly most: number;
  readonly maxErrors: number;
  /** performance.now() when the verification began. */
  readonly started: number;
}

/** What the walks took. */
interface Effort {
  readonly processed: number;
  readonly peakStates: number;
  readonly mostPending: number;
  readonly summaries: readonly Summary[];
}

/** One walk of the program, and what came of it. */
interface Attempt {
  readonly walk: Walk;
  /** Numbers were known no better than to Linux (domain/measure.ts). */
  readonly isLax: boolean;
  /** Most instructions that one run of the program executes. */
  readonly longest: number;
  readonly effort: Effort;
  readonly stackBytes: number;
  readonly diagnostics: readonly Diagnostic[];
}

function attempt(subject: Subject, manner: Manner): Attempt {
  const { reasoning, meeting, most, maxErrors, started } = manner;
  const { program, profile } = subject;
  const recorder = new Recorder(subject.instructions.length, subject.cfg.functions.length);
  const diagnostics: Diagnostic[] = [];
  const roots = new Roots(subject, recorder, reasoning, {
    maxProcessed: most,
    // Loops that Linux walks to the end are walked, so that its verdict is known.
    walkedFirst: profile.family === 'linux' && meeting === 'apart' ? LIMITS.walkedFirst.value : 0,
    meeting,
    maxErrors,
    deadline: started + LIMITS.milliseconds.value,
    report: (walk, { failure, entry }) =>
      diagnostics.push(diagnose(program, failure, circumstancesOf(walk, failure, entry))),
  });
  const { result, isLax } = withMeasure(reasoning, () => roots.run({ entry: 0, set: entryState }));
  const { walk, longest } = result;
  const effort = effortOf(roots);
  if (diagnostics.length > 0) return { walk, isLax, longest, effort, stackBytes: 0, diagnostics };
  const stack = stackDepth(subject, recorder);
  if (stack.failure !== undefined) {
    diagnostics.push(diagnose(program, stack.failure, withoutWalk(program, stack.failure)));
  }
  return { walk, isLax, longest, effort, stackBytes: stack.bytes, diagnostics };
}

const effortOf = ({ spent, peakStates, mostPending, summaries }: Roots): Effort => ({
  processed: spent.processed,
  peakStates,
  mostPending,
  summaries,
});

/** A budget was spent: more reasoning would spend it again. */
const isExhausted = ({ diagnostics }: Attempt): boolean =>
  diagnostics.some(({ code }) => code === 'too-complex');

/** BPF_COMPLEXITY_LIMIT_JMP_SEQ: branches that may wait while Linux walks a path. */
const LINUX_PENDING = 8192;

/** The walk is about as long as Linux's would be, and Linux gives up earlier. */
const exceedsLinux = ({ processed, mostPending }: Effort, { family, maxProcessed }: Profile) =>
  processed > maxProcessed || (family === 'linux' && mostPending > LINUX_PENDING);

function predictionOf(effort: Effort, profile: Profile): LinuxPrediction {
  if (exceedsLinux(effort, profile)) return 'limit';
  return predictLoops(effort.summaries, effort.processed, profile.maxProcessed);
}

/** Throws RangeError for a name that no profile has. */
function profileFor(program: Program, { profile: name, programType }: VerifyOptions): Profile {
  if (programType !== undefined) {
    if (name === undefined) return partsOf(programType).profile;
    throw new TypeError('a defined program type is its own profile: give one of the two');
  }
  const wanted = name ?? (program.type === 'memory' ? 'memory' : 'linux-6.18');
  const profile = profileNamed(wanted);
  if (profile === undefined) throw new RangeError(`no profile is called '${wanted}'`);
  return profile;
}

function accepted(
  { walk, longest, effort, stackBytes }: Attempt,
  started: number,
  programType: VerifyOptions['programType'],
): Accepted {
  const { subject, recorder } = walk;
  const { program, instructions, profile } = subject;
  const termination = boundOf(walk, longest);
  const facts = () => makeFacts(subject, recorder, stackBytes, termination);
  const parts = { program, instructions, facts, profile: profile.name };
  const proof = mintProof(programType === undefined ? parts : { ...parts, programType });
  return {
    ok: true,
    proof,
    program,
    profile: profile.name,
    linux: guessesLoops(subject) ? 'unknown' : predictionOf(effort, profile),
    warnings: [
      ...(guessesLoops(subject) ? [GUESSED_LOOPS] : []),
      ...walk.warnings.values(),
      ...(profile.family === 'linux' ? effort.summaries.map(describeSummary) : []),
    ],
    instructions: instructions.length,
    processed: effort.processed,
    peakStates: effort.peakStates,
    stackBytes,
    ...termination,
    microseconds: (performance.now() - started) * 1000,
  };
}

function refused(
  program: Program,
  profile: Profile,
  diagnostics: readonly Diagnostic[],
  started: number,
  effort: Effort | undefined,
): Refused {
  const outcome = outcomeOf(diagnostics);
  return {
    ok: false,
    outcome,
    diagnostics,
    program,
    profile: profile.name,
    linux: LINUX_OF[outcome],
    warnings: [],
    instructions: Math.floor(program.code.length / 8),
    processed: effort?.processed ?? 0,
    peakStates: effort?.peakStates ?? 0,
    stackBytes: 0,
    worstCaseInstructions: null,
    unboundedBy: undefined,
    microseconds: (performance.now() - started) * 1000,
  };
}

const LINUX_OF: Readonly<Record<Refused['outcome'], LinuxPrediction>> = {
  rejected: 'rejected',
  unsupported: 'unknown',
  limit: 'limit',
};

/** A proven fault outweighs what could not be decided. */
function outcomeOf(diagnostics: readonly Diagnostic[]): Refused['outcome'] {
  const outcomes = diagnostics.map(
    ({ code }) => DIAGNOSTICS[code as DiagnosticCode].outcome ?? 'rejected',
  );
  if (outcomes.includes('unsupported')) return 'unsupported';
  return outcomes.includes('rejected') ? 'rejected' : 'limit';
}
