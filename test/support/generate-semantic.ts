/**
 * Programs that mean something: built around the checks, loops, calls, maps, packets and spills that
 * real ones have, so that many are accepted, with a mistake now and then, so that the border of what
 * is accepted is tested from both sides. Assembly text, for people and for the minimiser.
 */

import {
  CONTEXT_SLOT,
  DATA_BYTES,
  DATA_LOW,
  INPUT_BYTES,
  MAPS,
  type PacketFields,
  writeAtomic,
  writeContext,
  writeInputAccess,
  writeMapAccess,
  writePacket,
  writeStackAccess,
  writeStackIndex,
} from './generate-memory.ts';
import { condition, writeArithmetic, writeBound, writeMove } from './generate-numbers.ts';
import { place, Writer } from './generate-writer.ts';

/** What the generator knows of a program type. */
interface Kind {
  readonly name: string;
  readonly packet: PacketFields | undefined;
  /** Readable scalar fields of the context: offset of a 4-byte word. */
  readonly fields: readonly number[];
  readonly writable: readonly number[];
  readonly legacyLoads: boolean;
  /** Whether it may call bpf_csum_diff, and bpf_skb_load_bytes. */
  readonly checksums: boolean;
  readonly loadsBytes: boolean;
  /** Helpers that move the packet, as code with the context in r1. */
  readonly moves: readonly (readonly string[])[];
  readonly flags?: readonly string[];
}

/** Offsets: uapi linux/bpf.h. */
const KINDS: readonly Kind[] = [
  {
    name: 'xdp',
    packet: { data: 0, end: 4 },
    fields: [12, 16],
    writable: [],
    legacyLoads: false,
    checksums: true,
    loadsBytes: false,
    moves: [
      ['r2 = 4', 'call 44'],
      ['r2 = -4', 'call 65'],
    ],
  },
  {
    name: 'sched_cls',
    packet: { data: 76, end: 80 },
    fields: [0, 4, 8, 16, 32, 40, 48, 64],
    writable: [8, 48, 52, 56, 60, 64],
    legacyLoads: true,
    checksums: true,
    loadsBytes: true,
    moves: [['r2 = 0', 'call 39']],
  },
  {
    name: 'socket_filter',
    packet: undefined,
    fields: [0, 4, 8, 16],
    writable: [48, 52, 56, 60, 64],
    legacyLoads: true,
    checksums: false,
    loadsBytes: true,
    moves: [],
  },
];

const NO_PACKET = {
  packet: undefined,
  legacyLoads: false,
  checksums: false,
  loadsBytes: false,
  moves: [],
} as const;

/** Types without a packet: generated when they are asked for. */
const OTHER_KINDS: readonly Kind[] = [
  { ...NO_PACKET, name: 'raw_tracepoint', fields: [0, 4, 8, 20, 32], writable: [] },
  {
    ...NO_PACKET,
    name: 'syscall',
    fields: [0, 4, 8, 20, 32],
    writable: [0, 12, 16, 36],
    flags: ['sleepable'],
  },
];

/** Every type there are programs of. */
export const GENERATED_TYPES: readonly string[] = [...KINDS, ...OTHER_KINDS].map(
  ({ name }) => name,
);

const DEEPEST = 3;
const SAVED = ['r7', 'r8', 'r9'];

type Statement = (g: SemanticGenerator, depth: number) => void;

/** What a statement may be, and how often. */
const STATEMENTS: readonly (readonly [weight: number, write: Statement])[] = [
  [6, (g) => writeArithmetic(g.writer, g.registers)],
  [4, (g) => writeMove(g.writer, g.registers)],
  [5, (g, depth) => g.branch(depth)],
  [2, (g, depth) => g.choice(depth)],
  [2, (g) => writeStackAccess(g.writer, g.registers)],
  [3, (g) => writeStackIndex(g.writer, g.registers)],
  [1, (g) => writeAtomic(g.writer, g.registers, 'r10', DATA_BYTES)],
  [4, (g) => g.packet()],
  [3, (g) => writeMapAccess(g.writer, g.registers)],
  [2, (g) => writeInputAccess(g.writer, g.registers)],
  [2, (g, depth) => g.loop(depth)],
  [2, (g, depth) => g.call(depth)],
  [1, (g, depth) => g.callBack(depth)],
  [1, (g, depth) => g.budgetedLoop(depth)],
  [1, (g) => g.tailCall()],
  [1, (g) => g.contextField()],
  [1, (g) => g.helper()],
];
const TOTAL = STATEMENTS.reduce((sum, [weight]) => sum + weight, 0);

