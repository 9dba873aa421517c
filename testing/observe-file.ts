/** From a file to programs under observation, in one step: the beginning of most tests. */

import { AssertionError } from 'node:assert';
import { render } from '../cli/report/index.ts';
import type { ProgramType } from '../platform/index.ts';
import type { Verdict } from '../verifier/index.ts';
import { hint } from './near.ts';
import { type ObservedExtension, type ObserveOptions, observe } from './observe.ts';
import { type VerifyFileOptions, verifyFile } from './verify-file.ts';

/** For programs of a type that `defineProgramType` made: the type of what their runs are given. */
export interface TypedObserveFileOptions<Context> extends ObserveFileOptions {
  readonly programType: ProgramType<Context>;
}

export interface ObserveFileOptions extends VerifyFileOptions, ObserveOptions {
  /** Only these programs, by name; default: all of the file, sharing maps. */
  readonly programs?: readonly string[];
}

/**
 * Verifies the programs of a file and loads them for observation, by name. Throws AssertionError
 * with the rendered diagnostics when one is refused, RangeError for a name that no program has, and
 * what `verifyFile` throws.
 */
export async function observeFile<Context>(
  path: string | URL,
  options: TypedObserveFileOptions<Context>,
): Promise<Readonly<Record<string, ObservedExtension<Context>>>>;
export async function observeFile(
  path: string | URL,
  options?: ObserveFileOptions,
): Promise<Readonly<Record<string, ObservedExtension>>>;
export async function observeFile(
  path: string | URL,
  options: ObserveFileOptions = {},
): Promise<Readonly<Record<string, ObservedExtension>>> {
  const { verdicts } = await verifyFile(path, options);
  const chosen = choose(verdicts, options.programs);
  const proofs = chosen.map((verdict) => {
    if (!verdict.ok) throw new AssertionError({ message: render(verdict), operator: 'accepted' });
    return verdict.proof;
  });
  const extensions = observe(proofs, options as ObserveOptions);
  return Object.fromEntries(extensions.map((extension) => [extension.name, extension]));
}

function choose(verdicts: readonly Verdict[], names: readonly string[] | undefined) {
  if (names === undefined) return verdicts;
  return names.map((name) => {
    const found = verdicts.find(({ program }) => program.name === name);
    if (found !== undefined) return found;
    const all = verdicts.map(({ program }) => program.name);
    throw new RangeError(`no program is called '${name}'${hint(name, all)}`);
  });
}
