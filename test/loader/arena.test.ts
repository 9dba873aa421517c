/**
 * Arenas: pages come and go, what is not there reads as nothing, and JavaScript sees the same memory.
 * Natively, on the reference engine, and where the kernel runs programs, there too.
 */
import { describe, expect, it } from 'vitest';
import { kernelRefusal, loadIntoKernel } from '../../hosts/index.ts';
import { createMap, MapError } from '../../loader/index.ts';
import { clang, compileC } from '../support/c-programs.ts';
import { kernelBtf } from '../support/kernel-program.ts';
import { loadBoth } from './compiled.ts';
import { mapSpec } from './machine-code.ts';

const DECLARATIONS = `
#define __arena __attribute__((address_space(1)))
#define NULL ((void *)0)
struct { int (*type)[33]; int (*map_flags)[1 << 10]; int (*max_entries)[64]; } arena SEC(".maps");
extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, u32 page_cnt, int node_id, u64 flags) KSYM;
extern void bpf_arena_free_pages(void *map, void __arena *ptr, u32 page_cnt) KSYM;
extern int bpf_arena_reserve_pages(void *map, void __arena *ptr, u32 page_cnt) KSYM;
struct { s64 answers[16]; } seen;
struct node { struct node __arena *next; u64 value; };
`;

/** Sleepable, as the functions that allocate demand. */
const programs = () =>
  compileC(`${DECLARATIONS}
u64 __arena counter = 40;
struct node __arena *__arena head;
SEC("syscall") int count(void *ctx) { counter += 1; return counter; }
SEC("syscall") int push(void *ctx) {
  struct node __arena *node = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
  if (!node) return 1;
  node->value = counter++;
  node->next = head;
  head = node;
  return 0;
}
SEC("syscall") int sum(void *ctx) {
  u64 total = 0;
  struct node __arena *node = head;
  for (int i = 0; i < 100 && node; i++) { total += node->value; node = node->next; }
  return total;
}
SEC("syscall") int pages(void *ctx) {
  volatile char __arena *two = bpf_arena_alloc_pages(&arena, NULL, 2, -1, 0);
  seen.answers[0] = two != NULL;
  if (!two) return 1;
  two[4095] = 1; two[4096] = 2; two[8192] = 3;
  seen.answers[1] = two[4095] | two[4096] << 8 | two[8192] << 16;
  *(volatile u64 __arena *)(two + 4092) = 0x1122334455667000;
  seen.answers[2] = *(volatile u64 __arena *)(two + 4092);
  *(volatile u64 __arena *)(two + 8188) = -1;
  seen.answers[3] = *(volatile u64 __arena *)(two + 8188);
  seen.answers[4] = *(volatile u32 __arena *)(two + 8188);
  bpf_arena_free_pages(&arena, (void __arena *)two, 1);
  seen.answers[5] = two[4095] | two[4096] << 8;
  volatile char __arena *again = bpf_arena_alloc_pages(&arena, (void __arena *)two, 1, -1, 0);
  seen.answers[6] = again == two;
  seen.answers[7] = two[4095];
  seen.answers[8] = bpf_arena_alloc_pages(&arena, (void __arena *)two, 1, -1, 0) == NULL;
  seen.answers[9] = bpf_arena_alloc_pages(&arena, NULL, 65, -1, 0) == NULL;
  seen.answers[10] = bpf_arena_alloc_pages(&arena, NULL, 0, -1, 0) == NULL;
  seen.answers[11] = bpf_arena_alloc_pages(&arena, (void __arena *)two + 1, 1, -1, 0) == NULL;
  seen.answers[12] = bpf_arena_reserve_pages(&arena, (void __arena *)two, 1);
  seen.answers[13] = bpf_arena_reserve_pages(&arena, (void __arena *)two + 8192, 1);
  seen.answers[14] = bpf_arena_alloc_pages(&arena, (void __arena *)two + 8192, 1, -1, 0) == NULL;
  seen.answers[15] = bpf_arena_reserve_pages(&arena, (void __arena *)two + 63 * 4096, 2);
  return 0;
}
SEC("syscall") int wild(void *ctx) {
  u64 number = seen.answers[0];
  seen.answers[9] = counter;
  volatile u64 __arena *pointer = (volatile u64 __arena *)number;
  *pointer = 7;
  seen.answers[1] = *pointer;
  seen.answers[2] = pointer[-1];
  seen.answers[3] = __sync_fetch_and_add(pointer, 5);
  seen.answers[4] = __sync_val_compare_and_swap(pointer, 12, 1);
  seen.answers[5] = *pointer;
  __sync_fetch_and_add((volatile u32 __arena *)pointer, 1);
  seen.answers[6] = *(volatile signed char __arena *)pointer;
  return 0;
}`);

const answersOf = (extension: { readonly maps: Readonly<Record<string, unknown>> }) => {
  const maps = Object.values(extension.maps) as { name: string; get(key: Uint8Array): unknown }[];
  const bytes = maps
    .find(({ name }) => name.endsWith('.bss'))!
    .get(new Uint8Array(4)) as Uint8Array;
  return [...new BigInt64Array(bytes.slice().buffer)].map(Number);
};

