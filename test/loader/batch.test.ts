/**
 * Batches run on the caller's bytes where the program is proven to leave them alone, on copies
 * otherwise; either way as single runs do, and the caller's bytes stay as they were.
 */
import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { load } from '../../loader/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';

const NUMBERS = new Map(HELPERS.map(({ id, name }) => [name, id]));
const BOUNDS = `r6 = r1
r2 = *(u32 *)(r1 + 0)
r3 = *(u32 *)(r1 + 4)
r4 = r2
r4 += 20
r0 = 9
if r4 > r3 goto out`;
const SKB_BOUNDS = BOUNDS.replace('(r1 + 0)', '(r1 + 76)').replace('(r1 + 4)', '(r1 + 80)');
const ON_STACK = 'r3 = r10\nr3 += -8\n*(u64 *)(r10 - 8) = 0';

/** Body, and whether the packet is proven to stay as it is. */
const PROGRAMS: readonly (readonly [name: string, text: string, keeps: boolean])[] = [
  ['xdp that reads', `.type xdp\n${BOUNDS}\nr0 = *(u16 *)(r2 + 16)`, true],
  ['xdp that writes', `.type xdp\n${BOUNDS}\n*(u16 *)(r2 + 16) = 7\nr0 = *(u16 *)(r2 + 16)`, false],
  ['xdp that grows', '.type xdp\nr2 = -8\ncall bpf_xdp_adjust_head', false],
  [
    'xdp that stores by a helper',
    `.type xdp\nr2 = 3\n${ON_STACK}\nr4 = 8\ncall bpf_xdp_store_bytes`,
    false,
  ],
  ['tc that reads', `.type sched_cls\n${SKB_BOUNDS}\nr0 = *(u32 *)(r2 + 12)`, true],
  ['tc that marks', '.type sched_cls\nr0 = *(u32 *)(r1 + 0)\n*(u32 *)(r1 + 8) = r0', true],
  ['tc that stores', `.type sched_cls\n${SKB_BOUNDS}\n*(u8 *)(r2 + 5) = 1\nr0 = 3`, false],
  ['filter that loads', '.type socket_filter\nr6 = r1\nr0 = *(u16 *)skb[6]', true],
  [
    'tc that loads by a helper',
    `.type sched_cls\nr2 = 3\n${ON_STACK}\nr4 = 8\ncall bpf_skb_load_bytes\nr0 = *(u64 *)(r10 - 8)`,
    true,
  ],
];

const COUNT = 300;
function packets(buffer: ArrayBufferLike) {
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 3)) & 0xff;
  const lengths = Uint32Array.from({ length: COUNT }, (_, i) => (i * 7) % 90);
  const offsets = Uint32Array.from({ length: COUNT }, (_, i) => (i * 13) % (bytes.length - 90));
  return { bytes, lengths, offsets };
}

describe.each(PROGRAMS)('%s', (_, text, keeps) => {
  const source = assembleProgram(
    `.name test\n.license GPL\n${text}\nout:\nexit`,
    'batch.s',
    NUMBERS,
  );
  const verdict = verify(source);
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  const code = compile(verdict.proof);

  it(`${keeps ? 'keeps' : 'may change'} its packet`, () => {
    expect(code.program.keepsPacket).toBe(keeps);
  });

  it.each([
    ['plain', () => packets(new ArrayBuffer(2000))],
    ['shared', () => packets(new SharedArrayBuffer(2000))],
  ])('gives the results of single runs, from %s memory', (_, make) => {
    using extension = load(code, { lifetime: 'replaceable' });
    const { bytes, lengths, offsets } = make();
    const before = bytes.slice();
    const results = extension.runBatch(bytes, offsets, lengths);
    const single = Uint32Array.from(offsets, (at, i) =>
      extension.run({ packet: bytes.slice(at, at + lengths[i]!) }),
    );
    expect(results).toEqual(single);
    expect(Buffer.compare(bytes, before)).toBe(0);
    expect(extension.runBatch(bytes, offsets, lengths)).toEqual(single);
  });
});
