/**
 * The same calls on two maps, one in the kernel, one of ours, or a model: answers and error numbers must
 * be equal. The order of keys is each map's own affair: iteration is compared as the set of keys that
 * it shows.
 */
import fc from 'fast-check';
import { errnoName } from '../../loader/errno.ts';
import type { Answer, Shape, Side } from './map-sides.ts';

export interface Subject {
  readonly shape: Shape;
  readonly keys: readonly Uint8Array[];
  readonly values: readonly Uint8Array[];
}

const shapeOf = (type: string, part: Partial<Shape> = {}): Shape => ({
  type,
  keySize: 4,
  valueSize: 8,
  maxEntries: 4,
  flags: 0,
  extra: 0,
  ...part,
});

const word = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const long = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const VALUES = [0, 1, 2, 77].map(long);
const INDICES = [0, 1, 3, 4, 5, 0xffffffff].map(word);
const prefix = (bits: number, address: number) => {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setUint32(0, bits, true);
  new DataView(key.buffer).setUint32(4, address);
  return key;
};
const PREFIXES = [0, 1, 8, 9, 16, 31, 32, 33].flatMap((bits) =>
  [0, 0x0a000000, 0x0a800001, 0xffffffff].map((address) => prefix(bits, address)),
);
/** Evicting is the kernel's affair: with room for all keys nothing is evicted. */
const ROOM = { maxEntries: 4096 };

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  hash: { shape: shapeOf('hash'), keys: INDICES, values: VALUES },
  'hash without preallocation': {
    shape: shapeOf('hash', { flags: 1 }),
    keys: INDICES,
    values: VALUES,
  },
  'hash of one': { shape: shapeOf('hash', { maxEntries: 1 }), keys: INDICES, values: VALUES },
  'read-only hash': { shape: shapeOf('hash', { flags: 1 << 3 }), keys: INDICES, values: VALUES },
  'write-only hash': { shape: shapeOf('hash', { flags: 1 << 4 }), keys: INDICES, values: VALUES },
  'hash read-only for programs': {
    shape: shapeOf('hash', { flags: 1 << 7 }),
    keys: INDICES,
    values: VALUES,
  },
  'per-CPU hash': { shape: shapeOf('percpu_hash'), keys: INDICES, values: VALUES },
  'LRU hash': { shape: shapeOf('lru_hash', ROOM), keys: INDICES, values: VALUES },
  'LRU hash, own lists': {
    shape: shapeOf('lru_hash', { ...ROOM, flags: 2 }),
    keys: INDICES,
    values: VALUES,
  },
  'per-CPU LRU hash': { shape: shapeOf('lru_percpu_hash', ROOM), keys: INDICES, values: VALUES },
  array: { shape: shapeOf('array'), keys: INDICES, values: VALUES },
  'write-only array': { shape: shapeOf('array', { flags: 1 << 4 }), keys: INDICES, values: VALUES },
  'per-CPU array': { shape: shapeOf('percpu_array'), keys: INDICES, values: VALUES },
  trie: {
    shape: shapeOf('lpm_trie', { keySize: 8, flags: 1, maxEntries: 6 }),
    keys: PREFIXES,
    values: VALUES,
  },
  queue: { shape: shapeOf('queue', { keySize: 0 }), keys: [new Uint8Array()], values: VALUES },
  stack: { shape: shapeOf('stack', { keySize: 0 }), keys: [new Uint8Array()], values: VALUES },
  'bloom filter': {
    shape: shapeOf('bloom_filter', { keySize: 0, maxEntries: 4096 }),
    keys: VALUES,
    values: VALUES,
  },
  'ring buffer': {
    shape: shapeOf('ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }),
    keys: [new Uint8Array()],
    values: [new Uint8Array()],
  },
  'user ring buffer': {
    shape: shapeOf('user_ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }),
    keys: [new Uint8Array()],
    values: [new Uint8Array()],
  },
  arena: {
    shape: shapeOf('arena', { keySize: 0, valueSize: 0, flags: 1 << 10 }),
    keys: [new Uint8Array()],
    values: [new Uint8Array()],
  },
  // Interface 1 is the loopback interface; others do not exist.
  devmap: { shape: shapeOf('devmap', { valueSize: 4 }), keys: INDICES, values: [word(1)] },
  'devmap with programs': {
    shape: shapeOf('devmap', { valueSize: 8 }),
    keys: INDICES,
    values: [1, 1 + 2 ** 32].map(long),
  },
  'hash of devices': {
    shape: shapeOf('devmap_hash', { valueSize: 4 }),
    keys: INDICES,
    values: [word(1)],
  },
  cpumap: {
    shape: shapeOf('cpumap', { valueSize: 4, maxEntries: 2 }),
    keys: [0, 1, 2, 5].map(word),
    values: [0, 64, 192, 16384, 16385].map(word),
  },
  'stack traces': { shape: shapeOf('stack_trace'), keys: INDICES, values: VALUES },
};

const FLAGS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 16];

