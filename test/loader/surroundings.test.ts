/** What the host tells of a run's surroundings: both engines find the same in it. */
import { describe, expect, it } from 'vitest';
import { packet } from '../../hosts/index.ts';
import { assembleProgram } from '../../isa/index.ts';
import type { Environment } from '../../loader/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';
import { loadBoth } from './compiled.ts';

const NAMES = new Map(HELPERS.map(({ id, name }) => [name, id]));

const ENVIRONMENT: Environment = {
  routes: [
    { to: '0.0.0.0/0', ifindex: 2, gateway: '192.0.2.1', destinationMac: '02:00:00:00:00:09' },
    {
      to: '10.0.0.0/8',
      ifindex: 3,
      mtu: 100,
      sourceMac: '2:0:0:0:0:1',
      destinationMac: '2:0:0:0:0:2',
    },
    { to: '10.1.0.0/16', ifindex: 4 },
    { to: '10.2.0.0/15', ifindex: 4, refuses: 'prohibit' },
    { to: '2001:db8::/32', ifindex: 5, destinationMac: '02:00:00:00:00:07' },
  ],
  sockets: [
    { protocol: 'tcp', local: '0.0.0.0:80', mark: 7 },
    { protocol: 'tcp', local: '10.0.0.2:80', remote: '10.0.0.1:1234', mark: 9, priority: 3 },
    { protocol: 'udp', local: '10.0.0.2:53', mark: 11 },
    { protocol: 'tcp', local: '[2001:db8::2]:443', mark: 13 },
  ],
  memory: [{ address: 0x7000_0000_0000, bytes: new TextEncoder().encode('granted\0') }],
  stack: [0x1111, 0x2222, 0x3333],
};

/** Runs `body`, which leaves its answer in r0 and words at r10 - 64; both engines must agree. */
function ask(type: string, body: string, environment = ENVIRONMENT): [bigint, bigint[]] {
  const store = Array.from(
    { length: 8 },
    (_, i) => `r1 = *(u64 *)(r10 - ${64 - 8 * i})\n*(u64 *)(r7 + ${8 + 8 * i}) = r1`,
  );
  const text = `.type ${type}\n.name ask\n.license GPL\n.map out array key 4 value 72 entries 1
.map traces stack_trace key 4 value 16 entries 8
r6 = r1
${store.map((_, i) => `*(u64 *)(r10 - ${64 - 8 * i}) = 0`).join('\n')}
${body}
r8 = r0
*(u32 *)(r10 - 68) = 0
r1 = map[out] ll
r2 = r10
r2 += -68
call bpf_map_lookup_elem
if r0 == 0 goto done
r7 = r0
*(u64 *)(r7 + 0) = r8
${store.join('\n')}
done:
r0 = 0
exit`;
  const engines = loadBoth(assembleProgram(text, 'ask.s', NAMES), { environment });
  if (engines === undefined)
    throw new Error(JSON.stringify(verify(assembleProgram(text, 'ask.s', NAMES))).slice(0, 900));
  const input = type === 'kprobe' ? {} : { packet: packet.tcp({ dst: '10.0.0.2:80' }) };
  const [a, b] = [engines.native.test(input), engines.reference.test(input)];
  expect(b.outcome.kind === 'fault' ? b.outcome.fault : b.outcome.kind).toBe('exit');
  expect(a.r0).toBe(b.r0);
  const values = [engines.native, engines.reference].map(({ maps }) => [
    ...new BigInt64Array(maps.out!.get(new Uint8Array(4))!.slice().buffer),
  ]);
  expect(values[0]).toEqual(values[1]);
  engines.native.close();
  const [answer = 0n, ...words] = values[0]!;
  return [answer, words];
}

const word = (bytes: readonly number[]) =>
  new DataView(Uint8Array.from(bytes).buffer).getUint32(0, true) | 0;

/** struct bpf_fib_lookup at r10 - 64. */
function route(family: number, destination: readonly number[], length = 0, flags = 0) {
  const words = Array.from({ length: destination.length / 4 }, (_, i) =>
    word(destination.slice(4 * i, 4 * i + 4)),
  );
  return ask(
    'sched_cls',
    `*(u8 *)(r10 - 64) = ${family}
*(u16 *)(r10 - 58) = ${length}
${words.map((value, i) => `*(u32 *)(r10 - ${32 - 4 * i}) = ${value}`).join('\n')}
r1 = r6\nr2 = r10\nr2 += -64\nr3 = 64\nr4 = ${flags}\ncall bpf_fib_lookup`,
  );
}