/** Local functions to be written behind the program: what their first argument is. */
interface Callee {
  readonly label: string;
  readonly argument: 'number' | 'stack' | 'value' | 'context' | 'index' | 'element';
}

const CALLED = ['number', 'stack', 'value', 'context'] as const;
const MOST_CALLEES = 5;

export class SemanticGenerator {
  readonly writer: Writer;
  readonly kind: Kind;
  registers: readonly string[] = SAVED;
  /** In the program itself, where r6 is the context. */
  #hasContext = true;
  readonly #callees: Callee[] = [];
  #functions = 0;

  constructor(seed: number, type?: string) {
    this.writer = new Writer(seed);
    const any = this.writer.pick(KINDS);
    this.kind = [...KINDS, ...OTHER_KINDS].find(({ name }) => name === type) ?? any;
  }

  program(): string {
    const w = this.writer;
    w.emit(`.type ${this.kind.name}`, ...(this.kind.flags ?? []).map((flag) => `.flag ${flag}`));
    w.emit(...MAPS);
    this.#open();
    this.#statements(0, 3 + w.below(9));
    for (const register of SAVED.slice(1)) w.emit('r7 *= 31', `r7 ^= ${register}`);
    w.emit('r0 = r7', 'exit');
    for (let next = this.#callees.shift(); next; next = this.#callees.shift()) this.#function(next);
    return w.text();
  }

  #open(): void {
    const w = this.writer;
    w.emit('r6 = r1', `*(u64 *)(r10 - ${-CONTEXT_SLOT}) = r6`, 'r1 = map[input][0] + 0 ll');
    for (const [i, register] of SAVED.entries()) {
      const size = w.pick([1, 4, 8]);
      w.emit(`${register} = ${place(size, 'r1', (8 * (i + 1)) % INPUT_BYTES)}`);
    }
    this.#fillData();
  }