describe.skipIf(clang !== 'clang-19')('arenas', () => {
  const all = clang === 'clang-19' ? programs() : [];
  const open = (name: string, maps?: object) => {
    const program = all.find((each) => each.name === name)!;
    const engines = loadBoth(program, maps === undefined ? {} : { maps: maps as never });
    if (engines === undefined) throw new Error(`${name} is not accepted`);
    return engines;
  };

  it('hold variables and lists, which JavaScript sees', () => {
    const { native, reference } = open('count');
    const { arena } = native.maps;
    const [push, sum] = [open('push', native.maps), open('sum', native.maps)];
    expect([native.run({}), native.run({})]).toEqual([41, 42]);
    expect([reference.run({}), reference.run({})]).toEqual([41, 42]);
    for (let i = 0; i < 3; i++) expect(push.native.run({})).toBe(0);
    expect(sum.native.run({})).toBe(42 + 43 + 44);
    const [counter, head] = new BigUint64Array(arena!.view(0, 16).buffer);
    expect(counter).toBe(45n);
    const node = arena!.view(Number(head! - arena!.start!), 16);
    const [next, value] = new BigUint64Array(node.buffer);
    expect([next! - arena!.start!, value]).toEqual([2n * 4096n, 44n]);
    new BigUint64Array(node.buffer)[1] = 100n;
    expect(sum.native.run({})).toBe(42 + 43 + 100);
    for (const extension of [native, push.native, sum.native]) extension.close();
  });

  it('give and take pages', () => {
    const { native, reference } = open('pages');
    for (const extension of [native, reference] as const) {
      expect(extension.run({})).toBe(0);
      expect(answersOf(extension)).toEqual([
        1, 0x201, 0x1122334455667000, 0, 0, 0x4400, 1, 0, 1, 1, 1, 1, -16, 0, 1, -22,
      ]);
    }
    native.close();
  });

  it.each([
    ['inside', 0n, [7, 0, 7, 12, 1, 2]],
    ['on a page that is not there', 40n * 4096n, [0, 0, 5, 12, 0, 0]],
    ['behind the end', 64n * 4096n, [0, 0, 5, 12, 0, 0]],
    ['before the start', -8n, [0, 0, 5, 12, 0, 0]],
  ])('are safe for any number as a pointer: %s', (_, distance, expected) => {
    const { native, reference } = open('wild');
    const start = native.maps.arena!.start!;
    native.maps.arena!.view(0, 4096);
    reference.maps.arena!.arena!.page(0);
    for (const extension of [native, reference] as const) {
      const key = new Uint8Array(4);
      const map = Object.values(extension.maps).find(({ name }) => name.endsWith('.bss'))!;
      const value = map.get(key) as Uint8Array;
      new DataView(value.buffer, value.byteOffset).setBigInt64(0, start + distance, true);
      map.set(key, value);
      expect(extension.run({})).toBe(0);
      expect(answersOf(extension).slice(1, 7)).toEqual(expected);
    }
    native.close();
  });

  /** Where user space would map it; the kernel wants to be told. */
  const START = 2 ** 44;

  it.skipIf(kernelRefusal() !== undefined).each(['pages', 'wild'])(
    'are as in the kernel: %s',
    (name) => {
      const found = all.find((each) => each.name === name)!;
      const maps = found.maps.map(({ initial, ...map }) =>
        map.type === 'arena'
          ? { ...map, mapExtra: START }
          : { ...map, ...(initial && { initial }) },
      );
      const program = { ...found, maps };
      const verdict = loadIntoKernel(program, { kernelBtf: kernelBtf() });
      if (!verdict.accepted) throw new Error(verdict.log);
      const { native } = loadBoth(program)!;
      const theirs = verdict.program.map('test.bss')!;
      const ours = Object.values(native.maps).find(({ name: each }) => each === theirs.spec.name)!;
      try {
        for (const distance of [40n * 4096n, 64n * 4096n, -8n]) {
          const value = new Uint8Array(theirs.spec.valueSize);
          new DataView(value.buffer).setBigInt64(0, BigInt(START) + distance, true);
          theirs.update(new Uint8Array(4), value);
          ours.set(new Uint8Array(4), value);
          verdict.program.testRun({ context: new Uint8Array(8) });
          native.run({});
          // Answer 9 of `wild` is a variable, which libbpf would have filled in.
          const answers = (bytes: Uint8Array) =>
            [...new BigInt64Array(bytes.slice().buffer)].slice(0, 9);
          expect(answers(ours.get(new Uint8Array(4))!)).toEqual(
            answers(theirs.lookup(new Uint8Array(4))!),
          );
        }
      } finally {
        verdict.program.close();
        native.close();
      }
    },
  );

  it('are made as the kernel makes them, and shown only where they reach', () => {
    const spec = { type: 'arena', keySize: 0, valueSize: 0, maxEntries: 4, flags: 1 << 10 };
    const refused = (part: object) => {
      try {
        createMap(mapSpec({ ...spec, ...part })).close();
        return undefined;
      } catch (error) {
        return error instanceof MapError ? error.code : String(error);
      }
    };
    expect(refused({})).toBeUndefined();
    expect(refused({ maxEntries: 2 ** 20 })).toBeUndefined();
    expect(refused({ maxEntries: 2 ** 20 + 1 })).toBe('E2BIG');
    expect(refused({ maxEntries: 0 })).toBe('EINVAL');
    expect(refused({ flags: 0 })).toBe('EINVAL');
    expect(refused({ flags: (1 << 10) | 1 })).toBe('EINVAL');
    expect(refused({ mapExtra: 100 })).toBe('EINVAL');
    expect(refused({ mapExtra: 2 ** 32 - 4096 })).toBe('ERANGE');
    const map = createMap(mapSpec(spec));
    expect(() => map.view(0, 4 * 4096 + 1)).toThrow(RangeError);
    expect(() => map.view(4 * 4096)).toThrow(RangeError);
    expect(map.view()).toHaveLength(4 * 4096);
    expect(() => map.get(new Uint8Array())).toThrow(/EINVAL/);
    map.close();
  });
});
