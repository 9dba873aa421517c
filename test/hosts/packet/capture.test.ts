/** Capture files: every kind, both byte orders; malformed ones are refused with their offset. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Capture, readCapture, writeCapture } from '../../../hosts/packet/index.ts';
import { InputError } from '../../../isa/index.ts';
import {
  block,
  enhancedBlock,
  interfaceBlock,
  join,
  pcapFile,
  sectionBlock,
  simpleBlock,
} from './capture-file.ts';

const ORDERS = ['little', 'big'] as const;
const FIRST = [1, 2, 3, 4, 5];
const SECOND = [9, 8, 7];

const packetsOf = ({ bytes, offsets, lengths }: Capture) =>
  Array.from(offsets, (offset, i) => [...bytes.subarray(offset, offset + lengths[i]!)]);
const read = (bytes: Uint8Array) => readCapture(bytes, 'x.pcap');

/** The InputError that reading throws. */
function refusal(bytes: Uint8Array): InputError {
  try {
    read(bytes);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

describe.each(ORDERS)('pcap, %s-endian', (order) => {
  it('has packets, lengths on the wire and microseconds', () => {
    const capture = read(
      pcapFile(order, 'microseconds', [
        { bytes: FIRST, seconds: 7, fraction: 123_456 },
        { bytes: SECOND, original: 1500, seconds: 4_000_000_000 },
      ]),
    );
    expect(packetsOf(capture)).toEqual([FIRST, SECOND]);
    expect([...capture.originalLengths]).toEqual([5, 1500]);
    expect([...capture.timestamps]).toEqual([7_123_456_000n, 4_000_000_000_000_000_000n]);
    expect(capture.linkType).toBe(1);
  });

  it('has nanoseconds and other link types', () => {
    const packets = [{ bytes: FIRST, seconds: 1, fraction: 999_999_999 }];
    const capture = read(pcapFile(order, 'nanoseconds', packets, 113));
    expect([...capture.timestamps]).toEqual([1_999_999_999n]);
    expect(capture.linkType).toBe(113);
  });

  it('leaves the frame check sequence bits out of the link type', () => {
    expect(read(pcapFile(order, 'microseconds', [], 0xf000_0001)).linkType).toBe(1);
  });

  it('may be empty of packets and may have empty packets', () => {
    expect(packetsOf(read(pcapFile(order, 'microseconds', [])))).toEqual([]);
    expect(packetsOf(read(pcapFile(order, 'microseconds', [{ bytes: [] }])))).toEqual([[]]);
  });

  it('is refused where it is cut', () => {
    const whole = pcapFile(order, 'microseconds', [{ bytes: FIRST }, { bytes: SECOND }]);
    expect(refusal(whole.subarray(0, 23))).toMatchObject({ offset: 0 });
    expect(refusal(whole.subarray(0, 24 + 15))).toMatchObject({ offset: 24 });
    expect(refusal(whole.subarray(0, 24 + 16 + 4))).toMatchObject({ offset: 24 });
    expect(refusal(whole.subarray(0, whole.length - 1))).toMatchObject({ offset: 24 + 21 });
  });

  it('is refused when a packet claims more bytes than there are', () => {
    const file = pcapFile(order, 'microseconds', [{ bytes: FIRST }]);
    new DataView(file.buffer).setUint32(24 + 8, 0xffff_ffff, order === 'little');
    expect(refusal(file)).toMatchObject({ file: 'x.pcap', offset: 24 });
  });
});

describe.each(ORDERS)('pcapng, %s-endian', (order) => {
  it('has enhanced packets in the units of their interface', () => {
    const capture = read(
      join(
        sectionBlock(order),
        interfaceBlock(order, 1, 0),
        interfaceBlock(order, 113, 0, 9),
        interfaceBlock(order, 1, 0, 0x80 | 10),
        enhancedBlock(order, FIRST, { low: 5 }),
        enhancedBlock(order, SECOND, { interface: 1, high: 1, low: 5, original: 99 }),
        enhancedBlock(order, [], { interface: 2, low: 2048 }),
      ),
    );
    expect(packetsOf(capture)).toEqual([FIRST, SECOND, []]);
    expect([...capture.originalLengths]).toEqual([5, 99, 0]);
    expect([...capture.timestamps]).toEqual([5000n, 2n ** 32n + 5n, 2_000_000_000n]);
    expect(capture.linkType).toBe(1);
  });

  it('has simple packets, cut at the snap length', () => {
    const capture = read(
      join(
        sectionBlock(order),
        interfaceBlock(order, 1, 3),
        simpleBlock(order, FIRST.slice(0, 3), 5),
        simpleBlock(order, [6, 6]),
      ),
    );
    expect(packetsOf(capture)).toEqual([
      [1, 2, 3],
      [6, 6],
    ]);
    expect([...capture.originalLengths]).toEqual([5, 2]);
  });

  it('skips blocks of other types', () => {
    const other = block(order, 0x0bad, Uint8Array.of(1, 2, 3));
    const capture = read(
      join(
        sectionBlock(order),
        other,
        interfaceBlock(order, 1, 0),
        other,
        enhancedBlock(order, FIRST),
      ),
    );
    expect(packetsOf(capture)).toEqual([FIRST]);
  });

  it('may have sections of the other byte order, each with its own interfaces', () => {
    const other = order === 'little' ? 'big' : 'little';
    const section = (each: 'little' | 'big', bytes: number[]) =>
      join(sectionBlock(each), interfaceBlock(each, 1, 0), enhancedBlock(each, bytes));
    expect(packetsOf(read(join(section(order, FIRST), section(other, SECOND))))).toEqual([
      FIRST,
      SECOND,
    ]);
    const orphan = join(section(order, FIRST), sectionBlock(other), enhancedBlock(other, SECOND));
    expect(refusal(orphan).message).toContain('interface that was not declared');
  });

  it('is refused with the place of the fault', () => {
    const head = join(sectionBlock(order), interfaceBlock(order, 1, 0));
    const refusalOf = (...parts: Uint8Array[]) => refusal(join(head, ...parts));
    const at = head.length;
    expect(refusalOf(Uint8Array.of(0, 0, 0))).toMatchObject({ offset: at });
    expect(refusalOf(enhancedBlock(order, FIRST, { interface: 7 }))).toMatchObject({
      offset: at + 8,
    });
    expect(refusalOf(enhancedBlock(order, FIRST, { captured: 9 }))).toMatchObject({
      offset: at + 20,
    });
    expect(refusalOf(block(order, 6, new Uint8Array(16)))).toMatchObject({ offset: at });
    expect(refusalOf(block(order, 3, new Uint8Array(0)))).toMatchObject({ offset: at });
    expect(refusalOf(simpleBlock(order, FIRST, 9))).toMatchObject({ offset: at + 8 });
    expect(refusalOf(block(order, 1, new Uint8Array(4)))).toMatchObject({ offset: at });
    expect(refusal(join(sectionBlock(order), simpleBlock(order, FIRST)))).toMatchObject({
      offset: at - 20,
    });
  });

  it('is refused when an option passes its block', () => {
    const bad = interfaceBlock(order, 1, 0, 6);
    new DataView(bad.buffer).setUint16(16 + 2, 600, order === 'little');
    const start = sectionBlock(order).length;
    expect(refusal(join(sectionBlock(order), bad))).toMatchObject({ offset: start + 16 });
  });

  it.each([0, 8, 13, 0xffff_fffc])('is refused for a block length of %i', (length) => {
    const bad = enhancedBlock(order, FIRST);
    new DataView(bad.buffer).setUint32(4, length, order === 'little');
    const head = join(sectionBlock(order), interfaceBlock(order, 1, 0));
    expect(refusal(join(head, bad))).toMatchObject({ offset: head.length + 4 });
  });

  it('is refused when the lengths around a block differ', () => {
    const bad = enhancedBlock(order, FIRST);
    new DataView(bad.buffer).setUint32(bad.length - 4, 4, order === 'little');
    const head = join(sectionBlock(order), interfaceBlock(order, 1, 0));
    expect(refusal(join(head, bad))).toMatchObject({ offset: head.length + bad.length - 4 });
  });
});

describe('other files', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['three bytes', Uint8Array.of(0xd4, 0xc3, 0xb2)],
    ['text', new TextEncoder().encode('hello, world')],
    ['a section without a byte order', join(block('little', 0x0a0d0d0a, new Uint8Array(16)))],
  ])('are refused: %s', (_, bytes) => {
    expect(refusal(bytes)).toBeInstanceOf(InputError);
  });

  it('are read from a part of a larger buffer', () => {
    const file = pcapFile('little', 'microseconds', [{ bytes: FIRST }]);
    const around = new Uint8Array(file.length + 20);
    around.set(file, 7);
    expect(packetsOf(read(around.subarray(7, 7 + file.length)))).toEqual([FIRST]);
  });

  it('are handed on as bytes whose slice is a copy', () => {
    const { bytes } = read(Buffer.from(pcapFile('little', 'microseconds', [{ bytes: FIRST }])));
    bytes.slice()[0] = 0;
    expect(bytes[0]).toBe(0xd4);
  });

  it('are refused or read, and never lead outside, whatever is changed in them', () => {
    const seeds = ORDERS.flatMap((order) => [
      pcapFile(order, 'microseconds', [{ bytes: FIRST }, { bytes: SECOND }]),
      join(
        sectionBlock(order),
        interfaceBlock(order, 1, 0, 9),
        enhancedBlock(order, FIRST),
        simpleBlock(order, SECOND),
      ),
    ]);
    const change = fc.tuple(fc.nat(200), fc.constantFrom(0, 1, 4, 0x7f, 0x80, 0xff));
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(200),
        (seed, changes, cut) => {
          const bytes = seed.slice(0, Math.max(0, seed.length - (cut % 50)));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          expectSane(bytes);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

function expectSane(bytes: Uint8Array): void {
  let capture: Capture;
  try {
    capture = read(bytes);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return;
  }
  capture.offsets.forEach((offset, i) => {
    if (offset + capture.lengths[i]! > bytes.length) throw new Error('a packet lies outside');
  });
}

describe('writeCapture', () => {
  it('writes what readCapture reads', () => {
    const written = writeCapture([
      { bytes: Uint8Array.from(FIRST), timestamp: 1_700_000_000_123_456_000n },
      { bytes: Uint8Array.from(SECOND), originalLength: 64 },
    ]);
    const capture = read(written);
    expect(packetsOf(capture)).toEqual([FIRST, SECOND]);
    expect([...capture.timestamps]).toEqual([1_700_000_000_123_456_000n, 0n]);
    expect([...capture.originalLengths]).toEqual([5, 64]);
  });
});
