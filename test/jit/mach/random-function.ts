/**
 * Random machine functions for the allocator. Variables are assigned in any order; a block that
 * several edges enter takes all of them as parameters, one with a single predecessor sees what that
 * one left behind, so the result is in SSA form without computing dominators.
 */

import type { MachBlock, MachFunction, MachInst } from '../../../jit/mach/types.ts';
import {
  atRegister,
  call,
  entry,
  inFrame,
  instruction,
  ret,
  scaled,
  UNUSED,
} from '../../../jit/x64/build.ts';
import { rowOf } from '../../../jit/x64/instructions.ts';

/** mulberry32: small, seeded, good enough for tests. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const MOV_IMM = rowOf('mov r64, imm64');
const MOV = rowOf('mov r64, r/m64');
const LEA = rowOf('lea r64, m');
const LOAD = rowOf('mov r64, r/m64');
const STORE = rowOf('mov r/m64, r64');
const OR = rowOf('or r/m64, imm32');
const ADD = rowOf('add r64, r/m64');
const SUB = rowOf('sub r64, r/m64');
const SHL = rowOf('shl r/m64, cl');
const DIV = rowOf('div r/m64');
const CMP = rowOf('cmp r64, r/m64');
const CMOV = rowOf('cmove r64, r/m64');
const BRANCH = rowOf('jne rel32');
const JUMP = rowOf('jmp rel32');

export const FRAME_SLOTS = 8;

export interface Shape {
  readonly blocks: number;
  readonly variables: number;
  readonly instructionsPerBlock: number;
}

export function randomFunction(seed: number, shape: Shape): MachFunction {
  return new Generator(seed, shape).generate();
}

class Generator {
  readonly #random: (below: number) => number;
  readonly #shape: Shape;
  #vregs = 0;
  /** Address of the frame area; defined at the entry, used anywhere. */
  #frame = -1;

  constructor(seed: number, shape: Shape) {
    this.#random = randomNumbers(seed);
    this.#shape = shape;
  }

  generate(): MachFunction {
    const count = 1 + this.#random(this.#shape.blocks);
    const successors = Array.from({ length: count }, (_, b) => this.#successors(b, count));
    const predecessors = successors.map((): number[] => []);
    successors.forEach((list, b) => {
      for (const s of list) predecessors[s]!.push(b);
    });
    const parameters = predecessors.map((list, b) =>
      b > 0 && list.length !== 1 ? this.#fresh() : [],
    );
    const bodies: { code: MachInst[]; out: number[] }[] = [];
    for (let b = 0; b < count; b++) {
      const inherited =
        parameters[b]!.length > 0 ? parameters[b]! : bodies[predecessors[b]![0]!]?.out;
      bodies.push(this.#body(b, inherited ?? []));
    }
    const blocks = bodies.map(({ code, out }, b): MachBlock => {
      const list = successors[b]!;
      const last =
        list.length === 0
          ? [ret(this.#pick(out), b)]
          : list.length === 1
            ? [instruction(JUMP, b, [], [])]
            : [this.#compare(out, b), instruction(BRANCH, b, [], [])];
      return {
        parameters: parameters[b]!,
        instructions: [...code, ...last],
        successors: list,
        arguments: list.map((s) => (parameters[s]!.length > 0 ? out : [])),
        cold: b > 0 && this.#random(5) === 0,
      };
    });
    const areas = [{ sizeBytes: 64, alignBytes: 8, zeroed: false }];
    return { name: 'random', blocks, vregCount: this.#vregs, areas, pool: [] };
  }

  /**
   * A tree edge from each block to the next keeps all blocks reachable and puts the predecessor of
   * a block without parameters before it; others go anywhere.
   */
  #successors(b: number, count: number): number[] {
    if (b === count - 1) return [];
    const other = 1 + this.#random(count - 1);
    return this.#random(3) === 0
      ? [b + 1]
      : this.#random(2) === 0
        ? [other, b + 1]
        : [b + 1, other];
  }

  #fresh(): number[] {
    return Array.from({ length: this.#shape.variables }, () => this.#vregs++);
  }

  #pick(values: readonly number[]): number {
    return values[this.#random(values.length)]!;
  }

  #body(b: number, inherited: readonly number[]): { code: MachInst[]; out: number[] } {
    const out = [...inherited];
    const code: MachInst[] = [];
    if (b === 0) {
      const incoming = Array.from({ length: 6 }, () => this.#vregs++);
      code.push(entry(incoming, 0));
      this.#frame = this.#vregs++;
      code.push(instruction(LEA, 0, [this.#frame], [], { memory: inFrame(0, 0) }));
      for (let k = 0; k < FRAME_SLOTS; k++) {
        code.push(instruction(STORE, 0, [], [incoming[k % 6]!], { memory: inFrame(0, 8 * k) }));
      }
      for (let v = 0; v < this.#shape.variables; v++) out.push(incoming[v % incoming.length]!);
    }
    const length = this.#random(this.#shape.instructionsPerBlock);
    for (let n = 0; n < length; n++) {
      const result = this.#instructions(code, out, b);
      if (result >= 0) out[this.#random(out.length)] = result;
    }
    return { code, out };
  }

  #compare(values: readonly number[], pc: number): MachInst {
    return instruction(CMP, pc, [], [this.#pick(values), this.#pick(values)]);
  }

  /** Appends one operation; returns the value it defines, or -1. */
  #instructions(code: MachInst[], values: readonly number[], pc: number): number {
    const a = this.#pick(values);
    const b = this.#pick(values);
    const offset = 8 * this.#random(FRAME_SLOTS);
    const result = this.#vregs++;
    const add = (...args: Parameters<typeof instruction>): void => {
      code.push(instruction(...args));
    };
    switch (this.#random(14)) {
      case 0: {
        const immHigh = this.#random(3) - 1;
        add(MOV_IMM, pc, [result], [], { imm: this.#random(2 ** 31) * 2 - 2 ** 31, immHigh });
        return result;
      }
      case 1:
        add(MOV, pc, [result], [a]);
        return result;
      case 2:
        add(LOAD, pc, [result], [], { memory: inFrame(0, offset) });
        return result;
      case 3:
        add(LEA, pc, [result], [], { memory: scaled(a, 4, 3) });
        return result;
      case 4:
        add(SUB, pc, [result], [a, b]);
        return result;
      case 5:
        add(SHL, pc, [result], [a, b]);
        return result;
      case 6:
        this.#divide(code, values, result, pc);
        return result;
      case 7:
        code.push(this.#compare(values, pc));
        add(CMOV, pc, [result], [a, b]);
        return result;
      case 8: {
        const list = Array.from({ length: 6 }, () => this.#pick(values));
        code.push(call({ kind: 'function', index: 0 }, result, list, pc));
        return result;
      }
      case 9:
        add(STORE, pc, [], [a], { memory: atRegister(this.#frame, offset) });
        return -1;
      case 10:
        add(LOAD, pc, [result], [], { memory: atRegister(this.#frame, offset) });
        return result;
      case 11:
        add(LEA, pc, [result], [], { memory: atRegister(a, 7, b, 2) });
        return result;
      default:
        add(ADD, pc, [result], [a, b]);
        return result;
    }
  }

  /** Of 64 bits by an odd number: defined for every input. */
  #divide(code: MachInst[], values: readonly number[], result: number, pc: number): void {
    const zero = this.#vregs++;
    const odd = this.#vregs++;
    code.push(instruction(OR, pc, [odd], [this.#pick(values)], { imm: 1 }));
    code.push(instruction(MOV_IMM, pc, [zero], []));
    const results = this.#random(2) === 0 ? [result, UNUSED] : [UNUSED, result];
    code.push(instruction(DIV, pc, results, [odd, this.#pick(values), zero]));
  }
}

/**
 * The blocks but the entry in another order: definitions need not come before uses in the layout,
 * only on every path.
 */
export function shuffled(code: MachFunction, seed: number): MachFunction {
  const random = randomNumbers(seed);
  const order = code.blocks.map((_, b) => b);
  for (let i = order.length - 1; i > 1; i--) {
    const k = 1 + random(i);
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
  const place = order.map((_, b) => order.indexOf(b));
  const blocks = order.map((b) => {
    const block = code.blocks[b]!;
    return { ...block, successors: block.successors.map((s) => place[s]!) };
  });
  return { ...code, blocks };
}