/** struct bpf_sock_tuple at r10 - 64; the mark (of a half one: the port) of the socket found, or -1. */
function socket(helper: string, tuple: readonly number[]) {
  const offset = helper.startsWith('skc') ? 44 : 16;
  const words = Array.from({ length: tuple.length / 4 }, (_, i) =>
    word(tuple.slice(4 * i, 4 * i + 4)),
  );
  const [answer] = ask(
    'sched_cls',
    `${words.map((value, i) => `*(u32 *)(r10 - ${64 - 4 * i}) = ${value}`).join('\n')}
r1 = r6\nr2 = r10\nr2 += -64\nr3 = ${tuple.length}\nr4 = -1\nr5 = 0\ncall bpf_${helper}
if r0 == 0 goto none
r7 = *(u32 *)(r0 + ${offset})
r1 = r0\ncall bpf_sk_release\nr0 = r7\ngoto found
none:\nr0 = -1\nfound:`,
  );
  return answer;
}

const PORT_80 = [0, 80];
const V6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

describe('surroundings', () => {
  it('routes by the longest prefix', () => {
    const [found, words] = route(2, [10, 0, 0, 9]);
    expect([found, words[1]! & 0xffffffffn]).toEqual([0n, 3n]);
    expect(route(2, [8, 8, 8, 8])[0]).toBe(0n);
    expect(route(2, [10, 1, 2, 3])[0]).toBe(7n);
    expect(route(2, [10, 1, 2, 3], 0, 4)[0]).toBe(0n);
    expect(route(2, [10, 3, 2, 3])[0]).toBe(3n);
    expect(route(2, [10, 0, 0, 9], 101)[0]).toBe(8n);
    expect(route(2, [10, 0, 0, 9], 100)[0]).toBe(0n);
    expect(route(10, V6)[0]).toBe(0n);
    expect(route(10, [0xfe, 0x80, ...V6.slice(2)])[0]).toBe(4n);
    expect(route(7, [1, 2, 3, 4])[0]).toBe(-97n);
  });

  it('finds sockets: connected before listening', () => {
    const from = (...remote: readonly number[]) => [...remote, 10, 0, 0, 2];
    expect(socket('sk_lookup_tcp', [...from(10, 0, 0, 1), 4, 210, ...PORT_80])).toBe(9n);
    expect(socket('sk_lookup_tcp', [...from(10, 0, 0, 1), 4, 211, ...PORT_80])).toBe(7n);
    expect(socket('skc_lookup_tcp', [...from(1, 2, 3, 4), 4, 211, 0, 81])).toBe(-1n);
    expect(socket('sk_lookup_udp', [...from(1, 2, 3, 4), 4, 211, 0, 53])).toBe(11n);
    expect(socket('sk_lookup_udp', [...from(1, 2, 3, 4), 4, 211, ...PORT_80])).toBe(-1n);
    expect(socket('sk_lookup_tcp', [...V6, ...V6, 4, 210, 1, 187])).toBe(13n);
  });

  it('reads what the host has granted, and no more', () => {
    const read = (address: bigint, size: number) =>
      ask(
        'kprobe',
        `r1 = r10\nr1 += -64\nr2 = ${size}\nr3 = ${address} ll\ncall bpf_probe_read_kernel_str`,
      )[0];
    expect(read(0x7000_0000_0000n, 32)).toBe(8n);
    expect(read(0x7000_0000_0003n, 32)).toBe(5n);
    expect(read(0x7000_0000_0000n, 4)).toBe(4n);
    expect(read(0x6fff_ffff_ffffn, 4)).toBe(-34n);
    expect(read(0x7000_0000_0008n, 4)).toBe(-34n);
  });

  it('hands out the stack', () => {
    const stack = (size: number, flags: number) =>
      ask(
        'kprobe',
        `r1 = r6\nr2 = r10\nr2 += -64\nr3 = ${size}\nr4 = ${flags}\ncall bpf_get_stack`,
      );
    expect(stack(64, 0)).toEqual([24n, [0x1111n, 0x2222n, 0x3333n, 0n, 0n, 0n, 0n, 0n]]);
    expect(stack(16, 1)).toEqual([16n, [0x2222n, 0x3333n, 0n, 0n, 0n, 0n, 0n, 0n]]);
    expect(stack(16, 9)[0]).toBe(-14n);
    expect(stack(12, 0)[0]).toBe(-22n);
    const id = `r1 = r6\nr2 = map[traces] ll\nr3 = 0\ncall bpf_get_stackid`;
    expect(ask('kprobe', id)[0]).toBeLessThan(8n);
    expect(ask('kprobe', id, {})[0]).toBe(-14n);
  });

  it('says what is no address', () => {
    const run = (environment: Environment) => () => ask('kprobe', 'r0 = 0', environment);
    expect(run({ routes: [{ to: '10.0.0.0/33', ifindex: 1 }] })).toThrow(/not a network/);
    expect(run({ routes: [{ to: 'here', ifindex: 1 }] })).toThrow(/not an endpoint/);
    expect(run({ routes: [{ to: '::/0', ifindex: 1, gateway: '1.2.3.4' }] })).toThrow(/family/);
    expect(run({ sockets: [{ protocol: 'tcp', local: '1.2.3.4:99999' }] })).toThrow(/65535/);
  });
});
