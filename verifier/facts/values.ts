/**
 * What numbers are at every instruction, over all executions.
 *
 * The walk cannot say: its kept states stand for others whose imprecise numbers differ, so a number
 * that was the same on every walked path may be another one on a path that was left out. Here states
 * are joined instead of compared: a fixpoint over the control-flow graph, with the same transfer
 * functions of the domain, and widening at loop heads so that it ends. From the walk it takes only
 * what pruning compares exactly: which branches go which way, and what each access touches.
 *
 * Soundness: a block's entry state covers every state that an edge brings (join and widening cover
 * both sides); within a block each transfer covers its instruction; registers and slots that
 * something else could write are unknown. Slots whose address is used in any way but by a direct
 * access at a constant offset are not tracked at all (Recorder.indirect).
 */

import { type Instruction, TABLE } from '../../isa/index.ts';
import { MARK_LEADER, MARK_LOOP_HEAD, next, target } from '../cfg.ts';
import * as domain from '../domain/index.ts';
import type { Subject } from '../subject.ts';
import { type Cells, forgetCallerSaved, joinCells, makeCells } from './cells.ts';
import type { Recorder } from './recorder.ts';

/** Joins at a loop head before widening begins. */
const JOINS_BEFORE_WIDENING = 2;
/** Block visits per instruction before the analysis gives up and says nothing. */
const VISITS_PER_INSTRUCTION = 64;
const LEAST_VISITS = 4096;

/** Called with the cells before each reached instruction. */
export type Observer = (pc: number, cells: Cells) => void;

export class ValueAnalysis {
  readonly #subject: Subject;
  readonly #recorder: Recorder;
  /** Entry state of each block that an edge reached. */
  readonly #entry = new Map<number, Cells>();
  readonly #joins = new Map<number, number>();
  /** What each function returns, and the call sites that wait for it. */
  readonly #results = new Map<number, Cells>();
  readonly #callers = new Map<number, Set<number>>();
  readonly #queue: number[] = [];
  readonly #queued = new Set<number>();
  readonly #thresholds: domain.Thresholds;
  #complete = true;

  constructor(subject: Subject, recorder: Recorder) {
    this.#subject = subject;
    this.#recorder = recorder;
    this.#thresholds = domain.makeThresholds(comparedConstants(subject));
  }

  /** Runs to the fixpoint; false when it gave up. */
  run(): boolean {
    const { cfg, instructions } = this.#subject;
    for (const span of cfg.functions) {
      // Callbacks and global functions are entered with anything.
      if (span.index === 0 || span.isCallback || span.isGlobal) {
        this.#arrive(span.start, makeCells());
      }
    }
    let budget = Math.max(LEAST_VISITS, instructions.length * VISITS_PER_INSTRUCTION);
    for (let leader = this.#next(); leader !== undefined; leader = this.#next()) {
      if (budget-- === 0) {
        this.#complete = false;
        break;
      }
      this.#runBlock(leader, this.#entry.get(leader)!.copy(), undefined);
    }
    return this.#complete;
  }

  /** Shows every reached instruction with its cells. Call after `run` returned true. */
  observe(observer: Observer): void {
    for (const [leader, cells] of this.#entry) this.#runBlock(leader, cells.copy(), observer);
  }

  #next(): number | undefined {
    const leader = this.#queue.pop();
    if (leader !== undefined) this.#queued.delete(leader);
    return leader;
  }

  #enqueue(leader: number): void {
    if (this.#queued.has(leader)) return;
    this.#queued.add(leader);
    this.#queue.push(leader);
  }

