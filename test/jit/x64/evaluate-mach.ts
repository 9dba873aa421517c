/** Evaluates the machine functions of random-function.ts before allocation, in BigInt. */

import type { MachFunction, MachInst } from '../../../jit/mach/types.ts';
import { isDefinition, vregOf } from '../../../jit/mach/types.ts';
import { ROWS } from '../../../jit/x64/instructions.ts';
import { FRAME_SLOTS } from '../mach/random-function.ts';

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** What the callee of every call returns; `callee` in execute.test.ts is its machine code. */
export const calleeResult = (args: readonly bigint[]): bigint => u64(args[0]! + 2n * args[5]!);

/** The frame's address must not reach the result; this stands for it. */
const FRAME_ADDRESS = 0x7000_0000n;

/** undefined: it did not end within `fuel` instructions. */
export function evaluateMach(
  code: MachFunction,
  args: readonly bigint[],
  fuel: number,
): bigint | undefined {
  const values = new Map<number, bigint>();
  const frame = new Array<bigint>(FRAME_SLOTS).fill(0n);
  let b = 0;
  let equal = false;
  for (let steps = 0; steps < fuel; ) {
    const block = code.blocks[b]!;
    for (const inst of block.instructions) {
      steps++;
      const name = ROWS[inst.op]!.name;
      const inputs = inst.operands
        .filter((o) => !isDefinition(o))
        .map((o) => values.get(vregOf(o))!);
      const outputs = inst.operands.filter(isDefinition).map(vregOf);
      if (name === 'ret') return inputs[0];
      if (name === 'entry') for (const [i, v] of outputs.entries()) values.set(v, args[i]!);
      else if (name.startsWith('cmp')) equal = inputs[0] === inputs[1];
      else if (name.startsWith('mov r/m64')) frame[slotOf(inst, inputs)] = inputs.at(-1)!;
      else if (outputs.length > 0)
        values.set(outputs[0]!, result(inst, name, inputs, frame, equal));
    }
    const k = block.successors.length === 1 || !equal ? 0 : 1;
    const next = block.successors[k]!;
    const passed = block.arguments[k]!.map((v) => values.get(v)!);
    code.blocks[next]!.parameters.forEach((v, n) => {
      values.set(v, passed[n]!);
    });
    b = next;
  }
  return undefined;
}

function slotOf({ memory }: MachInst, inputs: readonly bigint[]): number {
  const base = memory!.base === 'frame' ? 0 : Number(inputs[0]! - FRAME_ADDRESS);
  return (base + memory!.displacement) / 8;
}

function result(
  inst: MachInst,
  name: string,
  inputs: readonly bigint[],
  frame: readonly bigint[],
  equal: boolean,
): bigint {
  const [a = 0n, b = 0n] = inputs;
  switch (name) {
    case 'mov r64, imm64':
      return (BigInt(inst.immHigh >>> 0) << 32n) | BigInt(inst.imm >>> 0);
    case 'mov r64, r/m64':
      return inst.memory === null ? a : frame[slotOf(inst, inputs)]!;
    case 'lea r64, m': {
      const { base, scale, displacement } = inst.memory!;
      if (base === 'frame') return FRAME_ADDRESS + BigInt(displacement);
      const index = inputs.at(-1)!;
      return u64((base === 'register' ? a : 0n) + index * BigInt(scale) + BigInt(displacement));
    }
    case 'add r64, r/m64':
      return u64(a + b);
    case 'sub r64, r/m64':
      return u64(a - b);
    case 'or r/m64, imm32':
      return a | 1n;
    case 'shl r/m64, cl':
      return u64(a << (b & 63n));
    case 'cmove r64, r/m64':
      return equal ? b : a;
    case 'div r/m64': {
      // Sources: divisor, rax, rdx. The quotient unless rax is dropped.
      const quotient = inst.operands.some((o) => isDefinition(o) && inst.clobbers === 1 << 2);
      return quotient ? b / a : b % a;
    }
    case 'call rel32':
      return calleeResult(inputs);
    default:
      throw new Error(`no meaning for ${name}`);
  }
}
