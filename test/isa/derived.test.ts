/** The read and write masks say exactly what the interpreter reads and writes. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AddressSpace,
  assemble,
  constantValue,
  type Host,
  type Instruction,
  interpret,
  type Registers,
  readMask,
  rowNamed,
  slotCount,
  TABLE,
  targetOf,
  writeMask,
} from '../../isa/index.ts';
import { CONTINUATION, instructionOf, ROWS, slotsOf } from '../support/instructions.ts';

/** Touches no register. */
const NEXT: Instruction = { ...CONTINUATION, op: rowNamed('goto').index };

/** Answers everything, so that only registers can go wrong. */
function anyHost(): Host {
  const memory = new AddressSpace();
  memory.add({
    name: 'everything below the stacks',
    base: 0n,
    sizeBytes: 0x7000_0000_0000,
    load: () => 5n,
    store: () => true,
  });
  return {
    memory,
    helper: () => 1n,
    kfunc: () => 1n,
    mapAddress: () => 1n,
    mapValueAddress: () => 1n,
    kernelSymbol: () => 1n,
    loadPacket: () => 1n,
    castAddress: () => 1n,
  };
}

interface Observed {
  readonly fault: string | undefined;
  readonly after: Registers | undefined;
}

/** Runs one instruction with the registers of `mask` set, the others unwritten. */
function observe(instruction: Instruction, mask: number): Observed {
  const host = anyHost();
  let after: Registers | undefined;
  const slots = slotsOf(instruction);
  const set = Array.from({ length: 10 }, (_, index) => (mask >> (index + 1)) & 1);
  const trace: Host['trace'] = (pc, registers) => {
    const live = registers as Registers;
    if (pc === 0) {
      for (let register = 0; register <= 10; register++) {
        live[register] = (mask >> register) & 1 ? 0x1000n + BigInt(register) : undefined;
      }
    } else after ??= [...live];
  };
  const padded = [...slots, ...Array.from({ length: 8 }, () => NEXT)];
  const outcome = interpret(
    padded,
    { ...host, trace },
    { registers: set.map(BigInt), maxInstructions: 2 },
  );
  return { fault: outcome.kind === 'fault' ? outcome.fault.kind : undefined, after };
}

/** Rows whose effect is all in one step of one frame. */
const SIMPLE = ROWS.filter((row) => !['exit', 'goto', 'may_goto'].includes(row.kind)).filter(
  (row) => row.name !== 'call_subprogram' && row.name !== 'call_register',
);

test.each(SIMPLE.map((row) => row.name))('%s', (name) => {
  const row = rowNamed(name);
  fc.assert(
    fc.property(instructionOf(row), (some) => {
      const jumps = row.off === 'jump';
      const writesR10 = (writeMask(some) & 0x400) !== 0;
      fc.pre(!writesR10);
      const instruction = { ...some, off: jumps ? 0 : Math.abs(some.off) };
      const reads = readMask(instruction);
      const enough = observe(instruction, reads);
      expect(enough.fault).toBeUndefined();
      for (let register = 0; register <= 10; register++) {
        const bit = 1 << register;
        if ((reads & bit) !== 0)
          expect(observe(instruction, reads & ~bit).fault).toBe('uninitialized');
        const before = (reads & bit) !== 0 ? 0x1000n + BigInt(register) : undefined;
        if ((writeMask(instruction) & bit) === 0) expect(enough.after?.[register]).toBe(before);
      }
    }),
    { numRuns: 15 },
  );
});

test('calls and legacy loads destroy r0 to r5, exit reads r0', () => {
  const [call, load, exit] = assemble('call 1\nr0 = *(u8 *)skb[3]\nexit').instructions;
  expect(writeMask(call!)).toBe(0x3f);
  expect(writeMask(load!)).toBe(0x3f);
  expect(readMask(load!)).toBe(0x40);
  expect(readMask(exit!)).toBe(1);
});

test('targets', () => {
  const { instructions } = assemble(`
    r1 = func[f]
    if r1 == 0 goto end
    gotol end
    call f
    may_goto end
    end: exit
    f: exit`);
  const targets = instructions.map((instruction, pc) => targetOf(instruction, pc));
  expect(targets).toEqual([7, undefined, 6, 6, 7, 6, undefined, undefined]);
  expect(instructions.map(slotCount)).toEqual([2, 1, 1, 1, 1, 1, 1, 1]);
});

test('constants are unsigned', () => {
  const [constant] = assemble('r1 = -2 ll').instructions;
  expect(constantValue(constant!)).toBe(0xffff_ffff_ffff_fffen);
  expect(TABLE[constant!.op]!.name).toBe('constant_value');
});
