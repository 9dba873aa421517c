/**
 * Metered code against the interpreter: the same count for every run, and for every limit the same
 * point at which the run stops, seen by what it has written until then.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packet as build } from '../../hosts/index.ts';
import {
  AddressSpace,
  assemble,
  assembleProgram,
  decode,
  type Instruction,
  interpret,
} from '../../isa/index.ts';
import { compileFrom } from '../../jit/compile.ts';
import { compile } from '../../jit/index.ts';
import { type Extension, load, loadReference, setTarget } from '../../loader/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { verify } from '../../verifier/index.ts';
import { plainFacts, plainParts } from '../support/plain-facts.ts';
import { BUFFER_BYTES, Random, randomBuffer, randomProgram } from '../support/random-program.ts';

const BASE = 0x10000n;
const NAMES = new Map(HELPERS.map(({ id, name }) => [name, id]));
const PACKET = build.tcp({ src: '10.0.0.1:1234', dst: '10.0.0.2:80', payload: 'hello' });
const METERED = { check: 'on', metering: 'metered' } as const;

interface Stop {
  readonly outcome: string;
  readonly executed: number;
  readonly memory: string;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function interpreted(
  instructions: readonly Instruction[],
  input: Uint8Array,
  maxInstructions: number,
): Stop {
  const bytes = input.slice();
  const memory = new AddressSpace();
  memory.add({ name: 'buffer', base: BASE, bytes, access: 'read-write' });
  const registers = [BASE, BigInt(bytes.length)];
  const { kind, executed } = interpret(instructions, { memory }, { registers, maxInstructions });
  return { outcome: kind === 'exhausted' ? 'stopped' : kind, executed, memory: hex(bytes) };
}

function metered(extension: Extension, input: Uint8Array, maxInstructions: number): Stop {
  const memory = input.slice();
  const { outcome, executed } = extension.runMetered({ memory }, maxInstructions);
  return { outcome, executed, memory: hex(memory) };
}

/** Every limit up to the end, and beyond it. */
function limitsOf(executed: number, random: Random): number[] {
  const all = Array.from({ length: executed + 1 }, (_, i) => i + 1);
  if (executed < 150) return [...all, Number.POSITIVE_INFINITY];
  return [
    executed - 1,
    executed,
    executed + 1,
    2 ** 40,
    ...all.filter(() => random.below(8) === 0),
  ];
}

function compareStops(instructions: readonly Instruction[], random: Random, size = BUFFER_BYTES) {
  const parts = plainParts(instructions, size);
  using extension = load(compileFrom(parts, METERED), { lifetime: 'replaceable' });
  const input = randomBuffer(random).slice(0, size);
  const whole = interpreted(instructions, input, Number.POSITIVE_INFINITY);
  for (const limit of limitsOf(whole.executed, random)) {
    const expected = interpreted(instructions, input, limit);
    expect(metered(extension, input, limit), `limit ${limit}`).toEqual(expected);
  }
}

describe('a limit stops native code where it stops the interpreter', () => {
  it.each([1, 2, 3, 4])('random programs, seed %i', (seed) => {
    const random = new Random(seed);
    for (let i = 0; i < 12; i++) compareStops(randomProgram(random, 1 + random.below(40)), random);
  });

  it('in functions, recursion, constants of two slots and may_goto', () => {
    const { instructions } = assemble(`
      r7 = 0x123456789 ll
      r6 = r1
      r1 = 5
      call factorial
      *(u64 *)(r6 + 0) = r0
      r2 = 10
      again:
      *(u64 *)(r6 + 8) = r2
      r2 += -1
      may_goto out
      if r2 != 0 goto again
      out:
      *(u64 *)(r6 + 16) = r7
      exit
      factorial:
      r6 = r1
      r0 = 1
      if r1 s< 2 goto done
      r1 += -1
      call factorial
      r0 *= r6
      done:
      exit`);
    compareStops(instructions, new Random(1));
  });
});

const program = (text: string, name = 'main') =>
  assembleProgram(`.name ${name}\n.license GPL\n${text}`, `${name}.s`, NAMES);

function proofOf(text: string, name = 'main') {
  const verdict = verify(program(text, name));
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]!.message);
  return verdict.proof;
}

const loadMetered = (text: string, name = 'main'): Extension =>
  load(compile(proofOf(text, name), METERED), { lifetime: 'replaceable' });

