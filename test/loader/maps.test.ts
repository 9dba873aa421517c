/**
 * Native maps against plain models: same results, same error codes, same contents after any sequence
 * of operations.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMap, type ExtensionMap, MapError, type UpdateMode } from '../../loader/index.ts';
import { mapSpec } from './machine-code.ts';

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const number = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

/** The result of an operation, or the code of its error. */
function attempt<T>(operation: () => T): T | string {
  try {
    return operation();
  } catch (error) {
    if (error instanceof MapError) return error.code;
    throw error;
  }
}

const contents = (map: ExtensionMap) =>
  [...map.entries()]
    .map(([key, value]) => [number(key), number(value)] as const)
    .sort((a, b) => a[0] - b[0]);

type Operation = readonly ['set', number, number, UpdateMode] | readonly ['delete' | 'get', number];

const operations = (keys: number) =>
  fc.array(
    fc.oneof(
      fc.tuple(
        fc.constant('set' as const),
        fc.nat(keys),
        fc.nat(1000),
        fc.constantFrom<UpdateMode>('any', 'new', 'existing'),
      ),
      fc.tuple(fc.constantFrom('delete' as const, 'get' as const), fc.nat(keys)),
    ),
    { maxLength: 200 },
  );

function setModel(
  model: Map<number, number>,
  capacity: number,
  [, key, value, mode]: readonly ['set', number, number, UpdateMode],
) {
  if (model.has(key) ? mode === 'new' : mode === 'existing')
    return mode === 'new' ? 'EEXIST' : 'ENOENT';
  if (!model.has(key) && model.size >= capacity) return 'E2BIG';
  model.set(key, value);
  return undefined;
}

function apply(map: ExtensionMap, model: Map<number, number>, operation: Operation): void {
  const key = operation[1];
  if (operation[0] === 'set') {
    const result = attempt(() => map.set(u32(key), u64(operation[2]), operation[3]));
    expect(result).toBe(setModel(model, map.maxEntries, operation));
  } else if (operation[0] === 'delete') {
    expect(map.delete(u32(key))).toBe(model.delete(key));
  } else {
    const value = map.get(u32(key));
    expect(value && number(value)).toBe(model.get(key));
  }
}

describe('hash', () => {
  it.each([1, 3, 16, 200])('behaves like a Map of at most %i entries', (maxEntries) => {
    fc.assert(
      fc.property(operations(maxEntries * 2), (list) => {
        const map = createMap(mapSpec({ type: 'hash', maxEntries }));
        const model = new Map<number, number>();
        for (const operation of list) apply(map, model, operation);
        expect(contents(map)).toEqual([...model].sort((a, b) => a[0] - b[0]));
        map.close();
      }),
      { numRuns: 60 },
    );
  });

  it('survives changes while it is iterated', () => {
    const map = createMap(mapSpec({ type: 'hash', maxEntries: 64 }));
    for (let i = 0; i < 64; i++) map.set(u32(i), u64(i));
    let visited = 0;
    for (const [key, value] of map.entries()) {
      map.set(key, u64(number(value) + 1));
      map.delete(u32((number(key) + 32) % 64));
      visited++;
    }
    expect(visited).toBeGreaterThanOrEqual(32);
  });

  it('takes keys of any size and tells them apart', () => {
    for (const keySize of [1, 3, 5, 7, 8, 9, 16, 17, 40, 511]) {
      const map = createMap(mapSpec({ type: 'hash', keySize, maxEntries: 100 }));
      for (let i = 0; i < 100; i++)
        map.set(new Uint8Array(keySize).fill(7).fill(i, keySize - 1), u64(i));
      for (let i = 0; i < 100; i++)
        expect(number(map.get(new Uint8Array(keySize).fill(7).fill(i, keySize - 1))!)).toBe(i);
      map.close();
    }
  });
});

describe('lru_hash', () => {
  it('never refuses and never exceeds its size', () => {
    const map = createMap(mapSpec({ type: 'lru_hash', maxEntries: 50 }));
    for (let i = 0; i < 5000; i++) {
      map.set(u32(i), u64(i));
      expect(map.get(u32(i))).toBeDefined();
    }
    expect(map.keys().length).toBe(50);
    expect(map.get(u32(0))).toBeUndefined();
  });
});

describe('array', () => {
  it('has all its elements, and nothing else', () => {
    const map = createMap(mapSpec({ type: 'array', maxEntries: 3 }));
    expect(contents(map)).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    map.set(u32(2), u64(9));
    expect(contents(map)[2]).toEqual([2, 9]);
    expect(map.get(u32(3))).toBeUndefined();
    expect(attempt(() => map.set(u32(3), u64(1)))).toBe('E2BIG');
    expect(attempt(() => map.set(u32(0), u64(1), 'new'))).toBe('EEXIST');
    expect(attempt(() => map.delete(u32(0)))).toBe('EINVAL');
  });

  it('is shown by a view, unless frozen', () => {
    const map = createMap(mapSpec({ type: 'array' }));
    const view = map.view();
    view[8] = 42;
    expect(number(map.get(u32(1))!)).toBe(42);
    map.freeze();
    expect(() => map.view()).toThrow(TypeError);
    expect(attempt(() => map.set(u32(0), u64(1)))).toBe('EPERM');
    map.close();
    expect(view[8]).toBe(42);
  });

  it('starts with the content of its specification', () => {
    const map = createMap(
      mapSpec({ type: 'array', initial: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2), frozen: true }),
    );
    expect(contents(map)).toEqual([
      [0, 1],
      [1, 2],
      [2, 0],
      [3, 0],
    ]);
  });
});

