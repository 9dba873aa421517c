/** `ringfence verify`: every program of every input, a verdict each. */
import { InputError, InternalError, type Program } from '../isa/index.ts';
import { profile as platformProfile } from '../platform/index.ts';
import { type Privilege, type Verdict, verify } from '../verifier/index.ts';
import { EXIT, type ExitCode, UsageError, worstOf } from './exit-code.ts';
import { kernelBtfSource, readPrograms } from './input.ts';
import {
  brokenEntry,
  malformedEntry,
  render,
  type Style,
  titleOf,
  type VerdictEntry,
  verdictDocument,
  verdictEntry,
} from './report/index.ts';

export interface VerifyOptions {
  readonly program?: string;
  readonly profile?: string;
  readonly privilege?: Privilege;
  readonly kernelBtf?: string;
  readonly maxErrors?: number;
  readonly asKernel?: boolean;
  readonly format: 'text' | 'json';
}

/** Where a command writes; tests pass their own. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly style: Style;
}

const DEFAULT_PROFILE = 'linux-6.18';

/**
 * `memory` programs have a host of their own; everything else follows the default or the
 * choice. Throws UsageError.
 */
export function profileOf(program: Program, chosen: string | undefined): string {
  if (chosen !== undefined && platformProfile(chosen) === undefined) {
    throw new UsageError(`--profile: no profile is called '${chosen}'`);
  }
  return chosen ?? (program.type === 'memory' ? 'memory' : DEFAULT_PROFILE);
}

/** Exit code of one verdict, on its own or by what the kernel would say. */
export function exitOf(verdict: Verdict, asKernel: boolean): ExitCode {
  if (!verdict.ok) return EXIT[verdict.outcome];
  const refused = verdict.linux === 'rejected' || verdict.linux === 'limit';
  return asKernel && refused ? EXIT.rejected : EXIT.proven;
}

interface Outcome {
  readonly code: ExitCode;
  readonly entry: VerdictEntry;
  readonly text: string;
}

function verifyOne(
  program: Program,
  options: VerifyOptions,
  kernelBtf: ReturnType<typeof kernelBtfSource>,
  style: Style,
): Outcome {
  const profile = profileOf(program, options.profile);
  try {
    const verdict = verify(program, {
      profile,
      kernelBtf,
      ...(options.privilege === undefined ? {} : { privilege: options.privilege }),
      ...(options.maxErrors === undefined ? {} : { maxErrors: options.maxErrors }),
    });
    return {
      code: exitOf(verdict, options.asKernel ?? false),
      entry: verdictEntry(verdict),
      text: render(verdict, style),
    };
  } catch (error) {
    if (!(error instanceof InternalError)) throw error;
    return {
      code: EXIT.internal,
      entry: brokenEntry(program, profile, error.message),
      text: `${titleOf(program)}: ${error.message}\n${error.dump}`,
    };
  }
}

function verifyFile(
  path: string,
  options: VerifyOptions,
  kernelBtf: ReturnType<typeof kernelBtfSource>,
  style: Style,
): Outcome[] {
  try {
    const programs = readPrograms(path, kernelBtf);
    const chosen = programs.filter(
      ({ name }) => options.program === undefined || name === options.program,
    );
    return chosen.map((program) => verifyOne(program, options, kernelBtf, style));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const entry = malformedEntry(error, options.profile ?? DEFAULT_PROFILE);
    return [{ code: EXIT.usage, entry, text: `malformed ${error.message}` }];
  }
}

/** Verifies and prints; yields the exit code. Throws UsageError. */
export function verifyCommand(
  paths: readonly string[],
  options: VerifyOptions,
  output: Output,
): ExitCode {
  const kernelBtf = kernelBtfSource(options.kernelBtf);
  const outcomes = paths.flatMap((path) => verifyFile(path, options, kernelBtf, output.style));
  if (outcomes.length === 0) {
    throw new UsageError(
      options.program === undefined
        ? `${paths.join(', ')}: no programs in it`
        : `no program is called '${options.program}' in ${paths.join(', ')}`,
    );
  }
  if (options.format === 'json') {
    output.out(`${JSON.stringify(verdictDocument(outcomes.map(({ entry }) => entry)), null, 2)}\n`);
  } else {
    output.out(`${outcomes.map(({ text }) => text).join('\n\n')}\n`);
  }
  return worstOf(outcomes.map(({ code }) => code));
}
