/**
 * Local storage by identity, and user ring buffers: maps that programs and the host fill for each
 * other. Natively and on the reference engine alike.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBtf } from '../../btf/index.ts';
import { assembleProgram } from '../../isa/index.ts';
import { createMap, MapError } from '../../loader/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { loadBoth } from './compiled.ts';
import { mapSpec } from './machine-code.ts';

const NUMBERS = new Map(HELPERS.map(({ id, name }) => [name, id]));
const packet = new Uint8Array(64);

/** The kernel's types say what the current task is; without them the verifier knows of none. */
const TYPES = '/sys/kernel/btf/vmlinux';
const hasTypes = existsSync(TYPES);
const kernelBtf = hasTypes ? parseBtf(readFileSync(TYPES), TYPES) : undefined;

function open(text: string) {
  const program = assembleProgram(`.name test\n.license GPL\n${text}\nexit`, 'storage.s', NUMBERS);
  const engines = loadBoth(program, {}, kernelBtf === undefined ? {} : { kernelBtf });
  if (engines === undefined) throw new Error('the program is not accepted');
  return engines;
}

const word = (bytes: Uint8Array | undefined) =>
  bytes && Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);

/** Counts runs in the storage of the object that r2 is set to; r0 = 0 if it has none. */
const count = (map: string, helper: string, object: string, flags = 1) => `
.map bytes ${map} key 4 value 8 entries 0 flags 1
${object}
*(u64 *)(r10 - 8) = 40
r3 = r10
r3 += -8
r1 = map[bytes] ll
r4 = ${flags}
call ${helper}
if r0 == 0 goto out
r1 = *(u64 *)(r0 + 0)
r1 += 1
*(u64 *)(r0 + 0) = r1
r0 = 1
out:`;
const SOCKET = `.type cgroup_skb
r2 = *(u64 *)(r1 + 168)
r0 = 0
if r2 == 0 goto out`;
const TASK = `.type tracepoint
call bpf_get_current_task_btf
r2 = r0`;

describe('local storage', () => {
  it.each([
    ['socket', 'sk_storage', 'bpf_sk_storage_get', SOCKET] as const,
    ...(hasTypes ? [['task', 'task_storage', 'bpf_task_storage_get', TASK] as const] : []),
  ] as const)('of a %s is kept by its identity', (which, type, helper, object) => {
    const { native, reference } = open(count(type, helper, object));
    for (const extension of [native, reference] as const) {
      const input = which === 'socket' ? { packet } : {};
      const run = (identity: number | bigint) =>
        extension.run({ ...input, identity: { [which]: identity } });
      expect([run(7), run(2n ** 64n - 1n), run(7)]).toEqual([1, 1, 1]);
      const map = extension.maps.bytes!;
      expect(map.keySize).toBe(8);
      expect(word(map.get(u64(7)))).toBe(42);
      expect([...map.entries()].map(([, value]) => word(value)).sort()).toEqual([41, 42]);
      map.delete(u64(7));
      expect(word(map.get(u64(7)))).toBeUndefined();
      map.set(u64(7), u64(100));
      run(7);
      expect(word(map.get(u64(7)))).toBe(101);
    }
    native.close();
  });

  it('is not made unless asked for, and a run without a number has a default one', () => {
    const { native, reference } = open(count('sk_storage', 'bpf_sk_storage_get', SOCKET, 0));
    for (const extension of [native, reference] as const) {
      expect(extension.run({ packet })).toBe(0);
      extension.maps.bytes!.set(u64(1), u64(5));
      expect(extension.run({ packet })).toBe(1);
      expect(extension.run({ packet, identity: { socket: 9 } })).toBe(0);
      expect(extension.run({ packet })).toBe(1);
      expect(word(extension.maps.bytes!.get(u64(1)))).toBe(7);
    }
    expect(native.maps.bytes!.get(1)).toBeDefined();
    native.close();
  });

  it('is deleted by programs', () => {
    const { native, reference } = open(`.type sched_cls
.map bytes sk_storage key 4 value 8 entries 0 flags 1
r2 = *(u64 *)(r1 + 168)
r0 = 0
if r2 == 0 goto out
r1 = map[bytes] ll
call bpf_sk_storage_delete
out:`);
    for (const extension of [native, reference] as const) {
      extension.maps.bytes!.set(u64(3), u64(1));
      const identity = { socket: 3 };
      expect(extension.run({ packet, identity }) | 0).toBe(0);
      expect(extension.run({ packet, identity }) | 0).toBe(-2);
    }
    native.close();
  });

  it.each(['cgroup_storage', 'percpu_cgroup_storage'])(
    '%s has one value for each group',
    (type) => {
      const { native, reference } = open(`.type cgroup_skb
.map bytes ${type} key 8 value 8 entries 0
r1 = map[bytes] ll
r2 = 0
call bpf_get_local_storage
r1 = *(u64 *)(r0 + 0)
r1 += 1
*(u64 *)(r0 + 0) = r1
call bpf_get_current_cgroup_id
r0 &= 1`);
      for (const extension of [native, reference] as const) {
        extension.fix({ cpu: 0 });
        const run = (cgroup: number) => extension.run({ packet, identity: { cgroup } });
        expect([run(5), run(6), run(5)]).toEqual([1, 0, 1]);
        expect([5, 6].map((group) => word(extension.maps.bytes!.get(u64(group))))).toEqual([2, 1]);
      }
      native.close();
    },
  );

  it('is made with the sizes that the kernel wants', () => {
    const refused = (part: object) => {
      try {
        createMap(mapSpec({ type: 'sk_storage', flags: 1, maxEntries: 0, ...part })).close();
        return undefined;
      } catch (error) {
        return error instanceof MapError ? error.code : String(error);
      }
    };
    expect(refused({})).toBeUndefined();
    expect(refused({ flags: 0 })).toBe('EINVAL');
    expect(refused({ maxEntries: 1 })).toBe('EINVAL');
    expect(refused({ keySize: 8 })).toBe('EINVAL');
    expect(refused({ valueSize: 70_000 })).toBe('E2BIG');
  });
});

