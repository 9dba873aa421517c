/**
 * The same program on the running kernel, by BPF_PROG_TEST_RUN, and on ours, input by input: results,
 * packets, contexts and maps must be equal. Differences are returned as text, one line each.
 */
import { parseBtf, type SpecialField, specialFields } from '../../btf/index.ts';
import { KernelError, type KernelProgram, loadIntoKernel } from '../../hosts/index.ts';
import { decode, type MapSpec, type Program, TABLE } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { type Extension, load } from '../../loader/index.ts';
import { mapType } from '../../platform/index.ts';
import { type VerifyOptions, verify } from '../../verifier/index.ts';

export interface KernelRunInput {
  readonly packet?: Uint8Array;
  readonly context?: Uint8Array;
  /** Values to put under key 0 of array maps beforehand, by map. */
  readonly values?: Readonly<Record<string, Uint8Array>>;
}

export interface KernelComparison {
  /** Why the two were not compared; undefined: they were. */
  readonly skipped: string | undefined;
  readonly runs: number;
  readonly differences: readonly string[];
}

/** Helpers whose results differ from run to run; 171 starts a timer, which fires when it likes. */
const UNSTEADY: ReadonlySet<number> = new Set([
  5, 7, 8, 14, 15, 16, 35, 42, 118, 125, 158, 160, 171, 208,
]);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function unsteady(program: Program): string | undefined {
  for (const { op, src, imm } of decode(program.code).instructions)
    if (TABLE[op]?.name === 'call_helper' && src === 0 && UNSTEADY.has(imm))
      return `helper ${imm} answers differently each time`;
  return undefined;
}

/** Sums of 64-bit words over all processors: which one runs is not ours to choose. */
function sumOf(value: Uint8Array, slotBytes: number): string {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const sums = Array.from({ length: slotBytes / 8 }, (_, word) => {
    let sum = 0n;
    for (let at = word * 8; at < value.length; at += slotBytes) sum += view.getBigUint64(at, true);
    return sum.toString(16);
  });
  return sums.join(',');
}

type Entries = Iterable<readonly [Uint8Array, Uint8Array]>;

function contents(entries: Entries, { perCpu, slotBytes, fields }: Shape): string[] {
  return [...entries]
    .map(([key, given]) => {
      const value = given.slice();
      for (const { offset, sizeBytes } of fields) value.fill(0, offset, offset + sizeBytes);
      return `${hex(key)}=${perCpu ? sumOf(value, slotBytes) : hex(value)}`;
    })
    .sort();
}

interface Shape {
  readonly perCpu: boolean;
  readonly slotBytes: number;
  /** What is no data: the kernel shows some of it, as addresses. */
  readonly fields: readonly SpecialField[];
}

function fieldsOf({ btf, name }: Program, { btfValueTypeId }: MapSpec): readonly SpecialField[] {
  if (btf === undefined || !btfValueTypeId) return [];
  return specialFields(parseBtf(btf, name), btfValueTypeId);
}

/** Types whose content is data that both sides can list. */
const LISTED: ReadonlySet<string> = new Set([
  'array',
  'hash',
  'lru_hash',
  'percpu_array',
  'percpu_hash',
  'lru_percpu_hash',
  'lpm_trie',
]);

/** Larger maps are compared once, after the last run. */
const SMALL_ENTRIES = 64;

function compareMaps(
  program: Program,
  kernel: KernelProgram,
  native: Extension,
  which: 'small' | 'all',
): string[] {
  return program.maps.flatMap((spec) => {
    if (!LISTED.has(spec.type)) return [];
    const map = native.maps[spec.name];
    /* The loader leaves out what it cannot make and the program does not name. */
    if (map === undefined) return [];
    if (which === 'small' && spec.maxEntries > SMALL_ENTRIES) return [];
    const shape = {
      perCpu: mapType(spec.type)?.perCpu === true,
      slotBytes: (spec.valueSize + 7) & ~7,
      fields: fieldsOf(program, spec),
    };
    const theirs = kernel.map(spec.name)?.entries() ?? [];
    const a = contents(
      theirs.map(({ key, value }) => [key, value] as const),
      shape,
    );
    const b = contents(map.entries(), shape);
    const [inKernel, inOurs] = [new Set(a), new Set(b)];
    const only = a.filter((entry) => !inOurs.has(entry)).slice(0, 3);
    const extra = b.filter((entry) => !inKernel.has(entry)).slice(0, 3);
    if (only.length + extra.length === 0) return [];
    return [`map ${spec.name}: kernel ${only.join(' ')} | ours ${extra.join(' ')}`];
  });
}

