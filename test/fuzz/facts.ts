/**
 * Does an execution stay inside its proof? Before each instruction of an interpreted run, every fact
 * about it is compared with the concrete state: that it can be reached at all, which way the jump
 * before it went, what its operands are, where its access lands.
 */

import { type Instruction, type Machine, type Registers, TABLE } from '../../isa/index.ts';
import type { AccessFact, Facts, OperandFact } from '../../verifier/index.ts';

type Operand = 'dst' | 'src';

/** Whether `value` is one of those that the fact allows. */
export function allows(fact: OperandFact, value: bigint): boolean {
  const { constant } = fact;
  if (constant !== undefined) {
    const expected = (BigInt(constant.hi >>> 0) << 32n) | BigInt(constant.lo >>> 0);
    if (expected !== value) return false;
  }
  if (value >> BigInt(fact.significantBits) !== 0n) return false;
  const signed = BigInt.asIntN(64, value);
  if (BigInt.asIntN(fact.signedBits, signed) !== signed) return false;
  const low = BigInt.asUintN(32, value);
  if ((fact.nonZero && value === 0n) || (fact.nonZero32 && low === 0n)) return false;
  return !(fact.notMinusOne && (signed === -1n || low === 0xffff_ffffn));
}

/** Distance of the stacks of neighbouring frames in the interpreter. */
const FRAME_STRIDE = 0x10_0000n;

/** What the interpreter's regions are called, by the regions of facts. */
const REGION_NAMES: Readonly<Record<AccessFact['region'], RegExp>> = {
  stack: /^stack /,
  context: /^context$/,
  packet: /^packet$/,
  'packet-meta': /^packet$/,
  'map-value': /^map /,
  memory: /^(memory|record|key)/,
  socket: /^object$/,
  'flow-keys': /^object$/,
  btf: /./,
  'btf-faulting': /./,
  map: /./,
  arena: /./,
  mixed: /^(stack |packet$|map |memory|record)/,
};

/** The instruction before, and its jump facts, to be judged when it is known where it went. */
interface Pending {
  readonly pc: number;
  readonly depth: number;
}

export class FactChecker {
  /** The first contradiction. */
  broken: string | undefined;
  readonly #instructions: readonly Instruction[];
  readonly #facts: Facts;
  #pending: Pending | undefined;

  constructor(instructions: readonly Instruction[], facts: Facts) {
    this.#instructions = instructions;
    this.#facts = facts;
  }

  /** Forgets the run before; contradictions stay. */
  restart(): void {
    this.#pending = undefined;
  }

  readonly trace = (pc: number, registers: Readonly<Registers>, machine: Machine): void => {
    if (this.broken !== undefined) return;
    this.#checkWay(pc, machine);
    if (!this.#facts.reached(pc)) this.#break(pc, 'is called unreachable');
    const insn = this.#instructions[pc]!;
    const row = TABLE[insn.op]!;
    this.#checkOperand(pc, 'dst', row.dst, registers[insn.dst]);
    this.#checkOperand(pc, 'src', row.src, registers[insn.src]);
    if (row.kind === 'load' || row.kind === 'store' || row.kind === 'atomic') {
      const loads = row.kind === 'load' || row.operation === 'load_acquire';
      this.#checkAccess(pc, insn, registers[loads ? insn.src : insn.dst], registers, machine);
    }
    if (row.kind === 'jump') this.#pending = { pc, depth: machine.depth };
  };

  #break(pc: number, what: string): void {
    this.broken ??= `slot ${pc} ${what}`;
  }

  #checkWay(pc: number, machine: Machine): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined || pending.depth !== machine.depth) return;
    const target = pending.pc + 1 + this.#instructions[pending.pc]!.off;
    if (target === pending.pc + 1) return;
    const jumped = pc === target;
    if (jumped && !this.#facts.mayJump(pending.pc)) this.#break(pending.pc, 'jumps');
    if (!jumped && !this.#facts.mayFallThrough(pending.pc)) {
      this.#break(pending.pc, 'falls through');
    }
  }

  #checkOperand(pc: number, which: Operand, role: unknown, value: bigint | undefined): void {
    if ((role !== 'read' && role !== 'update') || value === undefined) return;
    const fact = this.#facts.operand(pc, which);
    if (!allows(fact, value)) this.#break(pc, `${which} = ${value}, ${JSON.stringify(fact)}`);
  }

  #checkAccess(
    pc: number,
    insn: Instruction,
    base: bigint | undefined,
    registers: Readonly<Registers>,
    machine: Machine,
  ): void {
    const fact = this.#facts.access(pc);
    if (base === undefined) return;
    if (fact === undefined) {
      this.#break(pc, 'has no access fact');
      return;
    }
    const address = BigInt.asUintN(64, base + BigInt(insn.off));
    const found = machine.memory.find(address, fact.sizeBytes);
    if (found === undefined) {
      this.#break(pc, `accesses ${fact.sizeBytes} bytes outside every region, ${describe(fact)}`);
      return;
    }
    const { region, offset } = found;
    if (!REGION_NAMES[fact.region].test(region.name)) {
      this.#break(pc, `accesses ${region.name}, ${describe(fact)}`);
    } else if (fact.region === 'stack') this.#checkStack(pc, fact, address, registers);
    else if (fact.offset !== undefined && fact.region !== 'mixed' && offset !== fact.offset) {
      this.#break(pc, `accesses byte ${offset} of ${region.name}, ${describe(fact)}`);
    }
    if (fact.aligned && fact.region !== 'context' && address % BigInt(fact.sizeBytes) !== 0n) {
      this.#break(pc, `is misaligned, ${describe(fact)}`);
    }
  }

  #checkStack(pc: number, fact: AccessFact, address: bigint, registers: Readonly<Registers>): void {
    if (fact.frame === undefined) return;
    const top = registers[10]! + BigInt(fact.frame) * FRAME_STRIDE;
    const offset = address - top;
    const inFrame = offset < 0n && offset >= -FRAME_STRIDE;
    if (!inFrame || (fact.offset !== undefined && offset !== BigInt(fact.offset))) {
      this.#break(pc, `accesses the stack at ${offset}, ${describe(fact)}`);
    }
  }
}

const describe = (fact: AccessFact): string => JSON.stringify(fact);