interface Mapped {
  readonly type: string;
  entries(): Iterable<readonly [Uint8Array, Uint8Array]>;
}
const contents = (maps: Readonly<Record<string, Mapped>>): string[] =>
  Object.values(maps)
    .filter(({ type }) => type === 'array' || type === 'hash')
    .flatMap((map) => [...map.entries()].map((pair) => pair.map(hex).join('=')))
    .sort();

/** Both engines afresh for each limit, since maps keep what a run wrote. */
function compareEngines(text: string, limits: (executed: number) => readonly number[]): number {
  const proof = proofOf(text);
  const code = compile(proof, METERED);
  const interpret = { maxInstructions: 20_000 };
  const whole = loadReference([program(text)])[0]!.test({ packet: PACKET }, { interpret }).outcome;
  if (whole.kind === 'fault') throw new Error(whole.fault.reason);
  for (const limit of limits(whole.executed)) {
    using native = load(code, { lifetime: 'replaceable' });
    const reference = loadReference([program(text)])[0]!;
    const a = native.runMetered({ packet: PACKET }, limit);
    const b = reference.test({ packet: PACKET }, { interpret: { maxInstructions: limit } });
    const kind = b.outcome.kind === 'exhausted' ? 'stopped' : b.outcome.kind;
    expect([a.outcome, a.executed], `limit ${limit}`).toEqual([kind, b.outcome.executed]);
    if (kind === 'exit') expect(BigInt(a.r0)).toBe(b.r0 & 0xffffffffn);
    expect(contents(native.maps), `limit ${limit}`).toEqual(contents(reference.maps));
  }
  return whole.executed;
}

const upTo = (executed: number): number[] => Array.from({ length: executed + 1 }, (_, i) => i + 1);

const CALLBACKS = `.type xdp
.map counts array key 4 value 8 entries 1
r1 = 7
r2 = func[each]
r3 = 0
r4 = 0
call bpf_loop
r6 = r0
r1 = map[counts] ll
r2 = func[element]
r3 = 0
r4 = 0
call bpf_for_each_map_elem
r1 = map[counts][0] + 0 ll
*(u64 *)(r1 + 0) = r6
r0 = 2
exit
each:
r2 = map[counts][0] + 0 ll
r3 = *(u64 *)(r2 + 0)
r3 += r1
*(u64 *)(r2 + 0) = r3
r0 = 0
if r3 < 1000 goto +1
r0 = 1
exit
element:
r0 = *(u64 *)(r3 + 0)
r0 += 1
*(u64 *)(r3 + 0) = r0
r0 = 0
exit`;

describe('a limit reaches into callbacks and tail calls', () => {
  it('every limit of a program with two kinds of callbacks', () => {
    expect(compareEngines(CALLBACKS, upTo)).toBeGreaterThan(60);
  });

  const JUMPS = `.type xdp
.map jumps prog_array key 4 value 4 entries 2
r0 = 7
r2 = map[jumps] ll
r3 = 0
call bpf_tail_call
r0 = 7
exit`;

  it('counts the programs that tail calls lead to, and stops in them', () => {
    using caller = loadMetered(JUMPS, 'caller');
    using target = loadMetered('.type xdp\nr0 = 1\nr0 += 1\nr0 += 1\nexit', 'target');
    const input = { packet: PACKET };
    expect(caller.runMetered(input)).toEqual({ outcome: 'exit', r0: 7, executed: 6 });
    setTarget(caller.maps.jumps!, new Uint8Array(4), target);
    expect(caller.runMetered(input)).toEqual({ outcome: 'exit', r0: 3, executed: 8 });
    expect(caller.runMetered(input, 8).outcome).toBe('exit');
    for (const limit of [1, 4, 5, 7])
      expect(caller.runMetered(input, limit)).toEqual({
        outcome: 'stopped',
        r0: 0,
        executed: limit,
      });
    setTarget(caller.maps.jumps!, new Uint8Array(4), caller);
    // 33 tail calls of four instructions; the last one fails, and two more instructions follow.
    expect(caller.runMetered(input).executed).toBe(34 * 4 + 2);
    expect(caller.runMetered(input, 70).executed).toBe(70);
  });

  it('refuses to lose count', () => {
    using caller = loadMetered(JUMPS, 'caller');
    using target = load(compile(proofOf('.type xdp\nr0 = 2\nexit')), { lifetime: 'replaceable' });
    setTarget(caller.maps.jumps!, new Uint8Array(4), target);
    expect(() => caller.runMetered({ packet: PACKET }, 1000)).toThrow(/without a meter/);
    expect(() => target.runMetered({ packet: PACKET }, 1000)).toThrow(/without a meter/);
    const [offsets, lengths] = [new Uint32Array(3), new Uint32Array(3).fill(PACKET.length)];
    expect(() => caller.runBatch(PACKET, offsets, lengths)).toThrow(/without a meter/);
    expect(() => caller.runMetered({ packet: PACKET }, 0)).toThrow(RangeError);
    expect(() => caller.runMetered({ packet: PACKET }, 1.5)).toThrow(RangeError);
  });
});

