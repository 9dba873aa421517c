import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBtf, specialFields, typedView } from '../../btf/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { array, buildBtf, INT, reference, struct } from './build.ts';

const file = new URL('../programs/object/fixtures/linked.bpf.o', import.meta.url);
const [program] = readObject(readFileSync(file), 'linked.bpf.o');
const btf = parseBtf(program!.btf!, 'linked.bpf.o');
const flows = program!.maps.find((map) => map.name === 'flows')!;

describe('typed views', () => {
  const key = typedView(btf, flows.btfKeyTypeId!);
  const value = typedView(btf, flows.btfValueTypeId!);

  it('places fields as C does', () => {
    const bytes = key.encode({ address: 0x0a000001, mac: [1, 2, 3, 4, 5, 6], name: 'eth0' });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '0100000a010203040506657468300000000000000000'.slice(0, 40),
    );
    expect(key.decode(bytes)).toEqual({
      address: 0x0a000001,
      mac: Uint8Array.of(1, 2, 3, 4, 5, 6),
      name: 'eth0',
    });
  });

  it('knows bit-fields, enums, booleans, unions, arrays and 64-bit numbers', () => {
    const given = {
      packets: 2n ** 63n,
      lock: { val: 0 },
      small: 5,
      large: 0xabcde,
      negative: -3,
      level: 'HIGH',
      seen: true,
      word: 0x04030201,
      history: [1, -2, 3],
    };
    const bytes = value.encode(given);
    expect(value.decode(bytes)).toEqual({ ...given, bytes: Uint8Array.of(1, 2, 3, 4) });
    const bits = Buffer.from(bytes).readUInt32LE(12);
    expect(bits & 7).toBe(5);
    expect((bits >> 3) & 0xfffff).toBe(0xabcde);
    expect(value.decode(value.encode({ packets: 7, level: 99 }))).toMatchObject({
      packets: 7,
      level: 99,
    });
  });

  it('says what is wrong with a value', () => {
    expect(() => value.encode({ small: 8 })).toThrow('value.small is 8, outside 0 to 7');
    expect(() => value.encode({ negative: 16 })).toThrow(RangeError);
    expect(() => value.encode({ typo: 1 })).toThrow('value has no field typo');
    expect(() => value.encode({ history: [1, 2, 3, 4] })).toThrow(RangeError);
    expect(() => value.encode({ packets: 1.5 })).toThrow(TypeError);
    expect(() => value.encode({ level: 'MEDIUM' })).toThrow('no enumerator MEDIUM');
    expect(() => key.encode({ name: 'much too long' })).toThrow(RangeError);
    expect(() => key.encode(3)).toThrow(TypeError);
    expect(() => key.decode(new Uint8Array(3))).toThrow(RangeError);
  });

  it('gives back what it was given, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (random) => {
        const bytes = random.subarray(0, value.sizeBytes);
        const decoded = value.decode(bytes);
        expect(value.decode(value.encode(decoded))).toEqual(decoded);
      }),
      { numRuns: 300 },
    );
  });

  it('shows global data by variable', () => {
    const data = program!.maps.find((map) => map.name === 'linked.data')!;
    expect(typedView(btf, data.btfValueTypeId!).decode(data.initial!)).toEqual({
      start: 42,
      hidden_data: 0x1122334455667788n,
    });
  });
});

describe('special fields', () => {
  it('finds the lock of a map value', () => {
    expect(specialFields(btf, flows.btfValueTypeId!)).toEqual([
      { kind: 'spin-lock', offset: 8, sizeBytes: 4 },
    ]);
    expect(specialFields(btf, flows.btfKeyTypeId!)).toEqual([]);
  });

  it('finds tagged pointers, list heads with their content, and fields in arrays', () => {
    const graph = parseBtf(
      buildBtf([
        INT('int', 4),
        struct('task', 4, [['pid', 1, 0]]),
        { name: 'kptr', kind: 18, third: 2 },
        reference(2, 3),
        struct('bpf_list_head', 16, []),
        struct('bpf_timer', 16, []),
        array(6, 2),
        struct('value', 64, [
          ['owner', 4, 0],
          ['list', 5, 64],
          ['timers', 7, 192],
        ]),
        { name: 'contains:item:node', kind: 17, third: 8, rest: [1] },
      ]),
      'graph',
    );
    expect(specialFields(graph, 8)).toEqual([
      { kind: 'kptr', offset: 0, sizeBytes: 8, pointeeId: 2 },
      {
        kind: 'list-head',
        offset: 8,
        sizeBytes: 16,
        contains: { typeName: 'item', fieldName: 'node' },
      },
      { kind: 'timer', offset: 24, sizeBytes: 16 },
      { kind: 'timer', offset: 40, sizeBytes: 16 },
    ]);
  });
});