interface Ran {
  readonly r0: string;
  readonly packet: string;
  readonly context: string;
}

/** Fields of __sk_buff that convert_skb_to___skb fills; ours show all others too. */
const REPORTED: readonly (readonly [start: number, end: number])[] = [
  [8, 12],
  [32, 44],
  [48, 68],
  [152, 168],
  [184, 192],
];
const SKB_BYTES = 192;

function reported(context: Uint8Array): Uint8Array {
  if (context.length !== SKB_BYTES) return context;
  const shown = new Uint8Array(SKB_BYTES);
  for (const [start, end] of REPORTED) shown.set(context.subarray(start, end), start);
  return shown;
}

/** The kernel refuses some inputs before the program starts; so must we, or at least not differ. */
function runInKernel(kernel: KernelProgram, input: KernelRunInput): Ran | undefined {
  try {
    const out = kernel.testRun(input);
    return {
      r0: (out.r0 >>> 0).toString(16),
      packet: hex(out.packet),
      context: hex(reported(out.context)),
    };
  } catch (error) {
    if (error instanceof KernelError) return undefined;
    throw error;
  }
}

function putValues(
  { values = {} }: KernelRunInput,
  kernel: KernelProgram,
  native: Extension,
): void {
  const key = new Uint8Array(4);
  for (const [name, value] of Object.entries(values)) {
    kernel.map(name)?.update(key, value);
    native.maps[name]?.set(key, value);
  }
}

function runHere(native: Extension, { packet, context }: KernelRunInput): Ran {
  const report = native.test({
    ...(packet === undefined ? {} : { packet }),
    ...(context === undefined ? {} : { context }),
  });
  return {
    r0: Number(BigInt.asUintN(32, report.r0)).toString(16),
    packet: report.packet === undefined ? '' : hex(report.packet),
    context:
      report.context === undefined || context === undefined
        ? ''
        : hex(reported(report.context.subarray(0, context.length))),
  };
}

function compareRun(a: Ran, b: Ran): string[] {
  return (['r0', 'packet', 'context'] as const)
    .filter((part) => a[part] !== b[part])
    .map((part) => `${part}: kernel ${a[part]} | ours ${b[part]}`);
}

export function compareWithKernel(
  program: Program,
  inputs: readonly KernelRunInput[],
  verifying: VerifyOptions = {},
): KernelComparison {
  const skip = (skipped: string): KernelComparison => ({ skipped, runs: 0, differences: [] });
  const reason = unsteady(program);
  if (reason !== undefined) return skip(reason);
  const verdict = verify(program, verifying);
  if (!verdict.ok) return skip(`not accepted: ${verdict.diagnostics[0]?.message}`);
  const { kernelBtf } = verifying;
  const theirs = loadIntoKernel(program, typeof kernelBtf === 'object' ? { kernelBtf } : {});
  if (!theirs.accepted) return skip(`the kernel refuses it: ${theirs.log.slice(-200)}`);
  try {
    const native = load(compile(verdict.proof), { lifetime: 'replaceable' });
    const differences: string[] = [];
    let runs = 0;
    for (const [i, input] of inputs.entries()) {
      putValues(input, theirs.program, native);
      const a = runInKernel(theirs.program, input);
      if (a === undefined) continue;
      runs++;
      const found = compareRun(a, runHere(native, input));
      found.push(...compareMaps(program, theirs.program, native, 'small'));
      differences.push(...found.map((difference) => `input ${i}: ${difference}`));
    }
    differences.push(...compareMaps(program, theirs.program, native, 'all'));
    native.close();
    return { skipped: undefined, runs, differences };
  } catch (error) {
    return skip(`${error}`);
  } finally {
    theirs.program.close();
  }
}
