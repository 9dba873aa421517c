/** From a program to both engines: verified, compiled and loaded natively, and interpreted. */

import type { Program } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import {
  type Extension,
  type LoadOptions,
  load,
  loadReference,
  type ReferenceExtension,
  type ReferenceOptions,
} from '../../loader/index.ts';
import { type VerifyOptions, verify } from '../../verifier/index.ts';

export interface Engines {
  readonly native: Extension;
  readonly reference: ReferenceExtension;
}

/** Undefined: the program is not accepted. */
export function loadBoth(
  program: Program,
  options: LoadOptions & ReferenceOptions = {},
  verifying: VerifyOptions = {},
): Engines | undefined {
  const verdict = verify(program, verifying);
  if (!verdict.ok) return undefined;
  const native = load(compile(verdict.proof), { lifetime: 'replaceable', ...options });
  return { native, reference: loadReference([program], options)[0]! };
}
