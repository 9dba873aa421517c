/** Helpers on both engines: programs in assembly that call them, with equal outcomes everywhere. */
import { describe, expect, it } from 'vitest';
import { packet as build } from '../../hosts/index.ts';
import { assembleProgram } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { load, loadReference, setTarget } from '../../loader/index.ts';
import { loadCodes } from '../../loader/load.ts';
import { HELPERS } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';
import { LINK_CASES } from '../support/kernel-cases.ts';
import { loadBoth } from './compiled.ts';
import { machineCode, mapSpec, movEax, ret } from './machine-code.ts';

const NAMES = new Map(HELPERS.map(({ id, name }) => [name, id]));
const program = (text: string, name = 'test') =>
  assembleProgram(`.name ${name}\n.license GPL\n${text}`, `${name}.s`, NAMES);

const packet = Uint8Array.from({ length: 64 }, (_, i) => (i * 7) & 0xff);
packet.set([0x08, 0x00, 0x45], 12);
const TAGGED = build.tcp({ vlans: [5, 6], dst: '10.0.0.2:80' });
const IPV4_FRAME = build.udp({ dst: '10.0.0.2:53', payload: 'x'.repeat(90) });
const ENVIRONMENT = {
  time: { nanoseconds: 5_000_000, step: 3 },
  random: 99,
  cpu: 3,
  process: { pid: 1, tgid: 2, uid: 3, gid: 4, comm: 'tester' },
};

/** Both engines, three runs; everything that can be observed must agree. */
function both(text: string) {
  const source = program(text);
  const verdict = verify(source);
  expect(verdict.ok ? [] : verdict.diagnostics.map(({ message }) => message)).toEqual([]);
  const { native, reference } = loadBoth(source, { environment: ENVIRONMENT })!;
  reference.fix(ENVIRONMENT);
  native.fix(ENVIRONMENT);
  const input = source.type === 'kprobe' ? {} : { packet };
  const a = native.test(input);
  const b = reference.test(input);
  expect(b.outcome.kind === 'fault' ? b.outcome.fault : b.outcome.kind).toBe('exit');
  expect([a.r0, a.packet, a.context, a.trace, a.redirect, a.tailCalls]).toEqual([
    b.r0,
    b.packet,
    b.context,
    b.trace,
    b.redirect,
    b.tailCalls,
  ]);
  return { ...a, native };
}

const EXIT = 'exit';
const keep = (call: string) => `${call}\n${EXIT}`;

