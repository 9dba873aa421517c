/**
 * The shape of a program: its functions, which instruction may follow which, where paths meet.
 *
 * A program is one array of slots. Its functions are the entry, the targets of local calls, and the
 * functions whose address is taken (callbacks); each ends where the next begins. Control may not
 * leave a function except by `exit`, may not enter the second slot of a constant, and every slot
 * must be reachable over these edges: Linux refuses dead code that no path could reach, and so do
 * we, so that nobody wonders whether it was verified.
 */

import { type Instruction, type Program, type Row, TABLE } from '../isa/index.ts';
import type { Failure } from './diagnose/failure.ts';

export interface FunctionSpan {
  readonly index: number;
  readonly start: number;
  /** One past the last slot. */
  readonly end: number;
  readonly name: string;
  readonly isGlobal: boolean;
  /** Its address is taken by a `constant_function`. */
  readonly isCallback: boolean;
  readonly typeId: number | undefined;
}

/** Bits of Cfg.marks. */
export const MARK_REACHED = 1;
/** Target of a jump, or start of a function. */
export const MARK_LEADER = 2;
/** Target of a backward edge of a depth-first walk: every cycle contains one. */
export const MARK_LOOP_HEAD = 4;
/** Exploration compares and keeps states here. */
export const MARK_PRUNE = 8;
/**
 * The head of a loop whose passes something else bounds (may_goto's budget, a helper that calls
 * back): exploration seeks a state that covers all passes instead of walking each.
 */
export const MARK_CONVERGE = 16;

export interface Cfg {
  readonly functions: readonly FunctionSpan[];
  /** Slot → index into `functions`. */
  readonly functionOf: Int32Array;
  readonly marks: Uint8Array;
}

export interface CfgResult {
  readonly cfg: Cfg;
  readonly failures: readonly Failure[];
}

/** The slot after `pc`: constants take two. */
export const next = (pc: number, row: Row): number => (row.kind === 'constant' ? pc + 2 : pc + 1);

/** Target of the jump, call or function constant at `pc`. */
export function target(pc: number, insn: Instruction, row: Row): number {
  return row.kind === 'call' || row.kind === 'constant' ? pc + insn.imm + 1 : pc + insn.off + 1;
}

/** Whether the instruction names a function of this program. */
export const namesFunction = (row: Row): boolean =>
  (row.kind === 'call' && row.operation === 'subprogram') ||
  (row.kind === 'constant' && row.operation === 'function');

/** `alsoEntered`: slots of functions that no instruction names. */
export function buildCfg(
  program: Program,
  instructions: readonly Instruction[],
  alsoEntered: readonly number[] = [],
): CfgResult {
  const failures: Failure[] = [];
  const functions = findFunctions(program, instructions, alsoEntered, failures);
  const functionOf = new Int32Array(instructions.length);
  for (const span of functions) functionOf.fill(span.index, span.start, span.end);
  const marks = new Uint8Array(instructions.length);
  const cfg: Cfg = { functions, functionOf, marks };
  if (failures.length > 0) return { cfg, failures };
  checkEdges(cfg, instructions, failures);
  checkEarlyReturns(cfg, instructions, failures);
  if (failures.length > 0) return { cfg, failures };
  for (const span of functions) marks[span.start]! |= MARK_LEADER | MARK_PRUNE;
  walkFunctions(cfg, instructions, [0, ...alsoEntered]);
  reportUnreachable(cfg, instructions, failures);
  return { cfg, failures };
}

function findFunctions(
  program: Program,
  instructions: readonly Instruction[],
  alsoEntered: readonly number[],
  failures: Failure[],
): FunctionSpan[] {
  const starts = new Set<number>([0, ...alsoEntered]);
  const callbacks = new Set<number>();
  for (let pc = 0; pc < instructions.length; pc++) {
    const insn = instructions[pc]!;
    const row = TABLE[insn.op]!;
    if (!namesFunction(row)) continue;
    const entry = target(pc, insn, row);
    if (!isInstruction(instructions, entry)) {
      failures.push({ code: 'call-out-of-range', pc, values: { target: entry } });
      continue;
    }
    starts.add(entry);
    if (row.kind === 'constant') callbacks.add(entry);
  }
  const info = new Map(program.functions.map((entry) => [entry.instruction, entry]));
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((start, index) => {
    const known = info.get(start);
    return {
      index,
      start,
      end: sorted[index + 1] ?? instructions.length,
      name: known?.name ?? (start === 0 ? program.name : `function_${start}`),
      isGlobal: start !== 0 && known?.linkage === 'global',
      isCallback: callbacks.has(start),
      typeId: known?.typeId,
    };
  });
}

function isInstruction(instructions: readonly Instruction[], pc: number): boolean {
  const insn = instructions[pc];
  return insn !== undefined && TABLE[insn.op]!.kind !== 'continuation';
}

/** Number of bpf_tail_call (uapi linux/bpf.h). */
const TAIL_CALL = 12;

