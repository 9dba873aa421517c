/** Map keys and values as JavaScript values, by the BTF of real objects. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { TypedValue } from '../../btf/index.ts';
import { compile } from '../../jit/index.ts';
import { createMap, load } from '../../loader/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { verify } from '../../verifier/index.ts';
import { clang, compileC } from '../support/c-programs.ts';

const sample = (name: string) => {
  const path = fileURLToPath(new URL(`../../programs/samples/${name}.bpf.o`, import.meta.url));
  const [program] = readObject(readFileSync(path), name);
  const verdict = verify(program!);
  if (!verdict.ok) throw new Error(`${name} is not accepted`);
  return load(compile(verdict.proof), { lifetime: 'replaceable' });
};

describe('typed maps', () => {
  it('take and give values by BTF', () => {
    using extension = sample('ports');
    const services = extension.maps.services!;
    expect(services.typed).toBe(true);
    extension.run({ packet: tcpTo(443) });
    const entries = [...services.typedEntries()];
    expect(entries).toHaveLength(1);
    const [key, value] = entries[0]!;
    expect(services.get(key)).toEqual(value);
    services.set(key, value, 'existing');
    expect(services.delete(key)).toBe(true);
    expect(() => services.get({ nonsense: 1 })).toThrow(TypeError);
  });

  it.skipIf(clang === undefined)(
    'refuse values with kernel pointers, and keep locks out of copies',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
      const objectOf = (value: string) => {
        writeFileSync(
          join(folder, 'm.c'),
          `struct task_struct;
struct bpf_spin_lock { unsigned val; };
struct bpf_task_work { unsigned long long opaque; } __attribute__((aligned(8)));
struct value { ${value} int data; };
struct { int (*type)[1]; int (*max_entries)[4]; int *key; struct value *value; } m __attribute__((section(".maps")));
__attribute__((section("xdp"), used)) int p(void *c) { return (long)&m ? 2 : 1; }
char _license[] __attribute__((section("license"))) = "GPL";`,
        );
        const out = join(folder, 'm.o');
        execFileSync(clang!, ['-target', 'bpf', '-g', '-O2', '-c', join(folder, 'm.c'), '-o', out]);
        return readObject(readFileSync(out), 'm.o')[0]!;
      };
      const work = objectOf('struct bpf_task_work t;');
      expect(() => createMap(work.maps[0]!, work.btf)).toThrow(/task-work .* not implemented/);
      const locked = objectOf('struct bpf_spin_lock l;');
      const map = createMap(locked.maps[0]!, locked.btf);
      map.set(new Uint8Array(4), new Uint8Array(8).fill(255));
      expect([...map.get(new Uint8Array(4))!]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
      expect(map.get(0)).toMatchObject({ data: -1 });
    },
  );
});

/** The C compiler lays the value out; both sides write it, and each reads what the other wrote. */
const LAYOUT = `
enum color { RED, GREEN = 7, BLUE = -3 };
enum big { SMALL, LARGE = 0x100000000000ULL };
typedef struct { s8_t x : 3; u8 y : 5; } __attribute__((packed)) nibble;
struct part { u16 port; u8 flags; u32 address; } __attribute__((packed));
struct value {
  u64 low : 7, middle : 40, high : 17;
  s32 negative : 5;
  u32 : 3;
  enum color color : 8;
  enum color plain;
  enum big big;
  _Bool yes;
  char name[6];
  u8 mac[6];
  struct part parts[2][3];
  union { u32 word; u8 bytes[4]; struct { u16 first, second; }; } either;
  struct { s64 inside; };
  u32 network; /* big-endian, and so it stays */
  s8_t small;
  double unused[0];
  u64 all;
};
struct key { u32 id; nibble n; };
MAP(values, 1, 4, struct key, struct value);
static void fill(struct value *v) {
  v->low = 100; v->middle = 0x8123456789; v->high = 0x1ffff; v->negative = -9;
  v->color = GREEN; v->plain = BLUE; v->big = LARGE; v->yes = 1;
  __builtin_memcpy(v->name, "eth0", 4); __builtin_memcpy(v->mac, "\\x01\\x02\\x03\\xfd\\xfe\\xff", 6);
  v->parts[1][2].port = 443; v->parts[1][2].flags = 5; v->parts[1][2].address = 0x0a000001;
  v->parts[0][0].port = 1;
  v->either.word = 0x04030201; v->inside = -5000000000; v->network = __builtin_bswap32(0x7f000001);
  v->small = -128; v->all = -1;
}
SEC("tc") int put(void *ctx) {
  struct key key = {.id = 9, .n = {.x = -3, .y = 21}};
  struct value value;
  __builtin_memset(&value, 0, sizeof value);
  fill(&value);
  return map_update(&values, &key, &value, 0);
}
SEC("tc") int same(void *ctx) {
  struct key key = {.id = 9, .n = {.x = -3, .y = 21}};
  struct value value, *found = map_lookup(&values, &key);
  __builtin_memset(&value, 0, sizeof value);
  fill(&value);
  if (!found) return 2;
  return __builtin_memcmp(found, &value, sizeof value) != 0;
}`;

