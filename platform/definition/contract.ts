/**
 * The contract of a helper that is a JavaScript function, in two readings: registers, which the
 * verifier checks, and parameters, which the function gets.
 */

import type { Argument, Return } from '../types.ts';
import { isNumberType, NUMBER_TYPES, type NumberType, rangeOf } from './numbers.ts';
import type { ArgumentSpec, ReturnSpec } from './spec.ts';

const ARGUMENT_REGISTERS = 5;
/** No region that a program can pass is larger. */
const BYTES_MAX = 1 << 20;

/** One parameter of the function: a number, or bytes, which may take a second register. */
export type Parameter =
  | { readonly kind: 'number'; readonly register: number; readonly type: NumberType }
  | {
      readonly kind: 'bytes';
      readonly register: number;
      /** undefined: the next register says. */
      readonly sizeBytes: number | undefined;
      readonly access: 'read' | 'write' | 'read-write';
    };

export interface Contract {
  readonly parameters: readonly Parameter[];
  /** What the verifier asks of r1 and up, and assumes of r0. */
  readonly registers: readonly Argument[];
  readonly result: Return;
  /** What r0 may be; the first of them where the function gave none. */
  readonly range: { readonly min: bigint; readonly max: bigint };
}

/** Throws TypeError or RangeError, which begin with `where`, for contracts that do not exist. */
export function contractOf(
  where: string,
  specs: readonly ArgumentSpec[],
  returns: ReturnSpec,
): Contract {
  if (!Array.isArray(specs)) throw new TypeError(`${where}: its arguments are a list`);
  const parameters: Parameter[] = [];
  const registers: Argument[] = [];
  specs.forEach((spec, index) => {
    const parameter = parameterOf(`${where}: argument ${index + 1}`, spec, registers.length);
    parameters.push(parameter);
    registers.push(...registersOf(parameter));
  });
  if (registers.length > ARGUMENT_REGISTERS)
    throw new RangeError(
      `${where}: its arguments take ${registers.length} registers (bytes take two), and there are ${ARGUMENT_REGISTERS}`,
    );
  return Object.freeze({
    parameters: Object.freeze(parameters),
    registers: Object.freeze(registers),
    ...resultOf(where, returns),
  });
}

function parameterOf(where: string, spec: ArgumentSpec, register: number): Parameter {
  if (isNumberType(spec)) return Object.freeze({ kind: 'number', register, type: spec });
  const { bytes, access = 'read' } =
    spec === 'bytes' ? ({ bytes: 'sized' } as const) : typeof spec === 'object' ? spec : {};
  const isSize = typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= 1;
  if (bytes !== 'sized' && !(isSize && bytes <= BYTES_MAX))
    throw new TypeError(
      `${where}: there is no contract ${JSON.stringify(spec)}; there is ${Object.keys(NUMBER_TYPES).join(', ')}, 'bytes', { bytes: 1 to ${BYTES_MAX} or 'sized', access }`,
    );
  if (!['read', 'write', 'read-write'].includes(access))
    throw new TypeError(`${where}: access is read, write or read-write, not '${access}'`);
  const sizeBytes = bytes === 'sized' ? undefined : bytes;
  return Object.freeze({ kind: 'bytes', register, sizeBytes, access });
}

function registersOf(parameter: Parameter): readonly Argument[] {
  if (parameter.kind === 'number') return [Object.freeze({ kind: 'anything' })];
  const { sizeBytes, access } = parameter;
  if (sizeBytes !== undefined) return [Object.freeze({ kind: 'memory', access, sizeBytes })];
  return [Object.freeze({ kind: 'memory', access }), Object.freeze({ kind: 'size' })];
}

function resultOf(where: string, returns: ReturnSpec): Pick<Contract, 'result' | 'range'> {
  if (returns === 'void')
    return { result: Object.freeze({ kind: 'void' }), range: { min: 0n, max: 0n } };
  if (isNumberType(returns)) {
    const range = rangeOf(returns);
    // Every 64-bit word is one of u64, which a signed range cannot say.
    if (NUMBER_TYPES[returns].sizeBytes === 8)
      return { result: Object.freeze({ kind: 'scalar' }), range };
    return { result: ranged(Number(range.min), Number(range.max)), range };
  }
  const { min, max } = typeof returns === 'object' ? returns : { min: Number.NaN, max: Number.NaN };
  if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min <= max))
    throw new RangeError(
      `${where}: it returns 'void', a number type or { min, max }, not ${JSON.stringify(returns)}`,
    );
  return { result: ranged(min, max), range: { min: BigInt(min), max: BigInt(max) } };
}

const ranged = (min: number, max: number): Return =>
  Object.freeze({ kind: 'scalar', range: Object.freeze({ min, max }) });
