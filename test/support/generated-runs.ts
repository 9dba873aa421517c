/**
 * Generated programs run on the running kernel, natively and interpreted: results, packets, contexts
 * and maps must be equal after every run. `node scripts/differential.js` does it for as long as asked.
 */
import { packet } from '../../hosts/index.ts';
import type { Program } from '../../isa/index.ts';
import { type Accepted, verify } from '../../verifier/index.ts';
import { isDeterministic } from '../fuzz/deterministic.ts';
import { unlikeTheKernel } from '../fuzz/examine.ts';
import { assemble } from '../fuzz/fuzz.ts';
import { makeInputs } from '../fuzz/inputs.ts';
import { mapText } from '../fuzz/outcome.ts';
import { loadBoth } from '../loader/compiled.ts';
import { GENERATED_TYPES, semanticProgram } from './generate-semantic.ts';
import { compareWithKernel, type KernelRunInput } from './kernel-runs.ts';

export interface TypeRow {
  readonly type: string;
  programs: number;
  /** Programs that ran, and their runs on the kernel. */
  compared: number;
  runs: number;
  /** Why the others did not. */
  readonly skipped: Map<string, number>;
}

export interface GeneratedReport {
  readonly rows: readonly TypeRow[];
  readonly differences: readonly string[];
}

/** Longer runs prove nothing more, and are slow to interpret. */
const MOST_EXECUTED = 30_000;
/** BPF_PROG_TEST_RUN takes as many bytes of arguments for raw tracepoints: twelve words. */
const CONTEXT_BYTES = 96;

const PACKETS = [
  packet.tcp({ src: '10.0.0.1:1234', dst: '10.0.0.2:80', payload: 'hello hello hello hello' }),
  packet.udp({ src: '[2001:db8::1]:53', dst: '[2001:db8::2]:53', payload: 'x'.repeat(100) }),
  packet.arp({}),
];

function inputsOf(program: Program, seed: number): KernelRunInput[] {
  const inputs = makeInputs(seed, 6, CONTEXT_BYTES);
  if (program.type === 'raw_tracepoint' || program.type === 'syscall')
    return inputs.map(({ input, memory }) => ({ context: memory, values: { input } }));
  return inputs.map((each, i) => ({
    packet: i < PACKETS.length ? PACKETS[i]! : each.packet,
    values: { input: each.input },
  }));
}

/** Against the interpreter: the first difference. */
function compareInterpreted(program: Program, inputs: readonly KernelRunInput[]): string[] {
  const { native, reference } = loadBoth(program)!;
  const differences: string[] = [];
  const interpret = { maxInstructions: MOST_EXECUTED };
  for (const [i, { values = {}, ...input }] of inputs.entries()) {
    for (const { maps } of [native, reference])
      for (const [name, value] of Object.entries(values)) maps[name]?.set(new Uint8Array(4), value);
    const theirs = reference.test(input, { interpret });
    if (theirs.outcome.kind !== 'exit') break;
    const ours = native.test(input);
    const [a, b] = [ours, theirs].map(({ r0, packet: bytes, context }) =>
      [r0, ...[bytes, context].map((each) => each && Buffer.from(each).toString('hex'))].join(' '),
    );
    if (a !== b) differences.push(`input ${i}: native ${a} | interpreter ${b}`);
    const [mapsHere, mapsThere] = [native, reference].map(({ maps }) =>
      mapText(Object.values(maps).map((map) => ({ name: map.name, entries: map.entries() }))),
    );
    if (mapsHere !== mapsThere) differences.push(`input ${i}: maps ${mapsHere} | ${mapsThere}`);
  }
  native.close();
  return differences;
}

/** Why its runs are no measure; undefined: they are. */
function unfit(program: Program, verdict: Accepted): string | undefined {
  if (!isDeterministic(program)) return 'depends on addresses or on what was never written';
  const worst = verdict.worstCaseInstructions;
  if (worst === null || worst > MOST_EXECUTED) return 'may run long';
  return unlikeTheKernel(verdict);
}

function compareSeed(seed: number, row: TypeRow): string[] {
  const text = semanticProgram(seed, row.type);
  const program = assemble(text, `seed ${seed}`);
  row.programs++;
  const skip = (reason: string): string[] => {
    row.skipped.set(reason, (row.skipped.get(reason) ?? 0) + 1);
    return [];
  };
  const verdict = verify(program);
  if (!verdict.ok) return skip('rejected');
  const reason = unfit(program, verdict);
  if (reason !== undefined) return skip(reason);
  const inputs = inputsOf(program, seed);
  const result = compareWithKernel(program, inputs);
  if (result.skipped !== undefined) return skip(result.skipped.split(':')[0]!);
  row.compared++;
  row.runs += result.runs;
  return [...result.differences, ...compareInterpreted(program, inputs)].map(
    (difference) => `${row.type}, seed ${seed}: ${difference}`,
  );
}

export function compareGenerated(options: {
  readonly seed: number;
  readonly seconds: number;
  /** Of each type; default: as many as the time allows. */
  readonly programs?: number;
}): GeneratedReport {
  const end = performance.now() + options.seconds * 1000;
  const rows = GENERATED_TYPES.map(
    (type): TypeRow => ({ type, programs: 0, compared: 0, runs: 0, skipped: new Map() }),
  );
  const differences: string[] = [];
  const most = options.programs ?? Number.POSITIVE_INFINITY;
  for (let i = 0; i < most && performance.now() < end; i++)
    for (const row of rows) differences.push(...compareSeed(options.seed + i, row));
  return { rows, differences };
}