  /** An edge brings `cells` to the block at `leader`. */
  #arrive(leader: number, cells: Cells): void {
    const known = this.#entry.get(leader);
    if (known === undefined) {
      this.#entry.set(leader, cells.copy());
      this.#enqueue(leader);
      return;
    }
    const joins = (this.#joins.get(leader) ?? 0) + 1;
    const isHead = (this.#subject.cfg.marks[leader]! & MARK_LOOP_HEAD) !== 0;
    const widens = isHead && joins > JOINS_BEFORE_WIDENING;
    if (!joinCells(known, cells, widens ? this.#thresholds : undefined)) return;
    this.#joins.set(leader, joins);
    this.#enqueue(leader);
  }

  #runBlock(leader: number, cells: Cells, observer: Observer | undefined): void {
    const { rows, cfg, instructions } = this.#subject;
    let pc = leader;
    for (;;) {
      if (!this.#recorder.reached(pc)) return;
      observer?.(pc, cells);
      const row = rows[pc]!;
      const insn = instructions[pc]!;
      if (row.kind === 'jump' || row.kind === 'may_goto') {
        if (observer === undefined) this.#branch(pc, insn, cells);
        return;
      }
      if (row.kind === 'goto') {
        if (observer === undefined) this.#arrive(target(pc, insn, row), cells);
        return;
      }
      if (row.kind === 'exit') {
        if (observer === undefined) this.#leave(pc, cells);
        return;
      }
      if (!this.#step(pc, leader, insn, cells, observer)) return;
      pc = next(pc, row);
      if ((cfg.marks[pc]! & MARK_LEADER) === 0) continue;
      if (observer === undefined) this.#arrive(pc, cells);
      return;
    }
  }

  /** Both ways of a jump, narrowed by its condition. */
  #branch(pc: number, insn: Instruction, cells: Cells): void {
    const row = this.#subject.rows[pc]!;
    const taken = target(pc, insn, row);
    // To the walk, a jump to the next slot always falls through: neither way may be ruled out.
    if (taken === pc + 1) {
      this.#arrive(taken, cells);
      return;
    }
    for (const way of ['taken', 'falls'] as const) {
      const may = way === 'taken' ? this.#recorder.mayJump(pc) : this.#recorder.mayFallThrough(pc);
      if (!may) continue;
      const copy = cells.copy();
      if (row.kind === 'jump' && !assumeWay(copy, insn, row.index, way)) continue;
      // The slot after a jump begins a block here, whether or not it is a leader of the graph.
      this.#arrive(way === 'taken' ? taken : pc + 1, copy);
    }
  }

  /** Effects of a straight instruction; false when control does not go on (yet). */
  #step(
    pc: number,
    leader: number,
    insn: Instruction,
    cells: Cells,
    observer: Observer | undefined,
  ): boolean {
    const row = this.#subject.rows[pc]!;
    switch (row.kind) {
      case 'alu':
        stepAlu(cells, insn, row.index);
        return true;
      case 'load':
        this.#load(pc, insn, cells);
        return true;
      case 'store':
        this.#store(pc, insn, cells);
        return true;
      case 'atomic':
        this.#atomic(pc, insn, cells);
        return true;
      case 'constant':
        if (row.operation === 'value') {
          domain.setConstant(cells.words, cells.register(insn.dst), insn.imm, insn.immHigh);
        } else cells.forget(insn.dst);
        return true;
      case 'cast':
        cells.forget(insn.dst);
        return true;
      case 'packet':
        if (observer === undefined) this.#leaveEarly(pc, 'zero');
        forgetCallerSaved(cells);
        domain.setBytes(cells.words, cells.register(0), row.sizeBytes);
        return true;
      case 'call':
        return this.#call(pc, leader, insn, cells, observer);
      default:
        return true;
    }
  }

  #load(pc: number, insn: Instruction, cells: Cells): void {
    const row = this.#subject.rows[pc]!;
    const access = this.#recorder.accessAt(pc);
    const dst = cells.register(insn.dst);
    const { words } = cells;
    const size = row.sizeBytes;
    const { layout } = this.#subject;
    // A 4-byte context field may stand for a 64-bit pointer.
    const mayBePointer = access?.region === 'context' && layout !== undefined;
    const isPlain = !mayBePointer || layout?.fields[access?.field ?? -1]?.kind === 'scalar';
    const offset = access?.region === 'stack' && access.frame === 0 ? access.offset : undefined;
    const slot = offset === undefined ? -1 : cells.slotAt(offset, size);
    if (access === undefined || !isPlain) cells.forget(insn.dst);
    else if (slot >= 0) {
      domain.copy(words, cells.slot(slot), words, dst);
      if (size < 8) domain.shrinkToBytes(words, dst, size);
    } else domain.setBytes(words, dst, size);
    if (row.signed) domain.signExtendBytes(words, dst, size);
  }

  #store(pc: number, insn: Instruction, cells: Cells): void {
    const row = this.#subject.rows[pc]!;
    const access = this.#recorder.accessAt(pc);
    if (access === undefined || access.region !== 'stack') {
      if (access?.region === 'mixed' || access === undefined) cells.forgetSlots();
      return;
    }
    if (access.frame !== 0 || access.offset === undefined) return;
    if (this.#isIndirect(pc, access.offset)) return;
    if (row.source === 'reg') {
      cells.store(access.offset, row.sizeBytes, cells.register(insn.src));
      return;
    }
    domain.setConstant(cells.words, cells.scratch, insn.imm, insn.imm >> 31);
    cells.store(access.offset, row.sizeBytes, cells.scratch);
  }

  /** Whether the slot of the byte at `offset` is used by address too: such slots are not described. */
  #isIndirect(pc: number, offset: number): boolean {
    const range = this.#recorder.indirectRange(this.#subject.cfg.functionOf[pc]!);
    return range !== undefined && (offset | 7) >= range.low && (offset & ~7) < range.high;
  }

