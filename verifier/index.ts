/** Is this program safe, and why. */

export type { Category, Diagnostic, PathStep, Span, ValueNote } from './diagnostic.ts';
export { DIAGNOSTICS, type DiagnosticCode, type DiagnosticRow } from './diagnostics.ts';
export type {
  AccessFact,
  CallFact,
  Facts,
  FunctionFact,
  OperandFact,
  Region,
} from './facts.ts';
export { LIMITS, type Limit } from './limits.ts';
export { ProvenProgram } from './proof.ts';
export type { Privilege } from './subject.ts';
export type { Accepted, LinuxPrediction, Refused, Verdict } from './verdict.ts';
export { type VerifyOptions, verify } from './verify.ts';
