/**
 * Runs on the same array again and again: native code then reads the caller's memory itself, and must
 * notice whatever may happen to that memory between two runs.
 */
import { describe, expect, it } from 'vitest';
import { loadCodes } from '../../loader/load.ts';
import type { LoadOptions } from '../../loader/options.ts';
import { loadEax32, loadRdi, machineCode, ret } from './machine-code.ts';

const open = (code: ReturnType<typeof machineCode>, options: LoadOptions = {}) =>
  loadCodes([code], { lifetime: 'replaceable', ...options })[0]!;

/** r0 = bytes 4 to 7 of the packet; slot 0 of the pointer header is `data`. */
const BYTES = machineCode([loadRdi(-64), loadEax32(4), ret]);
/** r0 = data_end - data: mov rax, [rdi - 56]; sub rax, [rdi - 64]; ret */
const LENGTH = machineCode([[0x48, 0x8b, 0x47, 0xc8], [0x48, 0x2b, 0x47, 0xc0], ret]);
/** Adds 1 to the first word of its memory: inc dword [rdi]; mov eax, [rdi]; ret */
const COUNT = machineCode([[0xff, 0x07], [0x8b, 0x07], ret], {
  type: 'memory',
  contextSize: 16,
  returnBits: 64,
});

const TIMES = [0, 1, 2, 3, 4, 5];
const first = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);

describe('an array that comes again', () => {
  it('is read anew by each run', () => {
    using extension = open(BYTES);
    for (const packet of [
      new Uint8Array(64),
      Buffer.alloc(9),
      new Uint8Array(new ArrayBuffer(300), 7, 200),
    ])
      for (const time of TIMES) {
        packet.set([time, 1, 2, 3], 4);
        expect(extension.run({ packet })).toBe(first(packet));
      }
  });

  it('may change places with others', () => {
    using extension = open(LENGTH);
    const [a, b] = [new Uint8Array(60), new Uint8Array(1500)];
    for (const packet of [a, a, a, b, a, b, b, b, a, a])
      expect(extension.run({ packet })).toBe(packet.length);
    for (const packet of [a, a, a]) expect(extension.test({ packet }).r0).toBe(60n);
    expect(extension.run({ packet: a })).toBe(60);
    expect(extension.runInput(77)).toBe(77);
    expect(extension.run({ packet: a })).toBe(60);
    expect(extension.run({ packet: a, metaBytes: 8 })).toBe(52);
    for (const _ of TIMES) expect(extension.run({ packet: a })).toBe(60);
    expect(() => extension.run({})).toThrow(/run on a packet/);
    expect(() => extension.run({ packet: a, memory: a })).toThrow(/take no memory/);
  });

  it('gets back what a memory program wrote', () => {
    using extension = open(COUNT);
    const memory = new Uint8Array(16);
    for (const time of TIMES) expect(extension.run({ memory })).toBe(time + 1);
    expect([...memory.subarray(0, 4)]).toEqual([6, 0, 0, 0]);
    expect(extension.test({ memory }).r0).toBe(7n);
    expect(extension.run({ memory })).toBe(8);
    extension.input.fill(0);
    expect([extension.runInput(16), extension.runInput(16), extension.input[0]]).toEqual([1, 2, 2]);
    expect(extension.run({ memory })).toBe(9);
  });
});

describe('memory that goes away', () => {
  const detach = (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] });

  it('is never read, whatever the array says of its length', () => {
    using extension = open(LENGTH);
    const packet = new Uint8Array(4096);
    for (const _ of TIMES) expect(extension.run({ packet })).toBe(4096);
    detach(packet.buffer);
    for (const property of ['length', 'byteLength'])
      Object.defineProperty(packet, property, { value: 4096 });
    for (const _ of TIMES) expect(() => extension.run({ packet })).toThrow(/detached/);
  });

  it('is noticed in memory programs too', () => {
    using extension = open(COUNT);
    const memory = new Uint8Array(16);
    for (const _ of TIMES) extension.run({ memory });
    detach(memory.buffer);
    expect(() => extension.run({ memory })).toThrow(/16 bytes of memory, not 0/);
  });

  it('may be shared, or change its size', () => {
    using extension = open(LENGTH);
    const resizable = new (
      ArrayBuffer as unknown as new (
        n: number,
        o: object,
      ) => ArrayBuffer & { resize(n: number): void }
    )(64, { maxByteLength: 256 });
    const tracking = new Uint8Array(resizable);
    const shared = new Uint8Array(new SharedArrayBuffer(50));
    for (const _ of TIMES) expect(extension.run({ packet: shared })).toBe(50);
    for (const bytes of [64, 256, 0, 3, 100]) {
      resizable.resize(bytes);
      for (const _ of TIMES) expect(extension.run({ packet: tracking })).toBe(bytes);
    }
  });

  it('ends with the extension', () => {
    const extension = open(LENGTH);
    const packet = new Uint8Array(64);
    for (const _ of TIMES) extension.run({ packet });
    extension.close();
    expect(() => extension.run({ packet })).toThrow(/is closed/);
    expect(() => extension.runInput(3)).toThrow(/is closed/);
  });
});

describe('runInput', () => {
  it('runs on the bytes in place, and on no more than there are', () => {
    using extension = open(BYTES);
    extension.input.set([9, 0, 0, 1], 4);
    expect(extension.runInput(8)).toBe(0x01000009);
    for (const bytes of [-1, 262_145, 2 ** 31])
      expect(() => extension.runInput(bytes)).toThrow(RangeError);
  });

  it('serves more extensions than have functions of their own', () => {
    const many = Array.from({ length: 70 }, () => open(LENGTH));
    for (const [i, extension] of many.entries()) expect(extension.runInput(i)).toBe(i);
    for (const extension of many) extension.close();
  });
});