describe('what a stopped run held is given back', () => {
  it('and the next runs know nothing of it', () => {
    using extension = loadMetered('.type xdp\nr0 = 1\nr0 += 1\nexit');
    const [offsets, lengths] = [new Uint32Array(3), new Uint32Array(3).fill(PACKET.length)];
    expect(extension.runMetered({ packet: PACKET }, 2).outcome).toBe('stopped');
    expect([...extension.runBatch(PACKET, offsets, lengths)]).toEqual([2, 2, 2]);
    expect(extension.runMetered({ packet: PACKET }, 2).outcome).toBe('stopped');
    expect(extension.run({ packet: PACKET })).toBe(2);
    expect(extension.runMetered({ packet: PACKET }, 2).outcome).toBe('stopped');
    expect(extension.test({ packet: PACKET }).r0).toBe(2n);
  });

  it('ring buffer records are discarded', () => {
    const text = `.type xdp
.map events ringbuf key 0 value 0 entries 4096
r1 = map[events] ll
r2 = 8
r3 = 0
call bpf_ringbuf_reserve
if r0 == 0 goto out
*(u64 *)(r0 + 0) = 42
r1 = r0
r2 = 0
call bpf_ringbuf_submit
out:
r0 = 2
exit`;
    using extension = loadMetered(text);
    const events = extension.maps.events!;
    for (let limit = 1; limit <= 11; limit++) {
      const { outcome } = extension.runMetered({ packet: PACKET }, limit);
      expect(outcome).toBe(limit < 11 ? 'stopped' : 'exit');
      const record = events.consume();
      expect(record === undefined, `limit ${limit}`).toBe(limit < 9);
      expect(events.pendingBytes).toBe(0);
    }
  });

  it('locks are released: who comes next does not wait for ever', () => {
    const source = program(`.type memory
.context 8
.map cells array key 4 value 16 entries 1
r6 = map[cells][0] + 0 ll
r1 = r6
call bpf_spin_lock
r7 = *(u64 *)(r6 + 8)
r7 += 1
*(u64 *)(r6 + 8) = r7
*(u64 *)(r6 + 8) = r7
r1 = r6
call bpf_spin_unlock
r0 = 2
exit`);
    const { instructions } = decode(source.code);
    const facts = plainFacts({ program: source, instructions });
    const parts = { program: source, instructions, facts, profile: 'memory' };
    using extension = load(compileFrom(parts, METERED), { lifetime: 'replaceable' });
    const input = { memory: new Uint8Array(8) };
    for (let limit = 1; limit <= 11; limit++)
      expect(extension.runMetered(input, limit).executed).toBe(limit);
    expect(extension.runMetered(input)).toEqual({ outcome: 'exit', r0: 2, executed: 11 });
    const cell = new DataView(
      Uint8Array.from(extension.maps.cells!.get(new Uint8Array(4))!).buffer,
    );
    expect([cell.getUint32(0, true), cell.getUint32(8, true)]).toEqual([0, 7]);
  });
});

describe('real programs', () => {
  const folder = fileURLToPath(new URL('../../programs/samples/', import.meta.url));
  const files = readdirSync(folder).filter((name) => /^(?!bad-).*\.o$/.test(name));
  const packets = [PACKET, build.arp({}), build.udp({ dst: '[2001:db8::1]:53', payload: 'xy' })];
  it.each(files)('%s is counted alike', (name) => {
    for (const source of readObject(readFileSync(folder + name), name)) {
      const verdict = verify(source);
      if (!verdict.ok) throw new Error(verdict.diagnostics[0]!.message);
      using native = load(compile(verdict.proof, METERED), { lifetime: 'replaceable' });
      const reference = loadReference([source])[0]!;
      for (const packet of [...packets, PACKET.slice(0, 30), new Uint8Array(14)]) {
        const { executed } = reference.test({ packet }).outcome;
        expect(native.runMetered({ packet }).executed, source.name).toBe(executed);
      }
    }
  });
});
