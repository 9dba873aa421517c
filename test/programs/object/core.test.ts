import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBtf } from '../../../btf/index.ts';
import { readObject } from '../../../programs/object/index.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
const kernelBtf = parseBtf(fixture('kernel.btf'), 'kernel.btf');
const programs = new Map(
  readObject(fixture('core.bpf.o'), 'core.bpf.o', { kernelBtf }).map((each) => [each.name, each]),
);
const local = parseBtf([...programs.values()][0]!.btf!, 'core.bpf.o');

/** What the program returns: the immediate of its first instruction, or its 64-bit constant. */
function result(name: string): bigint {
  const { code } = programs.get(name)!;
  const view = new DataView(code.buffer, code.byteOffset);
  if (code[0] === 0x18)
    return (view.getBigInt64(8, true) & ~0xffffffffn) | BigInt(view.getUint32(4, true));
  return BigInt(view.getInt32(4, true));
}

/** By hand from kernel.c; `load units` of bit-fields as explained in core-value.ts. */
const EXPECTED: Readonly<Record<string, number | bigint>> = {
  offset_pid: 24,
  offset_state: 26,
  offset_nested: 32 + 16 + 8, // Second element of `nested`, behind its padding.
  offset_flags: 96,
  size_name: 24,
  size_pid: 2,
  exists_parent: 1,
  exists_vanished: 0,
  signed_pid: 0,
  signed_negative: 1,
  left_flags: 64 - (5 + 9),
  right_flags: 64 - 9,
  target_alias: kernelBtf.find('alias_t', 'typedef')!,
  local_alias: local.find('alias_t', 'typedef')!,
  exists_task: 1,
  exists_nowhere: 0,
  size_task: 144,
  size_nowhere: 0,
  matches_alias: 1,
  matches_task: 0, // `vanished` is missing.
  exists_red: 1,
  exists_violet: 0,
  value_red: 300,
  value_huge: 0x123456789abcdef0n,
};

describe('CO-RE', () => {
  for (const [name, expected] of Object.entries(EXPECTED))
    it(`gives ${name}`, () => {
      expect(programs.get(name)!.unresolved).toBeUndefined();
      expect(result(name)).toBe(BigInt(expected));
    });

  it('poisons what the kernel does not have', () => {
    for (const name of ['offset_vanished', 'value_violet', 'load_vanished']) {
      const { code, unresolved } = programs.get(name)!;
      expect(unresolved?.[0]?.reason).toMatch(/^CO-RE .*the kernel has no such/);
      expect(Buffer.from(code.subarray(0, 8)).toString('hex')).toBe('850000001023ad0b');
    }
  });

  it('moves loads, and widens them where the value stays the same', () => {
    const first = (name: string) =>
      Buffer.from(programs.get(name)!.code.subarray(0, 4)).toString('hex');
    expect(first('load_state')).toBe('71101a00'); // r0 = *(u8 *)(r1 + 26)
    expect(first('load_parent')).toBe('79108000'); // r0 = *(u64 *)(r1 + 128)
    expect(programs.get('load_wide')!.unresolved?.[0]?.reason).toContain('another size');
  });

  it('asks for kernel BTF where there is none, except for local ids', () => {
    const without = new Map(
      readObject(fixture('core.bpf.o'), 'core.bpf.o').map((each) => [each.name, each]),
    );
    expect(without.get('offset_pid')!.unresolved?.[0]?.reason).toContain("needs the kernel's BTF");
    expect(without.get('local_alias')!.unresolved).toBeUndefined();
  });
});
