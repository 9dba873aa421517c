/** Dynamic pointers, samples, storage, and memory named by a number; against the kernel where it can. */
import { describe, expect, it } from 'vitest';
import { kernelRefusal } from '../../hosts/index.ts';
import { assembleProgram } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { load } from '../../loader/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';
import { compareWithKernel } from '../support/kernel-runs.ts';

const NUMBERS = new Map(HELPERS.map(({ id, name }) => [name, id]));
const program = (text: string) =>
  assembleProgram(`.name test\n.license GPL\n${text}\nexit`, 'objects.s', NUMBERS);
const packet = Uint8Array.from({ length: 64 }, (_, i) => i);

function open(text: string) {
  const verdict = verify(program(text));
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  return load(compile(verdict.proof), { lifetime: 'replaceable' });
}

/** r7 is the value of the only element of `store`, 64 bytes. */
const STORE = `.map store array key 4 value 64 entries 1
r6 = r1
*(u32 *)(r10 - 4) = 0
r1 = map[store] ll
r2 = r10
r2 += -4
call bpf_map_lookup_elem
if r0 == 0 goto out
r7 = r0`;
const at = (register: string, offset: number) => `${register} = r10\n${register} += ${offset}`;

/** A dynamic pointer at r10 - 24 over 32 bytes of the store: written, read, results kept in it. */
const dynptr = (write: readonly number[], read: readonly number[], flags = 0) => `.type sched_cls
${STORE}
r1 = r7
r2 = 32
r3 = ${flags}
${at('r4', -24)}
call bpf_dynptr_from_mem
*(u64 *)(r7 + 32) = r0
*(u64 *)(r10 - 32) = 0x11223344
*(u64 *)(r10 - 40) = 0x55
${at('r1', -24)}
r2 = ${write[0]}
${at('r3', -32)}
r4 = ${write[1]}
r5 = ${write[2]}
call bpf_dynptr_write
*(u64 *)(r7 + 40) = r0
${at('r1', -40)}
r2 = ${read[1]}
${at('r3', -24)}
r4 = ${read[0]}
r5 = ${read[2]}
call bpf_dynptr_read
*(u64 *)(r7 + 48) = r0
r1 = *(u64 *)(r10 - 40)
*(u64 *)(r7 + 56) = r1
out:
r0 = 0`;

describe.skipIf(kernelRefusal() !== undefined)('dynamic pointers, as in the kernel', () => {
  it.each([
    [[0, 8, 0], [0, 8, 0], 0],
    [[24, 8, 0], [26, 4, 0], 0],
    [[25, 8, 0], [30, 4, 0], 0],
    [[33, 1, 0], [-1, 1, 0], 0],
    [[0, 8, 1], [0, 8, 1], 0],
    [[0, 8, 0], [0, 8, 0], 1],
  ])('write %j, read %j, flags %i', (write, read, flags) => {
    const result = compareWithKernel(program(dynptr(write, read, flags)), [{ packet }]);
    expect(result).toEqual({ skipped: undefined, runs: 1, differences: [] });
  });
});

const output = (flags: string) => `.type xdp
.map events perf_event_array key 4 value 4 entries 4
*(u64 *)(r10 - 8) = 0x1234
r2 = map[events] ll
r3 = ${flags} ll
${at('r4', -8)}
r5 = 8
call bpf_perf_event_output`;

describe('perf event output', () => {
  it('reaches the consumer, with as much of the packet as was asked for', () => {
    using extension = open(output('0x4ffffffff'));
    const report = extension.test({ packet });
    expect(report.r0).toBe(0n);
    const events = extension.maps.events!;
    expect([...events.consume()!]).toEqual([0x34, 0x12, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    expect(events.consume()).toBeUndefined();
    for (let i = 0; i < 20_000; i++) extension.run({ packet });
    expect(events.dropped).toBeGreaterThan(0);
  });

  it.each([
    ['another index', '7', -7],
    ['more than the packet', '0x10000000000', -14],
    ['bits that mean nothing', '0x10000000000000', -22],
  ])('refuses %s', (_, flags, error) => {
    using extension = open(output(flags));
    expect(extension.run({ packet }) | 0).toBe(error);
    expect(extension.maps.events!.consume()).toBeUndefined();
  });
});

describe('memory named by a number', () => {
  const probe = (address: string) => `.type kprobe
${STORE}
*(u64 *)(r7 + 0) = 77
*(u64 *)(r10 - 16) = 5
${at('r1', -16)}
r2 = 8
${address}
call bpf_probe_read_kernel
*(u64 *)(r7 + 8) = r0
r1 = *(u64 *)(r10 - 16)
*(u64 *)(r7 + 16) = r1
out:
r0 = 0`;

  it.each([
    ['a map value', 'r3 = r7', 0n, 77n],
    // -ERANGE: no kernel memory can be there, and what lies behind the program's stack has no such address.
    ['nothing', 'r3 = 8', -34n, 0n],
    ['what lies behind its stack', 'r3 = r10', -34n, 0n],
  ])('%s', (_, address, answer, value) => {
    using extension = open(probe(address));
    extension.test({});
    const bytes = extension.maps.store!.get(new Uint8Array(4))!;
    const view = new DataView(bytes.buffer);
    expect([view.getBigInt64(8, true), view.getBigInt64(16, true)]).toEqual([answer, value]);
  });
});

it('a run belongs to the root control group, number 1', () => {
  using extension = open(`.type cgroup_skb
.map bytes cgroup_storage key 8 value 8 entries 0
r6 = r1
r1 = map[bytes] ll
r2 = 0
call bpf_get_local_storage
r1 = *(u32 *)(r6 + 0)
r2 = *(u64 *)(r0 + 0)
r2 += r1
*(u64 *)(r0 + 0) = r2
r0 = 1`);
  for (let i = 0; i < 3; i++) expect(extension.run({ packet })).toBe(1);
  const value = extension.maps.bytes!.get(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))!;
  expect(new DataView(value.buffer).getUint32(0, true)).toBe(3 * (packet.length - 14));
});
