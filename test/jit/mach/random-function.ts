/**
 * Random machine functions for the allocator. Variables are assigned in any order; a block that
 * several edges enter takes all of them as parameters, one with a single predecessor sees what that
 * one left behind, so the result is in SSA form without computing dominators.
 */

import type { MachBlock, MachFunction, MachInst } from '../../../jit/mach/types.ts';
import { call, entry, inFrame, instruction, ret, scaled, UNUSED } from '../../../jit/x64/build.ts';
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
const ADD = rowOf('add r64, r/m64');
const SUB = rowOf('sub r64, r/m64');
const SHL = rowOf('shl r/m64, cl');
const DIV = rowOf('div r/m64');
const CMP = rowOf('cmp r64, r/m64');
const CMOV = rowOf('cmove r64, r/m64');
const BRANCH = rowOf('jne rel32');
const JUMP = rowOf('jmp rel32');

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
          ? ret(this.#pick(out), b)
          : instruction(list.length === 1 ? JUMP : BRANCH, b, [], []);
      return {
        parameters: parameters[b]!,
        instructions: [...code, last],
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
      for (let v = 0; v < this.#shape.variables; v++) out.push(incoming[v % incoming.length]!);
    }
    const length = this.#random(this.#shape.instructionsPerBlock);
    for (let n = 0; n < length; n++) {
      const { inst, result } = this.#instruction(out, b);
      code.push(inst);
      if (result >= 0) out[this.#random(out.length)] = result;
    }
    return { code, out };
  }

  #instruction(values: readonly number[], pc: number): { inst: MachInst; result: number } {
    const a = this.#pick(values);
    const b = this.#pick(values);
    const result = this.#vregs++;
    switch (this.#random(11)) {
      case 0:
        return { inst: instruction(MOV_IMM, pc, [result], [], { imm: this.#random(9) }), result };
      case 1:
        return { inst: instruction(MOV, pc, [result], [a]), result };
      case 2:
        return { inst: instruction(LEA, pc, [result], [], { memory: inFrame(0, 8) }), result };
      case 3:
        return { inst: instruction(LEA, pc, [result], [], { memory: scaled(a, 4, 3) }), result };
      case 4:
        return { inst: instruction(SUB, pc, [result], [a, b]), result };
      case 5:
        return { inst: instruction(SHL, pc, [result], [a, b]), result };
      case 6:
        return { inst: instruction(DIV, pc, [result, UNUSED], [this.#pick(values), a, b]), result };
      case 7:
        this.#vregs--;
        return { inst: instruction(CMP, pc, [], [a, b]), result: -1 };
      case 8:
        return { inst: instruction(CMOV, pc, [result], [a, b]), result };
      case 9: {
        const values6 = Array.from({ length: 1 + this.#random(6) }, () => this.#pick(values));
        return { inst: call({ kind: 'function', index: 0 }, result, values6, pc), result };
      }
      default:
        return { inst: instruction(ADD, pc, [result], [a, b]), result };
    }
  }
}
