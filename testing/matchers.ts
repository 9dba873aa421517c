/**
 * The claims as matchers, in the shape that `expect.extend` of vitest and of jest takes. Only vitest
 * needs types for them, which `ringfence/vitest` declares.
 */

import type { DiagnosticCode } from '../verifier/index.ts';
import {
  type AcceptedOptions,
  findAcceptance,
  findRejection,
  type RejectedOptions,
  type Verified,
} from './expectations.ts';

/** What a matcher answers. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** For `expect.extend(matchers)`. */
export const matchers = Object.freeze({
  toBeAccepted(received: Verified, options?: AcceptedOptions): MatcherResult {
    const { pass, message } = findAcceptance(received, options);
    return { pass, message: () => message };
  },
  toBeRejectedWith(
    received: Verified,
    code: DiagnosticCode,
    options?: RejectedOptions,
  ): MatcherResult {
    const { pass, message } = findRejection(received, code, options);
    return { pass, message: () => message };
  },
});

/** The matchers as `expect(…)` has them. */
export interface RingfenceMatchers<R = unknown> {
  /**
   * Every program (or `program`) is proven safe, executes at most `maxInstructions` instructions
   * and uses at most `maxStack` bytes of stack.
   */
  toBeAccepted(options?: AcceptedOptions): R;
  /** A program (or `program`) is refused with this diagnostic, at this `line` or `instruction`. */
  toBeRejectedWith(code: DiagnosticCode, options?: RejectedOptions): R;
}
