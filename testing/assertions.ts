/** The claims as plain functions that throw, for node:test, jest and scripts. */

import { AssertionError } from 'node:assert';
import type { DiagnosticCode } from '../verifier/index.ts';
import {
  type AcceptedOptions,
  type Finding,
  findAcceptance,
  findRejection,
  type RejectedOptions,
  type Verified,
} from './expectations.ts';

/**
 * Throws AssertionError, its message the rendered diagnostics, unless every program (or the one
 * chosen) is accepted within the limits.
 */
export function assertAccepted(subject: Verified, options: AcceptedOptions = {}): void {
  demand(findAcceptance(subject, options), 'accepted', assertAccepted);
}

/** Throws AssertionError unless a program is refused with this code (and at this place). */
export function assertRejectedWith(
  subject: Verified,
  code: DiagnosticCode,
  options: RejectedOptions = {},
): void {
  demand(findRejection(subject, code, options), code, assertRejectedWith);
}

function demand({ pass, message }: Finding, operator: string, caller: (...args: never) => void) {
  if (!pass) throw new AssertionError({ message, operator, stackStartFn: caller as () => void });
}