  #atomic(pc: number, insn: Instruction, cells: Cells): void {
    const row = this.#subject.rows[pc]!;
    if (row.operation === 'load_acquire') {
      this.#load(pc, insn, cells);
      return;
    }
    if (row.operation === 'store_release') {
      this.#store(pc, insn, cells);
      return;
    }
    const access = this.#recorder.accessAt(pc);
    if (access?.offset !== undefined && access.region === 'stack') {
      cells.smear(access.offset, row.sizeBytes);
    } else cells.forgetSlots();
    const result = row.operation === 'cmpxchg' ? 0 : row.src === 'update' ? insn.src : -1;
    if (result >= 0) domain.setBytes(cells.words, cells.register(result), row.sizeBytes);
  }

  #call(
    pc: number,
    leader: number,
    insn: Instruction,
    cells: Cells,
    observer: Observer | undefined,
  ): boolean {
    const row = this.#subject.rows[pc]!;
    if (row.operation !== 'subprogram') {
      const range = this.#subject.helperAt.get(pc)?.returns;
      if (range?.kind === 'never' && observer === undefined) this.#leaveEarly(pc, 'anything');
      forgetCallerSaved(cells);
      if (range?.kind === 'scalar' && range.range !== undefined) {
        setRange(cells, range.range.min, range.range.max);
      }
      return true;
    }
    const entry = target(pc, insn, row);
    if (observer === undefined) {
      let callers = this.#callers.get(entry);
      if (callers === undefined) this.#callers.set(entry, (callers = new Set()));
      callers.add(leader);
      this.#arrive(entry, cells.argumentsOnly());
    }
    const result = this.#results.get(entry);
    if (result === undefined) return false;
    forgetCallerSaved(cells);
    domain.copy(result.words, result.register(0), cells.words, cells.register(0));
    return true;
  }

  /** The instruction may end its function, as forkReturn (transfer/call.ts) says. */
  #leaveEarly(pc: number, result: 'zero' | 'anything'): void {
    const cells = makeCells();
    if (result === 'zero') domain.setConstant(cells.words, cells.register(0), 0, 0);
    this.#leave(pc, cells);
  }

  /** A function returns: its callers go on with what r0 may be. */
  #leave(pc: number, cells: Cells): void {
    const { cfg } = this.#subject;
    const { start } = cfg.functions[cfg.functionOf[pc]!]!;
    const known = this.#results.get(start);
    if (known === undefined) this.#results.set(start, cells.copy());
    else if (!joinCells(known, cells, this.#thresholds)) return;
    for (const leader of this.#callers.get(start) ?? []) this.#enqueue(leader);
  }
}

function stepAlu(cells: Cells, insn: Instruction, op: number): void {
  const row = TABLE[op]!;
  const { words } = cells;
  let operand = cells.scratch;
  if (row.source === 'imm') domain.setConstant(words, operand, insn.imm, insn.imm >> 31);
  else if (row.source === 'reg') operand = cells.readable(insn.src);
  const dst = cells.register(insn.dst);
  domain.transferOfRow(row)(words, dst, dst, operand);
}

/** Assumes that the jump goes this way; false when that is impossible. */
function assumeWay(cells: Cells, insn: Instruction, op: number, way: 'taken' | 'falls'): boolean {
  const row = TABLE[op]!;
  const { words } = cells;
  let b = cells.scratch;
  if (row.source === 'imm') domain.setConstant(words, b, insn.imm, insn.imm >> 31);
  else b = cells.readable(insn.src);
  const condition = domain.conditionOf(row);
  const holds = way === 'taken' ? condition : domain.negate(condition);
  return domain.assume(holds, row.width as 32 | 64, words, cells.readable(insn.dst), b);
}

function setRange(cells: Cells, min: number, max: number): void {
  const high = (x: number) => Math.floor(x / 2 ** 32);
  const r0 = cells.register(0);
  domain.setSignedRange(cells.words, r0, min | 0, high(min), max | 0, high(max));
}

/** Immediates of comparisons, and their neighbours: where loops are likely to settle. */
function comparedConstants(subject: Subject): number[] {
  const values = new Set<number>();
  subject.rows.forEach((row, pc) => {
    if (row.kind !== 'jump' || row.source !== 'imm') return;
    const { imm } = subject.instructions[pc]!;
    for (const value of [imm - 1, imm, imm + 1]) values.add(value);
  });
  return [...values];
}
