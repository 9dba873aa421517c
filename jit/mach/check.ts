/**
 * Proves one allocation right, by running it on symbols (the idea of regalloc2's checker).
 *
 * For every place the checker knows the set of virtual registers whose value it certainly holds: at
 * the entry nothing; a move copies a set; a definition makes the value's register hold it alone and
 * every other place forget it (the value of an earlier round of a loop); a clobbered register holds
 * nothing; an edge makes each parameter join the sets of its argument; where edges meet, the sets
 * intersect. The state at each block shrinks until it is stable. Then every use must find its value
 * where the allocation says. Nothing here is shared with the allocator but its types.
 */

import { InternalError } from '../../isa/index.ts';
import { printAllocation } from './print.ts';
import type { Allocation, Backend, MachInst, Move } from './types.ts';
import {
  ANY,
  argumentOf,
  constraintOf,
  FIXED,
  isDefinition,
  isShifted,
  isSlot,
  REMATERIALISE,
  REUSE,
  SLOT_BASE,
  vregOf,
} from './types.ts';

/** Throws InternalError unless every use in `allocation` reads the value it names. */
export function checkAllocation(allocation: Allocation, backend: Backend): void {
  new Checker(allocation, backend).run();
}

type Values = ReadonlySet<number>;
/** Values by place; a place without an entry holds nothing known. */
type State = Map<number, Values>;

const NOTHING: Values = new Set();

class Checker {
  readonly #allocation: Allocation;
  readonly #backend: Backend;
  readonly #allocatable: number;
  readonly #entryStates: (State | undefined)[];
  #instruction = 0;

  constructor(allocation: Allocation, backend: Backend) {
    const { callerSaved, calleeSaved } = backend.registers;
    this.#allocation = allocation;
    this.#backend = backend;
    this.#allocatable = [...callerSaved, ...calleeSaved].reduce((mask, r) => mask | (1 << r), 0);
    this.#entryStates = allocation.code.blocks.map(() => undefined);
  }

  run(): void {
    const { blocks } = this.#allocation.code;
    this.#entryStates[0] = new Map();
    const work = [0];
    while (work.length > 0) {
      const b = work.pop()!;
      const state: State = new Map(this.#entryStates[b]);
      this.#block(b, state);
      blocks[b]!.successors.forEach((s, k) => {
        if (this.#meet(s, this.#alongEdge(b, k, state))) work.push(s);
      });
    }
  }

  #alongEdge(b: number, k: number, state: State): State {
    const { blocks } = this.#allocation.code;
    const values = blocks[b]!.arguments[k]!;
    const { parameters } = blocks[blocks[b]!.successors[k]!]!;
    if (values.length !== parameters.length) this.#fail('wrong number of arguments on an edge');
    if (parameters.length === 0) return state;
    const next: State = new Map();
    for (const [place, held] of state) {
      const then = new Set(held);
      for (const parameter of parameters) then.delete(parameter);
      parameters.forEach((parameter, n) => {
        if (held.has(values[n]!)) then.add(parameter);
      });
      next.set(place, then);
    }
    return next;
  }

  /** Whether the state at the entry of block `s` changed. */
  #meet(s: number, incoming: State): boolean {
    const known = this.#entryStates[s];
    if (known === undefined) {
      this.#entryStates[s] = new Map(incoming);
      return true;
    }
    let changed = false;
    for (const [place, held] of known) {
      const both = incoming.get(place);
      const kept = new Set([...held].filter((v) => both?.has(v)));
      if (kept.size === held.size) continue;
      changed = true;
      if (kept.size === 0) known.delete(place);
      else known.set(place, kept);
    }
    return changed;
  }