/** Sums the first word of each record; stops after one that begins with 99. */
const DRAIN = (flags = 0) => `.type sched_cls
.map ring user_ringbuf key 0 value 0 entries 4096
*(u64 *)(r10 - 8) = 0
r1 = map[ring] ll
r2 = func[sum]
r3 = r10
r3 += -8
r4 = ${flags}
call bpf_user_ringbuf_drain
r1 = *(u64 *)(r10 - 8)
r0 <<= 16
r0 |= r1
exit
sum:
r6 = r2
r3 = r1
r1 = r10
r1 += -8
*(u64 *)(r10 - 8) = 0
r2 = 8
r4 = 0
r5 = 0
call bpf_dynptr_read
r1 = *(u64 *)(r10 - 8)
r2 = *(u64 *)(r6 + 0)
r2 += r1
*(u64 *)(r6 + 0) = r2
r0 = 0
if r1 != 99 goto done
r0 = 1
done:`;

describe('user ring buffers', () => {
  const answer = (samples: number, sum: number) => samples * 65_536 + sum;

  it('hand records of the host to a callback, in order, until it has enough', () => {
    const { native, reference } = open(DRAIN());
    for (const extension of [native, reference] as const) {
      const ring = extension.maps.ring!;
      expect(extension.run({ packet })).toBe(0);
      for (const value of [1, 2, 99, 4, 5]) ring.produce(u64(value));
      expect(extension.run({ packet })).toBe(answer(3, 102));
      expect(extension.run({ packet })).toBe(answer(2, 9));
      expect(extension.run({ packet })).toBe(0);
    }
    native.close();
  });

  it('take records of any size up to their own, wrap around, and say when they are full', () => {
    const { native } = open(DRAIN());
    const ring = native.maps.ring!;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 3; i++) ring.produce(new Uint8Array(1000 + round));
      expect(native.run({ packet }) >>> 16).toBe(3);
    }
    ring.produce(new Uint8Array(4088));
    expect(() => ring.produce(new Uint8Array(1))).toThrow(/ENOSPC/);
    expect(() => ring.produce(new Uint8Array(4089))).toThrow(/E2BIG/);
    expect(ring.pendingBytes).toBe(4096);
    expect(() => ring.consume()).toThrow(/EOPNOTSUPP/);
    native.close();
  });

  it('refuse unknown flags', () => {
    const { native, reference } = open(DRAIN(4));
    for (const extension of [native, reference] as const)
      expect(extension.run({ packet })).toBe((-22 << 16) >>> 0);
    native.close();
  });
});

it('redirects through a hash of sockets say by which key', () => {
  const { native, reference } = open(`.type sk_skb
.map sockets sockhash key 12 value 4 entries 4
r6 = r1
*(u64 *)(r10 - 16) = 0x11223344
*(u32 *)(r10 - 8) = 7
r2 = map[sockets] ll
r3 = r10
r3 += -16
r4 = 1
call bpf_sk_redirect_hash`);
  const key = Uint8Array.of(0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0, 7, 0, 0, 0);
  for (const extension of [native, reference] as const) {
    expect(extension.test({ packet })).toMatchObject({ r0: 0n, redirect: undefined });
    extension.maps.sockets!.set(key, new Uint8Array(4));
    const { r0, redirect } = extension.test({ packet });
    expect([r0, redirect]).toEqual([
      1n,
      { kind: 'redirect-map', ifindex: 0, flags: 1n, key: 0, keyBytes: key },
    ]);
    expect(extension.maps.sockets!.delete(key)).toEqual(extension === native ? true : 0n);
    expect(extension.test({ packet }).redirect).toBeUndefined();
  }
  native.close();
});
