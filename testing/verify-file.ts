/**
 * Verdicts of a whole file, to be asserted on. A test may ask for another profile than the one that
 * the file was verified under, so the verdicts can be had under any; each is reached once.
 */

import { readFile } from 'node:fs/promises';
import { InputError, type Program } from '../isa/index.ts';
import { type ProgramType, profile as profileNamed } from '../platform/index.ts';
import { type KernelBtfSource, programsOf, runningKernelBtf } from '../programs/file/index.ts';
import { type Privilege, type Verdict, verify } from '../verifier/index.ts';

export interface VerifyFileOptions {
  /** Default: `linux-6.18`; `memory` for programs of that type. */
  readonly profile?: string;
  /** What the loading process may do; default: `full` on Linux profiles. */
  readonly privilege?: Privilege;
  /** The programs are of this defined type, which is their profile. */
  readonly programType?: ProgramType<unknown>;
  /** Kernel types for CO-RE and tracing programs; default: the running kernel's. */
  readonly kernelBtf?: KernelBtfSource;
}

/** Every program of a file with its verdict. */
export class FileVerdicts implements Iterable<Verdict> {
  readonly file: string;
  readonly programs: readonly Program[];
  readonly #options: VerifyFileOptions;
  readonly #byProfile = new Map<string | undefined, readonly Verdict[]>();

  constructor(file: string, programs: readonly Program[], options: VerifyFileOptions) {
    this.file = file;
    this.programs = programs;
    this.#options = options;
  }

  /** One for each program, in the order of the file, under the profile that `verifyFile` was given. */
  get verdicts(): readonly Verdict[] {
    return this.under(this.#options.profile);
  }

  /** The verdicts under another profile. Throws RangeError where there is none of the name. */
  under(profile: string | undefined): readonly Verdict[] {
    const known = this.#byProfile.get(profile);
    if (known !== undefined) return known;
    const { profile: _, ...options } = this.#options;
    const verdicts = this.programs.map((program) => verifyUnder(program, profile, options));
    this.#byProfile.set(profile, verdicts);
    return verdicts;
  }

  [Symbol.iterator](): Iterator<Verdict> {
    return this.verdicts[Symbol.iterator]();
  }
}

/** One program under a profile. */
export function verifyUnder(
  program: Program,
  profile: string | undefined,
  { programType, privilege, kernelBtf }: Omit<VerifyFileOptions, 'profile'> = {},
): Verdict {
  // Another profile is another host: the definition is asked no more.
  const host = profile !== undefined ? { profile } : programType ? { programType } : {};
  return verify(program, {
    ...host,
    ...(privilege === undefined ? {} : { privilege }),
    kernelBtf: kernelBtf ?? runningKernelBtf(),
  });
}

/**
 * Reads and verifies every program of an ELF object, JSON manifest or assembly file. A refused
 * program is a verdict, not an exception; throws InputError where the file is malformed or holds no
 * program, RangeError for an unknown profile, and the file system's error where it cannot be read.
 */
export async function verifyFile(
  path: string | URL,
  options: VerifyFileOptions = {},
): Promise<FileVerdicts> {
  if (options.profile !== undefined && profileNamed(options.profile) === undefined)
    throw new RangeError(`no profile is called '${options.profile}'`);
  const name = path instanceof URL ? path.pathname : path;
  const bytes = Uint8Array.from(await readFile(path));
  const programs = programsOf(bytes, name, options.kernelBtf ?? runningKernelBtf());
  if (programs.length === 0) throw new InputError(name, 0, 'no programs in it');
  const verdicts = new FileVerdicts(name, programs, options);
  void verdicts.verdicts; // now, so that the time is spent here and not in the first assertion
  return verdicts;
}