/** One call; key and value are places in the subject's lists. */
export interface Step {
  readonly name: 'lookup' | 'update' | 'remove' | 'keys' | 'take' | 'freeze';
  readonly key: number;
  readonly value: number;
  readonly flags: number;
}

/** Freezing ends what can be seen, so it is rare, and not in long lists. */
export const steps = (maxLength: number, minLength = 0): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      name: fc.oneof(
        { weight: 48, arbitrary: fc.constant('update' as const) },
        { weight: 20, arbitrary: fc.constantFrom('lookup' as const, 'remove' as const) },
        { weight: 10, arbitrary: fc.constantFrom('keys' as const, 'take' as const) },
        { weight: maxLength > 100 ? 0 : 1, arbitrary: fc.constant('freeze' as const) },
      ),
      key: fc.nat(1000),
      value: fc.nat(1000),
      flags: fc.constantFrom(...FLAGS),
    }),
    { minLength, maxLength, size: 'max' },
  );

/** Every key that iteration shows, in order of bytes. */
function keysOf(side: Side): string {
  const found: string[] = [];
  let key: Uint8Array | undefined;
  for (;;) {
    const { result, bytes } = side.next(key);
    if (result < 0) return `${found.sort().join(' ')} ${errnoName(result)}`;
    found.push(bytes);
    key = new Uint8Array(Buffer.from(bytes, 'hex'));
    if (found.length > 10_000) return 'endless';
  }
}

const show = ({ result, bytes }: Answer) => (result < 0 ? errnoName(result) : `0 ${bytes}`);

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length]!;

function call(side: Side, { keys, values }: Subject, step: Step): string {
  const [key, value] = [pick(keys, step.key), pick(values, step.value)];
  switch (step.name) {
    case 'lookup':
      return show(side.lookup(key, step.flags));
    case 'update':
      return show(side.update(key, value, step.flags));
    case 'remove':
      return show(side.remove(key));
    case 'take':
      return show(side.take(key));
    case 'keys':
      return keysOf(side);
    case 'freeze':
      return errnoName(side.freeze());
    default:
      return step.name satisfies never;
  }
}

/** Where two sides answer differently, or undefined; both are closed. */
export function differenceIn(
  subject: Subject,
  list: readonly Step[],
  open: readonly [(shape: Shape) => Side | number, (shape: Shape) => Side | number],
): string | undefined {
  const sides = open.map((each) => each(subject.shape));
  try {
    for (const [at, step] of list.entries()) {
      const [a, b] = sides.map((side) =>
        typeof side === 'number' ? `no map: ${errnoName(side)}` : call(side, subject, step),
      );
      if (a !== b) return `step ${at}, ${step.name}, flags ${step.flags}: ${a}, but ours ${b}`;
    }
    return undefined;
  } finally {
    for (const side of sides) if (typeof side !== 'number') side.close();
  }
}
