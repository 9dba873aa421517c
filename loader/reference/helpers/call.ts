/**
 * What every helper gets: its arguments, checked against memory, so that a program that breaks a
 * helper's contract faults here instead of reading what it may not.
 */

import type { HelperArguments, Machine } from '../../../isa/index.ts';
import type { ReferenceMap } from '../maps.ts';
import type { Run } from '../run.ts';

/** What a helper works on: the run, the machine, and its arguments. */
export class Call {
  readonly run: Run;
  readonly machine: Machine;
  readonly #args: HelperArguments;

  constructor(run: Run, machine: Machine, args: HelperArguments) {
    this.run = run;
    this.machine = machine;
    this.#args = args;
  }

  /** Argument 1 to 5 at 64 bits. */
  u64(number: 1 | 2 | 3 | 4 | 5): bigint {
    const value = this.#args[number - 1];
    if (value === undefined)
      throw this.machine.fault('call', `argument ${number} of a helper was never written`);
    return value;
  }
  /** An argument that the program may leave unwritten where its format does not use it. */
  variadic(number: 3 | 4 | 5): bigint {
    return this.#args[number - 1] ?? 0n;
  }
  u32(number: 1 | 2 | 3 | 4 | 5): number {
    return Number(BigInt.asUintN(32, this.u64(number)));
  }
  s32(number: 1 | 2 | 3 | 4 | 5): number {
    return Number(BigInt.asIntN(32, this.u64(number)));
  }
  map(number: 1 | 2): ReferenceMap {
    const map = this.run.mapAt(this.u64(number));
    if (map === undefined) throw this.machine.fault('call', 'not a map');
    return map;
  }
  /** `sizeBytes` bytes behind an argument, as a view. */
  bytes(
    number: 1 | 2 | 3 | 4 | 5,
    sizeBytes: number,
    access: 'read' | 'read-write' = 'read',
  ): Uint8Array {
    if (sizeBytes === 0) return new Uint8Array();
    const address = this.u64(number);
    const view = this.machine.memory.view(address, sizeBytes, access);
    if (view === undefined)
      throw this.machine.fault('access', `helper argument ${number}: ${sizeBytes} bytes`, address);
    return view;
  }
  /** A string up to its NUL, at most `limit` bytes. */
  text(number: 1 | 2 | 3 | 4 | 5, limit: number): string {
    let text = '';
    for (let i = 0; i < limit; i++) {
      const byte = this.machine.memory.load(this.u64(number) + BigInt(i), 1);
      if (byte === undefined)
        throw this.machine.fault('access', `helper argument ${number}: string`, this.u64(number));
      if (byte === 0n) break;
      text += String.fromCharCode(Number(byte));
    }
    return text;
  }
  /** Runs the callback whose address is argument 2. */
  callback(...args: bigint[]): bigint {
    const pc = this.machine.functionAt(this.u64(2));
    if (pc === undefined) throw this.machine.fault('call', 'callback is not a function');
    return this.machine.call(pc, args);
  }
}

export type HelperFunction = (call: Call) => bigint;

/** Errors, as uapi errno-base.h numbers them; ENOTSUPP: linux/errno.h. */
export const EFAULT = -14n;
export const EACCES = -13n;
export const ENOMEM = -12n;
export const ENOTSUPP = -524n;