  #block(b: number, state: State): void {
    const { firstInstruction, before, after, dropped } = this.#allocation;
    this.#allocation.code.blocks[b]!.instructions.forEach((inst, n) => {
      const i = firstInstruction[b]! + n;
      this.#instruction = i;
      for (const move of before[i] ?? []) this.#move(move, state);
      if (dropped[i] === 1) {
        this.#forget(this.#computedBy(i), state);
        return;
      }
      this.#uses(inst, i, state);
      this.#conflicts(inst, i);
      this.#definitions(inst, i, state);
      for (const move of after[i] ?? []) this.#move(move, state);
    });
  }

  #move({ from, to, kind }: Move, state: State): void {
    this.#requirePlace(to);
    if (from >= REMATERIALISE) {
      state.set(to, new Set([this.#computedBy(from - REMATERIALISE)]));
      return;
    }
    this.#requirePlace(from);
    const held = state.get(from) ?? NOTHING;
    if (kind === 'swap') state.set(from, state.get(to) ?? NOTHING);
    state.set(to, held);
  }

  #requirePlace(place: number): void {
    const { slotCount, used } = this.#allocation;
    const known = isSlot(place)
      ? place < SLOT_BASE + slotCount
      : place >= 0 && ((this.#allocatable & used) >>> place) & 1;
    if (!known) this.#fail(`place ${place} is not one that this function may use`);
  }

  /** The value that instruction `i` computes from nothing. */
  #computedBy(i: number): number {
    const { firstInstruction, code } = this.#allocation;
    const b = code.blocks.findIndex((_, n) => i < firstInstruction[n + 1]!);
    const inst = code.blocks[b]?.instructions[i - firstInstruction[b]!];
    const only = inst?.operands.length === 1 ? inst.operands[0]! : undefined;
    if (inst === undefined || only === undefined || !isDefinition(only)) {
      this.#fail(`instruction ${i} does not compute a value from nothing`);
    }
    if (!this.#backend.rows[inst.op]!.rematerialisable) {
      this.#fail(`instruction ${i} may not be executed again`);
    }
    return vregOf(only);
  }

  #uses(inst: MachInst, i: number, state: State): void {
    inst.operands.forEach((operand, k) => {
      const register = this.#registerOf(i, k);
      this.#requirePlace(register);
      if (constraintOf(operand) === FIXED && register !== argumentOf(operand)) {
        this.#fail(`operand ${k} is not in the register that it must be in`);
      }
      if (isDefinition(operand)) return;
      const v = vregOf(operand);
      const held = state.get(register);
      if (!held?.has(v)) {
        const name = this.#backend.registers.names[register];
        this.#fail(`operand ${k} reads v${v} from ${name}, which holds ${list(held)}`);
      }
    });
  }

  /** Registers that are written while another operand of the same instruction still needs them. */
  #conflicts(inst: MachInst, i: number): void {
    const { operands, clobbers } = inst;
    operands.forEach((a, k) => {
      if (!isDefinition(a)) {
        if (isShifted(a) && ((clobbers >>> this.#registerOf(i, k)) & 1) !== 0) {
          this.#fail(`operand ${k} is destroyed before it is read`);
        }
        return;
      }
      operands.forEach((b, m) => {
        if (m === k || this.#registerOf(i, k) !== this.#registerOf(i, m)) return;
        const reuses = constraintOf(a) === REUSE && argumentOf(a) === m;
        const early = isShifted(a) || constraintOf(a) === REUSE;
        if (isDefinition(b) || (!reuses && (early || isShifted(b)))) {
          this.#fail(`operands ${k} and ${m} share a register`);
        }
      });
      if (constraintOf(a) === REUSE) this.#requireReuse(inst, i, k);
      if (constraintOf(a) === ANY && ((clobbers >>> this.#registerOf(i, k)) & 1) !== 0) {
        this.#fail(`operand ${k} is destroyed when it is written`);
      }
    });
  }

  #requireReuse(inst: MachInst, i: number, k: number): void {
    const m = argumentOf(inst.operands[k]!);
    if (this.#registerOf(i, k) !== this.#registerOf(i, m)) {
      this.#fail(`operand ${k} does not reuse the register of operand ${m}`);
    }
  }

  #definitions(inst: MachInst, i: number, state: State): void {
    for (let r = 0; r < 32; r++) if (((inst.clobbers >>> r) & 1) !== 0) state.delete(r);
    inst.operands.forEach((operand, k) => {
      if (!isDefinition(operand)) return;
      const v = vregOf(operand);
      this.#forget(v, state);
      state.set(this.#registerOf(i, k), new Set([v]));
    });
  }

  /** v is defined anew. */
  #forget(v: number, state: State): void {
    for (const [place, held] of state) {
      if (held.has(v)) state.set(place, new Set([...held].filter((other) => other !== v)));
    }
  }

  #registerOf(i: number, k: number): number {
    return this.#allocation.registers[this.#allocation.firstOperand[i]! + k]!;
  }

  #fail(problem: string): never {
    throw new InternalError(
      'register allocation',
      `instruction ${this.#instruction}: ${problem}`,
      printAllocation(this.#allocation, this.#backend),
    );
  }
}

const list = (values: Values | undefined): string =>
  values === undefined || values.size === 0 ? 'nothing' : [...values].map((v) => `v${v}`).join(' ');