describe('helpers agree with the reference', () => {
  it.each([
    ['ktime_get_ns', 5_000_000n],
    ['get_smp_processor_id', 3n],
    ['get_prandom_u32', undefined],
    ['get_current_pid_tgid', 1n],
    ['get_current_uid_gid', 3n],
    ['get_numa_node_id', 0n],
  ])('%s', (name, low) => {
    const { r0 } = both(`.type sched_cls\n${keep(`call bpf_${name}`)}`);
    if (low !== undefined) expect(r0 & 0xffffffffn).toBe(low);
  });

  const frame = `.type sched_cls\nr6 = r1\n`;
  const skb = (r2: string, more: string) => `${frame}r1 = r6\nr2 = ${r2}\n${more}\nexit`;

  it.each([
    [
      'skb_load_bytes',
      skb(
        '2',
        'r3 = r10\nr3 += -16\n*(u64 *)(r10 - 16) = 0\nr4 = 4\ncall bpf_skb_load_bytes\nr0 = *(u32 *)(r10 - 16)',
      ),
    ],
    [
      'skb_load_bytes beyond',
      skb('62', 'r3 = r10\nr3 += -16\n*(u64 *)(r10 - 16) = 5\nr4 = 4\ncall bpf_skb_load_bytes'),
    ],
    [
      'skb_store_bytes',
      skb(
        '20',
        'r3 = r10\nr3 += -8\n*(u64 *)(r10 - 8) = 77\nr4 = 6\nr5 = 0\ncall bpf_skb_store_bytes',
      ),
    ],
    [
      'skb_store_bytes flags',
      skb(
        '20',
        'r3 = r10\nr3 += -8\n*(u64 *)(r10 - 8) = 77\nr4 = 6\nr5 = 64\ncall bpf_skb_store_bytes',
      ),
    ],
    ['l3_csum_replace 2', skb('24', 'r3 = 0x1234\nr4 = 0x8765\nr5 = 2\ncall bpf_l3_csum_replace')],
    [
      'l3_csum_replace 4',
      skb('24', 'r3 = 0x12345678\nr4 = 0x7654321\nr5 = 4\ncall bpf_l3_csum_replace'),
    ],
    [
      'l3_csum_replace by difference',
      skb('24', 'r3 = 0\nr4 = 0xffff\nr5 = 0\ncall bpf_l3_csum_replace'),
    ],
    ['l3_csum_replace odd', skb('25', 'r3 = 0\nr4 = 0xffff\nr5 = 2\ncall bpf_l3_csum_replace')],
    [
      'l4_csum_replace',
      skb('40', 'r3 = 0x11111111\nr4 = 0x22222222\nr5 = 0x14\ncall bpf_l4_csum_replace'),
    ],
    [
      'l4_csum_replace mangled zero',
      skb('40', 'r3 = 0\nr4 = 0\nr5 = 0x20\ncall bpf_l4_csum_replace'),
    ],
    ['skb_change_tail shorter', skb('30', 'r3 = 0\ncall bpf_skb_change_tail')],
    ['skb_change_tail longer', skb('300', 'r3 = 0\ncall bpf_skb_change_tail')],
    ['skb_change_tail too short', skb('5', 'r3 = 0\ncall bpf_skb_change_tail')],
    ['skb_change_head', skb('18', 'r3 = 0\ncall bpf_skb_change_head')],
    ['skb_change_type', skb('1', 'call bpf_skb_change_type\nr0 = *(u32 *)(r6 + 4)')],
    ['skb_pull_data', skb('65', 'call bpf_skb_pull_data')],
    ['redirect', `${frame}r1 = 5\nr2 = 1\ncall bpf_redirect\nexit`],
    ['redirect with bad flags', `${frame}r1 = 5\nr2 = 2\ncall bpf_redirect\nexit`],
    ['clone_redirect', skb('9', 'r3 = 0\ncall bpf_clone_redirect')],
    [
      'context fields',
      `${frame}r0 = *(u32 *)(r6 + 0)\nr1 = *(u32 *)(r6 + 16)\nr0 += r1\nr1 = *(u32 *)(r6 + 40)\nr0 += r1\n*(u32 *)(r6 + 8) = 7\nexit`,
    ],
    [
      'legacy loads',
      `.type socket_filter\nr6 = r1\nr0 = *(u16 *)skb[2]\nr7 = r0\nr0 = *(u8 *)skb[-0x200000]\nr0 += r7\nexit`,
    ],
    [
      'legacy load past the end',
      `.type socket_filter\nr6 = r1\nr0 = *(u32 *)skb[60]\nr0 += 1\nexit`,
    ],
    [
      'csum_diff',
      `${frame}*(u64 *)(r10 - 8) = -5\n*(u64 *)(r10 - 16) = 99\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = r10\nr3 += -16\nr4 = 4\nr5 = 1000\ncall bpf_csum_diff\nexit`,
    ],
    [
      'get_current_comm',
      `.type kprobe\nr1 = r10\nr1 += -16\nr2 = 16\n*(u64 *)(r10 - 8) = 0\n*(u64 *)(r10 - 16) = 0\ncall bpf_get_current_comm\nr0 = *(u64 *)(r10 - 16)\nexit`,
    ],
  ])('%s', (name, text) => {
    both(text);
    expect(name).toBeTruthy();
  });

  const xdp = (helper: string, change: number) =>
    `.type xdp\nr6 = r1\nr2 = ${change}\ncall bpf_xdp_adjust_${helper}\nr7 = r0\nr1 = *(u32 *)(r6 + 0)\nr2 = *(u32 *)(r6 + 4)\nr2 -= r1\nr0 = r2\nr0 += r7\nexit`;
  it.each([
    ['head', -14],
    ['head', -216],
    ['head', -217],
    ['head', 50],
    ['head', 51],
    ['tail', 100],
    ['tail', -50],
    ['tail', -51],
    ['tail', 4000],
    ['meta', -8],
    ['meta', -7],
    ['meta', 4],
  ])('xdp_adjust_%s by %i', (helper, change) => {
    both(xdp(helper, change));
  });

  it('maps: update, look up, delete', () => {
    const { native } = both(`.type xdp
.map m hash key 4 value 8 entries 2
r6 = 5
loop:
*(u32 *)(r10 - 4) = r6
*(u64 *)(r10 - 16) = r6
r1 = map[m] ll
r2 = r10
r2 += -4
r3 = r10
r3 += -16
r4 = 0
call bpf_map_update_elem
r7 = r0
r6 += -1
if r6 != 2 goto loop
r0 = r7
exit`);
    expect(native.maps.m!.keys().length).toBe(2);
  });

  it('ring buffer records reach the consumer', () => {
    const { native } = both(`.type xdp
.map events ringbuf key 0 value 0 entries 4096
r1 = map[events] ll
r2 = 16
r3 = 0
call bpf_ringbuf_reserve
if r0 == 0 goto out
*(u64 *)(r0 + 0) = 42
*(u64 *)(r0 + 8) = 43
r1 = r0
r2 = 0
call bpf_ringbuf_submit
out:
r0 = 2
exit`);
    const events = native.maps.events!;
    expect(events.pendingBytes).toBe(24);
    expect([...events.consume()!]).toEqual([42, 0, 0, 0, 0, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0]);
    expect(events.consume()).toBeUndefined();
    for (let i = 0; i < 300; i++) native.run({ packet });
    expect(events.dropped).toBe(300 - 170);
    let records = 0;
    while (events.consume() !== undefined) records++;
    expect(records).toBe(170);
  });

  it('tail calls: to another program, to nothing, and 33 in a row', () => {
    const caller = program(
      `.type xdp
.map jumps prog_array key 4 value 4 entries 2
r2 = map[jumps] ll
r3 = 0
call bpf_tail_call
r0 = 7
exit`,
      'caller',
    );
    const verdict = verify(caller);
    if (!verdict.ok) throw new Error(verdict.diagnostics[0]!.message);
    const [native] = load([compile(verdict.proof)], { lifetime: 'replaceable' });
    const [reference] = loadReference([caller]);
    const zero = new Uint8Array(4);
    for (const [target, calls] of [
      [null, 0],
      ['self', 33],
    ] as const) {
      setTarget(native!.maps.jumps!, zero, target === null ? null : native!);
      reference!.maps.jumps!.setTarget(zero, target === null ? null : reference);
      const [a, b] = [native!.test({ packet }), reference!.test({ packet })];
      expect([a.r0, a.tailCalls, b.r0, b.tailCalls]).toEqual([7n, calls, 7n, calls]);
    }
    native!.close();
  });
});