  /** The data area starts with numbers, now and then with a hole. */
  #fillData(): void {
    const w = this.writer;
    for (let at = DATA_LOW; at < DATA_LOW + DATA_BYTES; at += 8) {
      if (w.chance(60)) continue;
      w.emit(`*(u64 *)(r10 - ${-at}) = ${w.chance(3) ? w.pick(this.registers) : w.immediate()}`);
    }
  }

  #statements(depth: number, count: number): void {
    for (let i = 0; i < count; i++) {
      let left = this.writer.below(TOTAL);
      const row = STATEMENTS.find(([weight]) => (left -= weight) < 0)!;
      row[1](this, depth);
    }
  }

  branch(depth: number): void {
    if (depth >= DEEPEST) return;
    const w = this.writer;
    const label = w.label();
    w.emit(`if ${condition(w, this.registers)} goto ${label}`);
    this.#statements(depth + 1, 1 + w.below(3));
    w.emit(`${label}:`);
  }

  choice(depth: number): void {
    if (depth >= DEEPEST) return;
    const w = this.writer;
    const other = w.label();
    const end = w.label();
    w.emit(`if ${condition(w, this.registers)} goto ${other}`);
    this.#statements(depth + 1, 1 + w.below(2));
    w.emit(`goto ${end}`, `${other}:`);
    this.#statements(depth + 1, 1 + w.below(2));
    w.emit(`${end}:`);
  }

  /** A counter that the body leaves alone, in a register or on the stack. */
  loop(depth: number): void {
    if (depth > 1 || this.registers.length < 2) return;
    const w = this.writer;
    const all = this.registers;
    const head = w.label();
    const end = w.label();
    const counter = w.pick(all);
    this.registers = all.filter((register) => register !== counter);
    const bound = w.pick(['4', '7', '12', '33', ...(w.chance(2) ? this.registers : [])]);
    if (bound.startsWith('r')) w.emit(`${bound} &= 15`);
    const down = w.chance(4) && !bound.startsWith('r');
    w.emit(`${counter} = ${down ? bound : 0}`, `${head}:`);
    if (bound.startsWith('r')) this.registers = this.registers.filter((r) => r !== bound);
    if (this.registers.length > 0)
      this.#statements(w.chance(3) ? DEEPEST - 1 : DEEPEST, 1 + w.below(3));
    if (w.chance(3)) w.emit(`if ${condition(w, [counter, ...this.registers])} goto ${end}`);
    if (down) w.emit(`${counter} += -1`, `if ${counter} != 0 goto ${head}`);
    else w.emit(`${counter} += 1`, `if ${counter} < ${bound} goto ${head}`);
    w.emit(`${end}:`);
    this.registers = all;
  }

  packet(): void {
    const { packet, legacyLoads, moves } = this.kind;
    const w = this.writer;
    if (!this.#hasContext) return;
    if (legacyLoads && (packet === undefined || w.chance(6))) this.#legacyLoad();
    else if (packet !== undefined) writePacket(w, this.registers, packet);
    if (moves.length > 0 && w.chance(10)) {
      writeContext(w, 'r1');
      w.emit(...w.pick(moves), `${w.pick(this.registers)} ^= r0`);
    }
  }

  #legacyLoad(): void {
    const w = this.writer;
    const register = w.pick(this.registers);
    const size = w.pick([8, 16, 32]);
    if (w.chance(2)) w.emit(`r0 = *(u${size} *)skb[${w.below(40)}]`);
    else {
      w.emit(`${register} &= 63`, `r0 = *(u${size} *)skb[${register} + ${w.below(9)}]`);
    }
    w.emit(`${register} ${w.pick(['=', '^=', '+='])} r0`);
  }

  contextField(): void {
    if (!this.#hasContext) return;
    const w = this.writer;
    const { fields, writable } = this.kind;
    const register = w.pick(this.registers);
    if (writable.length > 0 && w.chance(3)) {
      w.emit(`*(u32 *)(r6 + ${w.pick(writable)}) = ${register}`);
    } else w.emit(`${register} = *(u32 *)(r6 + ${w.pick(fields)})`);
  }

  /** Helpers that compute on memory, with sizes of every kind. */
  helper(): void {
    const w = this.writer;
    const out = w.label();
    const size = w.pick(this.registers);
    switch (w.below(4)) {
      case 0: // bpf_csum_diff(from, from_size, to, to_size, seed)
        w.emit('r1 = r10', `r1 += ${DATA_LOW}`, `r2 = ${w.pick([0, 4, 8, 16, 64, 68])}`);
        w.emit('r3 = r10', `r3 += ${DATA_LOW + 8}`, `r4 = ${w.pick([4, 8, 24])}`, 'r5 = 0');
        if (this.kind.checksums) w.emit('call 28', `${size} += r0`);
        break;
      case 1: // bpf_skb_load_bytes(skb, offset, to, len)
        if (!this.kind.loadsBytes || !this.#hasContext) break;
        writeBound(w, { index: size, scratch: 'r1', most: DATA_BYTES, out }, 10);
        if (!w.chance(5)) w.emit(`if ${size} == 0 goto ${out}`);
        w.emit('r1 = r6', `r2 = ${w.below(20)}`, 'r3 = r10', `r3 += ${DATA_LOW}`, `r4 = ${size}`);
        w.emit('call 26', `${size} = r0`);
        break;
      case 2: // bpf_map_update_elem(table, key, value, flags)
        w.emit(`*(u64 *)(r10 - 16) = ${w.chance(2) ? size : w.below(4)}`, 'r2 = r10', 'r2 += -16');
        w.emit('r3 = r10', `r3 += ${w.pick([DATA_LOW, DATA_LOW + 8, DATA_LOW + 40])}`);
        w.emit('r1 = map[table] ll', `r4 = ${w.pick([0, 0, 1, 2])}`, 'call 2', `${size} = r0`);
        break;
      default: // bpf_map_delete_elem(table, key)
        w.emit(`*(u64 *)(r10 - 16) = ${w.below(4)}`, 'r2 = r10', 'r2 += -16');
        w.emit('r1 = map[table] ll', 'call 3', `${size} = r0`);
    }
    w.emit(`${out}:`);
  }

  #callee(argument: Callee['argument']): Callee | undefined {
    if (this.#functions >= MOST_CALLEES) return undefined;
    const callee = { label: `function_${this.#functions++}`, argument };
    this.#callees.push(callee);
    return callee;
  }

  call(depth: number): void {
    const w = this.writer;
    if (!this.#hasContext || depth > 2) return;
    const again = this.#callees.filter(
      ({ argument }) => argument !== 'index' && argument !== 'element',
    );
    const callee = again.length > 0 && w.chance(3) ? w.pick(again) : this.#callee(w.pick(CALLED));
    if (callee === undefined) return;
    const numbers = this.registers;
    if (callee.argument === 'stack') w.emit('r1 = r10', `r1 += ${DATA_LOW}`);
    else if (callee.argument === 'value') w.emit('r1 = map[input][0] + 8 ll');
    else if (callee.argument === 'context') writeContext(w, 'r1');
    else w.emit(`r1 = ${w.pick(numbers)}`);
    w.emit(`r2 = ${w.pick(numbers)}`, `call ${callee.label}`);
    w.emit(`${w.pick(numbers)} ${w.pick(['=', '^=', '&='])} r0`);
  }

  /** bpf_loop(passes, body, data, 0) or bpf_for_each_map_elem(map, body, data, 0). */
  callBack(depth: number): void {
    const w = this.writer;
    if (depth > 1) return;
    const callee = this.#callee(w.pick(['index', 'element']));
    if (callee === undefined) return;
    const number = w.pick(this.registers);
    if (callee.argument === 'index') {
      if (w.chance(3)) w.emit(`${number} &= 15`, `r1 = ${number}`);
      else w.emit(`r1 = ${w.below(20)}`);
    } else w.emit(`r1 = map[${w.pick(['values', 'table'])}] ll`);
    w.emit(`r2 = func[${callee.label}]`, 'r3 = r10', `r3 += ${DATA_LOW}`, 'r4 = 0');
    w.emit(`call ${callee.argument === 'index' ? 181 : 164}`, `${number} = r0`);
  }

  /** A loop that may_goto bounds, and mostly a counter before. */
  budgetedLoop(depth: number): void {
    if (depth > 1 || this.registers.length < 2) return;
    const w = this.writer;
    const all = this.registers;
    const head = w.label();
    const end = w.label();
    const counter = w.pick(all);
    this.registers = all.filter((register) => register !== counter);
    w.emit(`${head}:`, `may_goto ${end}`, `if ${counter} > ${w.pick([3, 20, 60])} goto ${end}`);
    this.#statements(w.chance(3) ? DEEPEST - 1 : DEEPEST, 1 + w.below(2));
    w.emit(`${counter} += 1`, `goto ${head}`, `${end}:`);
    this.registers = all;
  }

  /** Into an empty array: control comes back. */
  tailCall(): void {
    const w = this.writer;
    if (!this.#hasContext || !w.chance(2)) return;
    writeContext(w, 'r1');
    w.emit('r2 = map[programs] ll', `r3 = ${w.below(3)}`, 'call 12');
  }

  /** r6 a pointer where there is one, r7 and r8 numbers: what each kind of function is given. */
  #openFunction(argument: Callee['argument']): void {
    const w = this.writer;
    if (argument === 'index') w.emit('r6 = r2', 'r7 = r1', `r8 = ${w.immediate()}`);
    else if (argument === 'element')
      w.emit('r6 = r3', 'r7 = *(u32 *)(r2 + 0)', 'r8 = *(u64 *)(r4 + 8)');
    else if (argument === 'number') w.emit('r7 = r2', 'r8 = r1');
    else w.emit('r7 = r2', `r8 = ${w.immediate()}`, 'r6 = r1');
    if (argument === 'context') w.emit(`*(u64 *)(r10 - ${-CONTEXT_SLOT}) = r6`);
  }

  /** Writes through its first argument, returns a number; callbacks return 0 or 1. */
  #function({ label, argument }: Callee): void {
    const w = this.writer;
    w.emit(`${label}:`);
    this.#openFunction(argument);
    w.emit(`r9 = ${w.immediate()}`);
    this.#hasContext = argument === 'context';
    this.registers = SAVED;
    this.#fillData();
    this.#statements(1, 1 + w.below(4));
    if (argument !== 'number' && argument !== 'context') this.#useArgument();
    if (argument === 'index' || argument === 'element') w.emit('r7 &= 1');
    else if (w.chance(3)) w.emit('r7 &= 31');
    w.emit('r0 = r7', 'exit');
  }

  #useArgument(): void {
    const w = this.writer;
    const out = w.label();
    const size = w.pick([1, 4, 8]);
    writeBound(w, { index: 'r7', scratch: 'r1', most: 24 / size - 1, out }, 16);
    if (size > 1) w.emit(`r7 *= ${size}`);
    w.emit('r6 += r7');
    w.emit(w.chance(2) ? `${place(size, 'r6', 0)} = r8` : `r8 = ${place(size, 'r6', 0)}`);
    w.emit(`${out}:`);
  }
}

/** The program of a seed, of a type of its choice or of this one. */
export const semanticProgram = (seed: number, type?: string): string =>
  new SemanticGenerator(seed, type).program();
