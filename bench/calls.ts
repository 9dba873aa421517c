/**
 * What does entering native code cost? Programs that do nothing, one packet at a time beside a call of
 * an addon that does nothing, and many at a time beside a loop in C around the same machine code.
 */
import { createRequire } from 'node:module';
import { assembleProgram } from '../isa/index.ts';
import { compile, type NativeCode } from '../jit/index.ts';
import { type Extension, load } from '../loader/index.ts';
import { verify } from '../verifier/index.ts';
import { figure, markdownTable } from './report.ts';

const CALLS = 50_000;
const ROUNDS = 200;
const BATCH = 256;
const BATCHES = 20;
const BATCH_ROUNDS = 500;
const PACKET_BYTES = 64;

/** bench/crossing.c. */
interface Crossing {
  nothing(): void;
  loop(code: Uint8Array, packets: number, rounds: number): number;
}

export interface CallRow {
  readonly call: string;
  readonly nanoseconds: number;
  readonly beside: string;
  readonly besideNanoseconds: number;
}

const EMPTY = 'r0 = 2\nexit';
/** A store that packets of 64 bytes never come to: not proven to leave them alone, so it gets copies. */
const WRITER = `r2 = *(u32 *)(r1 + 0)
r3 = *(u32 *)(r1 + 4)
r4 = r2
r4 += 128
if r4 > r3 goto done
*(u8 *)(r2 + 0) = 0
done:
r0 = 2
exit`;

function compiled(type: string, body: string): NativeCode {
  const verdict = verify(assembleProgram(`.type ${type}\n.name bench\n${body}`, 'bench.s'));
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]!.message);
  return compile(verdict.proof);
}

const open = (code: NativeCode): Extension => load(code, { lifetime: 'replaceable' });

/** Nanoseconds a call; a loop of its own, so that nothing else is compiled into it. */
function timed(call: () => void): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i++) call();
  return Number(process.hrtime.bigint() - start) / CALLS;
}

/** Both take turns, so that what disturbs the machine disturbs both; the best round counts. */
function bestOf(calls: readonly (() => void)[]): number[] {
  const best = calls.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, call] of calls.entries()) best[i] = Math.min(best[i]!, timed(call));
  return best;
}

function singleRows(crossing: Crossing): CallRow[] {
  using xdp = open(compiled('xdp', EMPTY));
  using memory = open(compiled('memory', `.context 16\n${EMPTY}`));
  const again = { packet: new Uint8Array(PACKET_BYTES) };
  const others = [again, { packet: new Uint8Array(PACKET_BYTES) }];
  const bytes = { memory: new Uint8Array(16) };
  let turn = 0;
  const calls: readonly (readonly [string, () => void])[] = [
    ['runInput(bytes)', () => xdp.runInput(PACKET_BYTES)],
    ['run({ packet }), the same array again', () => xdp.run(again)],
    ['run({ packet }), another array each time', () => xdp.run(others[(turn ^= 1)]!)],
    ['run({ memory }), the same array again', () => memory.run(bytes)],
  ];
  return calls.map(([name, call]) => {
    const [nothing, time] = bestOf([() => crossing.nothing(), call]);
    return {
      call: name,
      nanoseconds: time!,
      beside: 'N-API call that does nothing',
      besideNanoseconds: nothing!,
    };
  });
}

function batchRow(crossing: Crossing, name: string, code: NativeCode): CallRow {
  using extension = open(code);
  const lengths = new Uint32Array(BATCH).fill(PACKET_BYTES);
  const offsets = lengths.map((length, i) => i * length);
  const [buffer, results] = [new Uint8Array(BATCH * PACKET_BYTES), new Uint32Array(BATCH)];
  const machineCode = code.code;
  let [batch, loop] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < BATCH_ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < BATCHES; i++) extension.runBatch(buffer, offsets, lengths, results);
    batch = Math.min(batch, Number(process.hrtime.bigint() - start) / BATCH / BATCHES);
    loop = Math.min(loop, crossing.loop(machineCode, BATCH, BATCHES));
  }
  const call = `a packet of runBatch, ${BATCH} packets, ${name}`;
  return { call, nanoseconds: batch, beside: 'C loop around the code', besideNanoseconds: loop };
}

/** `path`: where bench/crossing.c was built. */
export function measureCalls(path: string): CallRow[] {
  const crossing = createRequire(import.meta.url)(path) as Crossing;
  return [
    ...singleRows(crossing),
    batchRow(crossing, 'in place', compiled('xdp', EMPTY)),
    batchRow(crossing, 'copied', compiled('xdp', WRITER)),
  ];
}

export function callTable(rows: readonly CallRow[]): string {
  return markdownTable(
    ['call', 'ns', 'beside', 'its ns', 'ratio', 'difference, ns'],
    rows.map(({ call, nanoseconds, beside, besideNanoseconds: other }) => [
      call,
      figure(nanoseconds),
      beside,
      figure(other),
      figure(nanoseconds / other),
      figure(nanoseconds - other),
    ]),
  );
}