describe('program arrays', () => {
  it('never mix memory programs of different sizes', () => {
    const jumps = mapSpec({ type: 'prog_array', name: 'jumps', valueSize: 4 });
    const sized = (contextSize: number) =>
      machineCode([movEax(7), ret], { type: 'memory', contextSize, maps: [jumps] });
    const options = { lifetime: 'replaceable' } as const;
    const [small] = loadCodes([sized(8)], options);
    expect(() => loadCodes([sized(16)], { ...options, maps: small!.maps })).toThrow(
      /programs of one type only/,
    );
    const [large] = loadCodes([sized(16)], options);
    expect(() => setTarget(small!.maps.jumps!, new Uint8Array(4), large!)).toThrow(/EINVAL/);
    setTarget(small!.maps.jumps!, new Uint8Array(4), small!);
    small!.close();
    large!.close();
  });
});

describe('headers are inserted and removed alike on both engines', () => {
  it.each(
    LINK_CASES.filter(
      ({ name }, i) =>
        /vlan|change_proto/.test(name) || (name.includes('adjust_room') && i % 9 === 0),
    ).map((each) => [each.name, each.program] as const),
  )('%s', (_, source) => {
    const { native, reference } = loadBoth(source)!;
    for (const input of [TAGGED, IPV4_FRAME, packet]) {
      const [a, b] = [native.test({ packet: input }), reference.test({ packet: input })];
      const answers = [native, reference].map(({ maps }) => maps.answers!.get(new Uint8Array(4)));
      expect([a.packet, a.context, answers[0]]).toEqual([b.packet, b.context, answers[1]]);
    }
    native.close();
  });
});
