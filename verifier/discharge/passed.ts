/** One argument as it is passed: what rules ask of it, and how they say what is wrong with it. */

import type { KfuncArgument } from '../../platform/index.ts';
import type { Contract } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';

export interface Call {
  readonly walk: Walk;
  readonly pc: number;
  readonly callee: Contract;
  readonly index: number;
  readonly argument: KfuncArgument;
  /** The register that passes the argument, and the offset of its value. */
  readonly register: number;
  readonly value: number;
}

/** The constant 0. */
export function isNull(walk: Walk, value: number): boolean {
  const { state } = walk;
  return (
    state.kind(value) === kinds.SCALAR && domain.isConstantOf(state.words, value + L.NUMBER, 0, 0)
  );
}

export function unsupported(call: Call, reason: string): Failure {
  const values = { name: call.callee.name, reason };
  return { code: 'helper-unsupported', pc: call.pc, values };
}

/** What is in the register, for people. */
export function describe(call: Call): string {
  const { state } = call.walk;
  const kind = state.kind(call.value);
  if (kind === kinds.SCALAR) {
    return `the number ${domain.format(state.words, call.value + L.NUMBER)}`;
  }
  const nullable = (state.words[call.value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  return `a ${kinds.KINDS[kind]!.name}${nullable ? ', or null' : ''}`;
}

export function wrong(call: Call, expected: string, expectedLinux: string): Failure {
  const { state } = call.walk;
  const kind = state.kind(call.value);
  const nullable = (state.words[call.value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  return {
    code: 'helper-argument',
    pc: call.pc,
    values: {
      argument: call.register,
      name: call.callee.name,
      register: `r${call.register}`,
      expected,
      expectedLinux,
      proven: describe(call),
      linux: kinds.KINDS[kind]!.linux + (nullable ? '_or_null' : ''),
    },
    registers: [call.register],
    needed: expected,
  };
}

export function requireKind(
  call: Call,
  accepted: readonly number[],
  expected: string,
  expectedLinux: string,
): Failure | null {
  const { state } = call.walk;
  const nullable = (state.words[call.value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  const fits = accepted.includes(state.kind(call.value)) && (!nullable || call.argument.nullable);
  return fits ? null : wrong(call, expected, expectedLinux);
}

/** What is released is held, and passed through the pointer that came from the acquiring call. */
export function checkReleased(call: Call): Failure | null {
  const { state } = call.walk;
  const words = state.words;
  const id = words[call.value + L.REFERENCE]!;
  const unmoved =
    words[call.value + L.OFFSET] === 0 && domain.isConstantOf(words, call.value + L.NUMBER, 0, 0);
  if (unmoved && id !== 0 && state.findReference(id) >= 0) return null;
  const values = { name: call.callee.name, argument: call.register };
  return { code: 'reference-not-held', pc: call.pc, values, registers: [call.register] };
}