describe('lpm_trie', () => {
  const key = (bits: number, address: number) => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bits, true);
    view.setUint32(4, address);
    return bytes;
  };
  const masked = (bits: number, address: number) =>
    (bits === 0 ? 0 : (address >>> (32 - bits)) << (32 - bits)) >>> 0;

  it('finds the longest prefix after any inserts and deletes', () => {
    const entry = fc.tuple(
      fc.nat(32),
      fc.constantFrom(0, 0xffffffff, 0x0a000000, 0x0a0000ff, 0xc0a80000, 0xc0a80101),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (list) => {
        const map = createMap(mapSpec({ type: 'lpm_trie', keySize: 8, flags: 1, maxEntries: 20 }));
        const model = new Map<string, readonly [number, number, number]>();
        list.forEach(([bits, address, insert], i) => {
          const name = `${bits}/${masked(bits, address)}`;
          if (!insert) expect(map.delete(key(bits, address))).toBe(model.delete(name));
          else if (!model.has(name) && model.size === 20)
            expect(attempt(() => map.set(key(bits, address), u64(i)))).toBe('ENOSPC');
          else {
            map.set(key(bits, address), u64(i));
            model.set(name, [bits, masked(bits, address), i]);
          }
          for (const probe of [0, 0xffffffff, 0x0a000001, 0x0a0000ff, 0xc0a80101]) {
            const best = [...model.values()]
              .filter(([b, a]) => masked(b, probe) === a)
              .sort((a, b) => b[0] - a[0])[0];
            const found = map.get(key(32, probe));
            expect(found && number(found)).toBe(best?.[2]);
          }
        });
        expect(map.keys().length).toBe(model.size);
        map.close();
      }),
      { numRuns: 60 },
    );
  });

  it('insists on the flag that the kernel insists on', () => {
    expect(attempt(() => createMap(mapSpec({ type: 'lpm_trie', keySize: 8 })))).toBe('EINVAL');
  });
});

describe('queue, stack, bloom_filter', () => {
  const spec = { keySize: 0, maxEntries: 3 };
  it.each([
    ['queue', 1],
    ['stack', 3],
  ])('%s gives values back in its order', (type, first) => {
    const map = createMap(mapSpec({ ...spec, type }));
    for (const i of [1, 2, 3]) map.push(u64(i));
    expect(attempt(() => map.push(u64(4)))).toBe('E2BIG');
    expect(number(map.peek()!)).toBe(first);
    expect(number(map.pop()!)).toBe(first);
    map.push(u64(5));
    map.push(u64(6), 'replace');
    expect([1, 2, 3].map(() => number(map.pop()!))).toEqual(
      type === 'queue' ? [3, 5, 6] : [6, 5, 2],
    );
    expect(map.pop()).toBeUndefined();
  });

  it('a bloom filter never forgets', () => {
    const map = createMap(mapSpec({ ...spec, type: 'bloom_filter', maxEntries: 1000 }));
    for (let i = 0; i < 1000; i++) map.push(u64(i));
    for (let i = 0; i < 1000; i++) expect(map.mayContain(u64(i))).toBe(true);
    const falsely = Array.from({ length: 1000 }, (_, i) => map.mayContain(u64(1_000_000 + i)));
    expect(falsely.filter(Boolean).length).toBeLessThan(100);
  });
});

describe('creation', () => {
  it.each([
    [{ type: 'array', keySize: 8 }, 'EINVAL'],
    [{ type: 'array', maxEntries: 0 }, 'EINVAL'],
    [{ type: 'hash', valueSize: 0 }, 'EINVAL'],
    [{ type: 'hash', maxEntries: 0xffffffff, valueSize: 1 << 20 }, 'E2BIG'],
    [{ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 1000 }, 'EINVAL'],
    [{ type: 'queue', keySize: 4 }, 'EINVAL'],
  ])('refuses %o with %s', (part, code) => {
    expect(attempt(() => createMap(mapSpec(part)))).toBe(code);
  });

  it('answers an error or a map to any sizes, and never more than there is', () => {
    const size = fc.oneof(
      fc.nat(64),
      fc.nat(2 ** 32 - 1),
      fc.nat(31).map((bit) => 2 ** bit),
    );
    const shapes = fc.record({
      type: fc.constantFrom(
        'array',
        'percpu_array',
        'hash',
        'lpm_trie',
        'queue',
        'bloom_filter',
        'devmap',
        'arena',
      ),
      keySize: fc.oneof(fc.constantFrom(0, 4, 8), size),
      valueSize: size,
      maxEntries: fc.oneof(fc.nat(64), fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 })),
    });
    fc.assert(
      fc.property(shapes, (shape) => {
        // What is touched at once takes its time, and so do the many buckets of a large hash.
        const flags = shape.type === 'hash' || shape.type === 'lpm_trie' ? 1 : 0;
        const outcome = attempt(() => createMap(mapSpec({ ...shape, flags })));
        if (typeof outcome === 'string') expect(outcome).toMatch(/^(E2BIG|EINVAL|ENOMEM|ERANGE)$/);
        else outcome.close();
      }),
      { numRuns: 300 },
    );
    const huge = { type: 'hash', keySize: 8, valueSize: 8, maxEntries: 200_000_000 };
    expect(attempt(() => createMap(mapSpec(huge)))).toMatch(/^(E2BIG|ENOMEM)$/);
  });

  it('refuses keys and values of another size, and types that are not implemented', () => {
    const map = createMap(mapSpec({ type: 'hash' }));
    expect(() => map.get(new Uint8Array(3))).toThrow(RangeError);
    expect(() => map.set(u32(1), new Uint8Array(9))).toThrow(/8 bytes, not 9/);
    expect(() => createMap(mapSpec({ type: 'struct_ops' }))).toThrow(
      /struct_ops is not implemented/,
    );
    map.close();
    expect(() => map.get(u32(0))).toThrow(/closed/);
  });
});
