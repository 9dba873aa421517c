/**
 * Helpers that are JavaScript functions. Both engines come here with registers that the verifier has
 * checked and bytes that were copied; the function never sees memory of the program itself.
 *
 * A function may throw, or return what its contract excludes. The program cannot be left in the
 * middle, since it may hold a record or a lock: it runs on to its proven end, every later call of a
 * hosted helper answers the least result of its contract without calling anything, and then the run
 * throws a HelperError. So the verifier's assumption about results holds whatever the function does.
 */

import {
  type HostedHelper,
  type Parameter,
  type ProgramType,
  partsOf,
  truncate,
} from '../platform/index.ts';

/** A helper of a defined program type failed; the run that called it has no result. */
export class HelperError extends Error {
  override readonly name = 'HelperError';
  /** As the definition calls it. */
  readonly helper: string;
  constructor(helper: string, reason: string, cause?: unknown) {
    super(`helper ${helper}: ${reason}`, cause === undefined ? {} : { cause });
    this.helper = helper;
  }
}

/** A register, or the bytes behind one, in the order of the function's parameters. */
export type HostedArgument = bigint | Uint8Array;

/** The hosted helpers of one extension on one thread. */
export class HostedHelpers {
  readonly helpers: readonly HostedHelper[];
  #failure: HelperError | undefined;
  #isInside = false;

  constructor(type: ProgramType<unknown>) {
    this.helpers = partsOf(type).hosted;
  }

  /** r0 of helper `index`, or undefined when it failed, in this call or earlier in the run. */
  call(index: number, args: readonly HostedArgument[]): bigint | undefined {
    const helper = this.helpers[index]!;
    if (this.#failure !== undefined) return undefined;
    this.#isInside = true;
    try {
      const given = helper.contract.parameters.map((parameter, i) =>
        parameter.kind === 'number' ? truncate(parameter.type, args[i] as bigint) : args[i],
      );
      return resultOf(helper, helper.run(...(given as never[])));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#failure =
        error instanceof HelperError ? error : new HelperError(helper.name, reason, error);
      return undefined;
    } finally {
      this.#isInside = false;
    }
  }

  /** Throws TypeError inside a helper: what the run is using must stay as it is. */
  refuseNesting(extension: string): void {
    if (this.#isInside)
      throw new TypeError(`extension ${extension} is running: a helper of it cannot use it`);
  }

  /** What went wrong in the run that has just ended; forgotten then. */
  takeFailure(): HelperError | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }
}

function resultOf({ name, contract }: HostedHelper, value: unknown): bigint {
  if (value instanceof Promise)
    throw new HelperError(name, 'it returned a promise, and programs do not wait');
  if (contract.result.kind === 'void') return 0n;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  const isWhole = typeof value === 'bigint' || Number.isInteger(value);
  if (!isWhole) throw new HelperError(name, `it returned ${String(value)}, not a whole number`);
  const result = BigInt(value as bigint | number);
  const { min, max } = contract.range;
  if (result < min || result > max)
    throw new HelperError(name, `it returned ${result}, outside ${min} to ${max}`);
  return result;
}

/** The numbers of enum parameter_kind and of the access bits in loader/native/hosted.h. */
const NUMBER = 1;
const BYTES = 2;
const ACCESS = { read: 1, write: 2, 'read-write': 3 } as const;
const PARAMETERS = 5;
const WORDS_PER_PARAMETER = 3;

/** What native code must know of the contracts: rows of fixed size, one a helper. */
export function hostedWords(type: ProgramType<unknown> | undefined): Uint32Array {
  const rows = (type ? partsOf(type).hosted : []).map(({ contract }) => {
    const row = new Uint32Array(PARAMETERS * WORDS_PER_PARAMETER + 2);
    contract.parameters.forEach((parameter, i) => {
      row.set(parameterWords(parameter), i * WORDS_PER_PARAMETER);
    });
    const least = BigInt.asUintN(64, contract.range.min);
    row.set([Number(least & 0xffffffffn), Number(least >> 32n)], PARAMETERS * WORDS_PER_PARAMETER);
    return [...row];
  });
  return Uint32Array.from(rows.flat());
}

function parameterWords(parameter: Parameter): readonly number[] {
  if (parameter.kind === 'number') return [NUMBER, parameter.register, 0];
  const { register, access, sizeBytes = 0 } = parameter;
  return [BYTES, register | (ACCESS[access] << 8), sizeBytes];
}