/**
 * Legacy packet loads and tail calls may end a function in its middle, with a result of their own.
 * Linux has them in local functions only where BTF describes the function.
 */
function checkEarlyReturns(
  cfg: Cfg,
  instructions: readonly Instruction[],
  failures: Failure[],
): void {
  instructions.forEach((insn, pc) => {
    const row = TABLE[insn.op]!;
    const isTailCall = row.operation === 'helper' && insn.imm === TAIL_CALL;
    if (row.kind !== 'packet' && !isTailCall) return;
    const span = cfg.functions[cfg.functionOf[pc]!]!;
    if (span.index === 0 || span.typeId !== undefined) return;
    const what = isTailCall ? 'tail_call' : 'LD_ABS';
    failures.push({ code: 'early-return', pc, values: { function: span.name, what } });
  });
}

/** Every jump stays inside its function; no function falls off its end. */
function checkEdges(cfg: Cfg, instructions: readonly Instruction[], failures: Failure[]): void {
  for (const span of cfg.functions) {
    let last = span.start;
    for (let pc = span.start; pc < span.end; pc = next(pc, TABLE[instructions[pc]!.op]!)) {
      last = pc;
      const insn = instructions[pc]!;
      const row = TABLE[insn.op]!;
      if (row.kind !== 'jump' && row.kind !== 'goto' && row.kind !== 'may_goto') continue;
      const to = target(pc, insn, row);
      if (to < span.start || to >= span.end) {
        failures.push({ code: 'jump-out-of-range', pc, values: { target: to } });
      } else if (!isInstruction(instructions, to)) {
        failures.push({ code: 'jump-into-constant', pc, values: { target: to } });
      }
    }
    const kind = TABLE[instructions[last]!.op]!.kind;
    if (kind !== 'exit' && kind !== 'goto') {
      failures.push({ code: 'no-exit', pc: last, values: { function: span.name } });
    }
  }
}

/** Marks what is reachable from each reachable function's start, leaders, loop heads. */
function walkFunctions(
  cfg: Cfg,
  instructions: readonly Instruction[],
  entries: readonly number[],
): void {
  const byStart = new Map(cfg.functions.map((span) => [span.start, span]));
  const walked = new Set<number>();
  // Functions share no slots.
  const progress = new Uint8Array(instructions.length);
  const queue = [...entries];
  for (let start = queue.pop(); start !== undefined; start = queue.pop()) {
    if (walked.has(start) || !byStart.has(start)) continue;
    walked.add(start);
    queue.push(...walkFunction(start, cfg.marks, instructions, progress));
  }
}

const NOT_MET = 0;
const ON_PATH = 1;
const DONE = 2;

/** Depth-first from `start`; returns the functions that it names. */
function walkFunction(
  start: number,
  marks: Uint8Array,
  instructions: readonly Instruction[],
  progress: Uint8Array,
) {
  const named: number[] = [];
  const stack = [start];
  while (stack.length > 0) {
    const pc = stack[stack.length - 1]!;
    if (progress[pc] !== NOT_MET) {
      progress[pc] = DONE;
      stack.pop();
      continue;
    }
    progress[pc] = ON_PATH;
    marks[pc]! |= MARK_REACHED;
    const insn = instructions[pc]!;
    const row = TABLE[insn.op]!;
    if (namesFunction(row)) named.push(target(pc, insn, row));
    const isJump = row.kind === 'jump' || row.kind === 'goto' || row.kind === 'may_goto';
    // States that differed at a merge point often agree again by the next decision.
    if (isJump && row.kind !== 'goto') marks[pc]! |= MARK_PRUNE;
    if (row.kind === 'may_goto') marks[pc]! |= MARK_CONVERGE;
    if (row.kind === 'call') marks[next(pc, row)]! |= MARK_PRUNE;
    for (const to of successors(pc, insn, row)) {
      if (isJump && to === target(pc, insn, row)) marks[to]! |= MARK_LEADER | MARK_PRUNE;
      if (progress[to] === ON_PATH) marks[to]! |= MARK_LOOP_HEAD | MARK_PRUNE;
      else if (progress[to] === NOT_MET) stack.push(to);
    }
  }
  return named;
}

/** Slots that may execute next in the same function. A call's successor is where it returns. */
export function successors(pc: number, insn: Instruction, row: Row): number[] {
  switch (row.kind) {
    case 'exit':
      return [];
    case 'goto':
      return [target(pc, insn, row)];
    case 'jump':
    case 'may_goto':
      return [pc + 1, target(pc, insn, row)];
    default:
      return [next(pc, row)];
  }
}

function reportUnreachable(
  cfg: Cfg,
  instructions: readonly Instruction[],
  failures: Failure[],
): void {
  for (let pc = 0; pc < instructions.length; pc = next(pc, TABLE[instructions[pc]!.op]!)) {
    if ((cfg.marks[pc]! & MARK_REACHED) !== 0) continue;
    failures.push({ code: 'unreachable-instruction', pc, values: {} });
    return;
  }
}
