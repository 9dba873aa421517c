/** Which explanation belongs to which code; other codes are told by their row of the table alone. */

import type { DiagnosticCode } from '../../diagnostics.ts';
import {
  explainExtent,
  explainMisaligned,
  explainNegative,
  explainNotPointer,
  explainPacket,
} from './access.ts';
import { explainNullArithmetic, explainOffset, explainOperator } from './arithmetic.ts';
import { explainArgument, explainSize } from './call.ts';
import type { Explain } from './case.ts';
import { explainContext } from './context.ts';
import { explainHeld, explainResult } from './exit.ts';
import { explainLimit } from './limit.ts';
import { explainNull } from './null.ts';
import { explainUninitialised } from './register.ts';
import { explainFrame, explainUnwritten } from './stack.ts';

export const EXPLANATIONS: Readonly<Partial<Record<DiagnosticCode, Explain>>> = {
  'packet-out-of-bounds': explainPacket,
  'map-value-out-of-bounds': explainExtent,
  'memory-out-of-bounds': explainExtent,
  'negative-offset': explainNegative,
  'stack-out-of-bounds': explainFrame,
  'stack-uninitialised': explainUnwritten,
  'stack-misaligned': explainMisaligned,
  'not-a-pointer': explainNotPointer,
  'null-dereference': explainNull,
  'uninitialised-register': explainUninitialised,
  'pointer-offset-unbounded': explainOffset,
  'pointer-offset-out-of-range': explainOffset,
  'pointer-arithmetic': explainOperator,
  'pointer-maybe-null-arithmetic': explainNullArithmetic,
  'helper-size-negative': explainSize,
  'helper-size-unbounded': explainSize,
  'helper-size-zero': explainSize,
  'helper-argument': explainArgument,
  'context-out-of-bounds': explainContext,
  'reference-not-released': explainHeld,
  'return-value': explainResult,
  'too-complex': explainLimit,
};