describe.skipIf(clang === undefined)('values that C lays out', () => {
  const programs = clang === undefined ? [] : compileC(`typedef signed char s8_t;${LAYOUT}`);
  const expected = {
    low: 100,
    middle: 0x81_2345_6789,
    high: 0x1ffff,
    negative: -9,
    color: 'GREEN',
    plain: 'BLUE',
    big: 'LARGE',
    yes: true,
    name: 'eth0',
    mac: Uint8Array.of(1, 2, 3, 0xfd, 0xfe, 0xff),
    either: { word: 0x04030201, bytes: Uint8Array.of(1, 2, 3, 4), first: 0x0201, second: 0x0403 },
    inside: -5_000_000_000,
    network: 0x0100007f,
    small: -128,
    all: 2n ** 64n - 1n,
  };
  const none = { port: 0, flags: 0, address: 0 };

  it('are read and written as they are declared: bit-fields, enums, nested arrays, unions', () => {
    const [put, same] = programs.map((program) => {
      const verdict = verify(program);
      if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
      return compile(verdict.proof);
    });
    const packet = new Uint8Array(64);
    const extensions = load([put!, same!], { lifetime: 'replaceable' });
    const { values } = extensions[0]!.maps;
    const key = { id: 9, n: { x: -3, y: 21 } };
    expect(extensions[0]!.run({ packet })).toBe(0);
    const value = values!.get(key) as Record<string, TypedValue>;
    expect(value).toMatchObject(expected);
    expect(value.parts).toEqual([
      [{ ...none, port: 1 }, none, none],
      [none, none, { port: 443, flags: 5, address: 0x0a000001 }],
    ]);
    expect([...values!.typedEntries()]).toEqual([[key, value]]);
    expect(extensions[1]!.run({ packet })).toBe(0);
    // Written from here, field by field, the program finds the bytes that it would write.
    values!.delete(key);
    expect(extensions[1]!.run({ packet })).toBe(2);
    values!.set(key, value);
    expect(extensions[1]!.run({ packet })).toBe(0);
    values!.set(key, { ...value, color: 'RED' });
    expect(extensions[1]!.run({ packet })).toBe(1);
    expect(() => values!.set(key, { low: 128 })).toThrow(RangeError);
    expect(() => values!.set(key, { color: 'PINK' })).toThrow(/no enumerator PINK/);
    for (const extension of extensions) extension.close();
  });
});

/** An Ethernet, IPv4 and TCP header. */
function tcpTo(port: number): Uint8Array {
  const frame = new Uint8Array(64);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, 50);
  view.setUint8(23, 6);
  view.setUint16(36, port);
  return frame;
}
