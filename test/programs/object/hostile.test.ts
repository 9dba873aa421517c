/**
 * Mutated and truncated objects: an InputError with a place, or programs; nothing else, and soon.
 * OBJECT_MUTATIONS sets the number of mutations (100,000 before a release).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBtf } from '../../../btf/index.ts';
import { InputError } from '../../../isa/index.ts';
import { readObject } from '../../../programs/object/index.ts';

const MUTATIONS = Number(process.env.OBJECT_MUTATIONS ?? 3000);
/** One file of 10 KB takes about a millisecond; a slow machine may take fifty. */
const MAX_MILLISECONDS = 2000;

const fixture = (path: string) => readFileSync(new URL(path, import.meta.url));
const OBJECTS = [
  'fixtures/linked.bpf.o',
  'fixtures/core.bpf.o',
  'fixtures/legacy.bpf.o',
  'fixtures/gcc.bpf.o',
  '../../../programs/samples/firewall.bpf.o',
  '../../../programs/samples/balancer.bpf.o',
].map((path) => ({ name: path.replace(/^.*\//, ''), bytes: fixture(path) }));
const kernelBtf = parseBtf(fixture('fixtures/kernel.btf'), 'kernel.btf');

/** Reads the file; faults of the file are fine, anything else is ours. */
function attempt(bytes: Uint8Array, name: string): 'read' | 'refused' {
  const start = performance.now();
  try {
    readObject(bytes, name, { kernelBtf });
    return 'read';
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.offset).toBeGreaterThanOrEqual(0);
    expect(error.offset).toBeLessThanOrEqual(bytes.length + 1);
    return 'refused';
  } finally {
    const taken = performance.now() - start;
    if (taken > MAX_MILLISECONDS) expect.fail(`${name} took ${taken} ms`);
  }
}

/** Linear congruential: the same mutants every time. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

const INTERESTING = [0, 1, 2, 4, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** A few changes of one to eight bytes, half of them in the tables at the end or in headers. */
function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = Buffer.from(original);
  const sections = Number(bytes.readBigUInt64LE(40));
  for (let i = random(6); i >= 0; i--) {
    const place = random(4);
    const at =
      place === 0
        ? sections + random(bytes.length - sections)
        : place === 1
          ? random(64)
          : random(bytes.length);
    switch (random(5)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random(8);
        break;
      case 2:
        if (at + 4 <= bytes.length)
          bytes.writeUInt32LE(INTERESTING[random(INTERESTING.length)]!, at & ~3);
        break;
      case 3:
        if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(BigInt(random(bytes.length)), at & ~7);
        break;
      default: {
        const from = random(bytes.length);
        bytes.copy(bytes, at, from, Math.min(bytes.length, from + random(64)));
      }
    }
  }
  return random(20) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

describe('hostile objects', () => {
  it('refuses every truncation or reads what is whole', () => {
    for (const { name, bytes } of OBJECTS)
      for (let length = 0; length < bytes.length; length += 1 + (length >> 6))
        expect(attempt(bytes.subarray(0, length), name)).toBe('refused');
  });

  it(`survives ${MUTATIONS} mutations`, { timeout: 3_600_000 }, () => {
    let read = 0;
    for (let run = 0; run < MUTATIONS; run++) {
      const { name, bytes } = OBJECTS[run % OBJECTS.length]!;
      if (attempt(mutate(bytes, generator(run + 1)), name) === 'read') read++;
    }
    // Both outcomes must be common, or the mutants test only the first check.
    expect(read).toBeGreaterThan(MUTATIONS / 20);
    expect(read).toBeLessThan((MUTATIONS * 19) / 20);
  });

  it('says what is no object at all', () => {
    expect(() => readObject(new Uint8Array(), 'empty')).toThrow('empty, byte 0: not an ELF file');
    const other = Buffer.from(OBJECTS[0]!.bytes);
    other.writeUInt16LE(62, 18);
    expect(() => readObject(other, 'x86.o')).toThrow('machine 62 is not BPF');
    const big = Buffer.from(OBJECTS[0]!.bytes);
    big[5] = 2;
    expect(() => readObject(big, 'eb.o')).toThrow('little-endian');
  });
});
