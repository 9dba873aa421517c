/** The assembler's input forms, names, directives and error messages. */

import { describe, expect, test } from 'vitest';
import {
  assemble,
  assembleProgram,
  decode,
  disassemble,
  formatInstruction,
  InputError,
  programNames,
  TABLE,
} from '../../isa/index.ts';

const one = (text: string) => formatInstruction(assemble(text).instructions[0]!);

describe('forms', () => {
  test.each([
    ['R-independent spacing', 'r1+=-4', 'r1 += -0x4'],
    ['decimal and hexadecimal', '*(u8*)( r10-16 )=0xFF', '*(u8 *)(r10 - 0x10) = 0xff'],
    ['64-bit constants', 'r3 = 18446744073709551615 ll', 'r3 = -0x1 ll'],
    ['unsigned immediates at 32 bits', 'w3 = 0xffffffff', 'w3 = -0x1'],
    ['narrow values as r or w', '*(u32 *)(r1 + 0) = r2', '*(u32 *)(r1 + 0x0) = w2'],
    [
      '32-bit atomics as in LLVM 14',
      'lock *(u32 *)(r1 + 0) += r2',
      'lock *(u32 *)(r1 + 0x0) += w2',
    ],
    ['remarks on targets', 'if r1 > 0x12 goto +0x5 <f+0x278>', 'if r1 > 0x12 goto +0x5'],
    ['comments', 'exit // done', 'exit'],
    ['semicolon comments', 'exit ; done', 'exit'],
    ['addresses', '      12:\texit', 'exit'],
    ['raw bytes', '       0: 95 00 00 00 00 00 00 00 exit', 'exit'],
    [
      'raw bytes of two slots',
      ' 2: 18 01 00 00 05 00 00 00 00 00 00 00 00 00 00 00 r1 = 5 ll',
      'r1 = 0x5 ll',
    ],
    ['LLVM map references', 'ld_pseudo\tr1, 0x1, 0x12', 'r1 = map[fd:0x12]'],
    ['indirect packet loads as in LLVM', 'r0 = *(u16 *)skb[r2]', 'r0 = *(u16 *)skb[r2 + 0x0]'],
    ['kfunc modules', 'call kernel-function 7 module 3', 'call kernel-function 0x7 module 0x3'],
  ])('%s', (_, text, expected) => {
    expect(one(text)).toBe(expected);
  });

  test('a listing of llvm-objdump', () => {
    const { instructions, labels } = assemble(
      [
        '',
        'a.o:\tfile format elf64-bpf',
        '',
        'Disassembly of section .text:',
        '',
        '0000000000000000 <f>:',
        '; int f(void) { return g; }',
        '       0:\tr2 = 0x0 ll',
        '\t\t0000000000000000:  R_BPF_64_64\tg',
        '       2:\tgoto +0x1 <LBB0_1>',
        '<LBB0_2>:',
        '       3:\texit',
        '<LBB0_1>:',
        '       4:\tgoto <LBB0_2>',
      ].join('\n'),
    );
    expect(labels).toEqual(
      new Map([
        ['f', 0],
        ['LBB0_2', 3],
        ['LBB0_1', 4],
      ]),
    );
    expect(instructions.map((i) => TABLE[i.op]!.name)).toEqual([
      'constant_value',
      'continuation',
      'goto',
      'exit',
      'goto',
    ]);
    expect(instructions[4]!.off).toBe(-2);
  });

  test('labels may share a line and come later', () => {
    const { instructions } = assemble('a: b: if r1 == 0 goto c\ngoto a\nc: exit');
    expect(instructions.map((i) => i.off)).toEqual([1, -2, 0]);
  });
});

describe('errors say where, and what was expected', () => {
  test.each([
    ['r1 = -r2', /:2:9: expected the same register twice; found 'r1' and 'r2'/],
    ['if r1 > goto +1', /:2:11: expected a number, a register r0 to r10; found 'goto'/],
    ['r11 = 0', /:2:3: expected a register r0 to r10 or w0 to w10, 'if', .*found 'r11'/],
    ['<unknown>', /:2:3: llvm-objdump did not know this instruction/],
    ['r1 = *(u64 *)(w2 + 0)', /:2:17: expected a register r0 to r10; found 'w2'/],
    ['lock *(u64 *)(r1 + 0) -= r2', /:2:25: expected '\+=', '\|=', '&=', '\^='; found '-='/],
    ['r1 +', /:2:6: expected '\+=', .*; found '\+'/],
    ['r1 +=', /:2:8: expected a number, a register r0 to r10; found the end of the line/],
    ['goto nowhere', /:2:8: no label is called 'nowhere'/],
    ['call nothing', /:2:8: no label, kfunc or helper is called 'nothing'/],
    ['r1 = map[m] ll', /:2:12: no map is called 'm'/],
    ['r1 = m ll', /:2:8: no map or label is called 'm'/],
    [
      'r1 += 0xffffffff',
      /:2:9: expected a number from -2147483648 to 2147483647; found 4294967295/,
    ],
    ['*(u8 *)(r1 + 70000) = 1', /:2:14: expected a number from -32768 to 32767; found 70000/],
    ['goto +32768', /:2:8: expected a number from -32768 to 32767; found 32768/],
    ['a: exit\n  a: exit', /:3:3: label 'a' is defined twice/],
    ['.map m array', /:2:3: directive '.map' is not part of a code fragment/],
    ['exit @', /:2:8: expected the end of the line; found '@'/],
  ])('%s', (text, message) => {
    expect(() => assemble(`\n  ${text}`)).toThrow(message);
  });

  test('byte offset and position', () => {
    try {
      assemble('# é\nexit foo', {}, 'x.s');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      // The comment's é is two bytes.
      expect(error).toMatchObject({ file: 'x.s', offset: 10, position: { line: 2, column: 6 } });
    }
  });
});

const PROGRAM = `
  .name  count
  .type  cgroup_skb
  .attach cgroup_inet_egress
  .license "Dual BSD/GPL"
  .flag  strict-alignment
  .map   inner array key 4 value 8 entries 1
  .map   counts hash key 4 value 8 entries 16 flags 0x1 frozen
  .map   data array key 4 value 4 entries 1 initial 01000000
  .map   outer array_of_maps key 4 value 4 entries 2 inner inner
  .entry outer 00000000 @inner
  .entry counts 0a000001 0000000000000000
  .kfunc bpf_cast_to_kern_ctx
  .expect accepted
main:
  r6 = r1
  r1 = map[counts] ll
  r2 = map[data][0] + 2 ll
  call bpf_map_lookup_elem
  call bpf_cast_to_kern_ctx
  call local
  exit
local:
  r0 = 0
  exit
`;

describe('standalone programs', () => {
  const program = assembleProgram(PROGRAM, 'count.s', new Map([['bpf_map_lookup_elem', 1]]));

  test('directives', () => {
    expect(program).toMatchObject({
      name: 'count',
      type: 'cgroup_skb',
      attachType: 'cgroup_inet_egress',
      license: 'Dual BSD/GPL',
      flags: ['strict-alignment'],
      expect: 'accepted',
      mapReferences: [
        { instruction: 1, map: 1 },
        { instruction: 3, map: 2, valueOffset: 2 },
      ],
      kfuncCalls: [{ instruction: 6, name: 'bpf_cast_to_kern_ctx' }],
    });
    expect(program.maps.map((map) => map.name)).toEqual(['inner', 'counts', 'data', 'outer']);
    expect(program.maps[1]).toMatchObject({ type: 'hash', keySize: 4, flags: 1, frozen: true });
    expect(program.maps[1]!.entries).toEqual([
      { key: Uint8Array.of(10, 0, 0, 1), value: new Uint8Array(8) },
    ]);
    expect(program.maps[2]!.initial).toEqual(Uint8Array.of(1, 0, 0, 0));
    expect(program.maps[3]).toMatchObject({
      inner: { name: 'inner' },
      entries: [{ value: 'inner' }],
    });
    expect(program).not.toHaveProperty('contextSize');
    expect(program).not.toHaveProperty('kfuncs');
  });

  test('code and lines', () => {
    expect(decode(program.code).errors).toEqual([]);
    expect(program.lines[1]).toEqual({
      instruction: 1,
      file: 'count.s',
      line: 17,
      column: 3,
      text: 'r1 = map[counts] ll',
    });
  });

  test('listed with names', () => {
    const { instructions } = decode(program.code);
    const names = programNames(program, instructions, (id) =>
      id === 1 ? 'bpf_map_lookup_elem' : undefined,
    );
    const listing = disassemble(instructions, names);
    expect(listing.map((line) => line.text)).toEqual([
      'r6 = r1',
      'r1 = map[counts] ll',
      'r2 = map[data][0] + 0x2 ll',
      'call bpf_map_lookup_elem',
      'call bpf_cast_to_kern_ctx',
      'call L1',
      'exit',
      'r0 = 0x0',
      'exit',
    ]);
    expect(listing[7]!.labels).toEqual(['L1']);
  });

  test('a memory program has a context, empty unless stated', () => {
    expect(assembleProgram('r0 = 0\nexit', 'x.s')).toMatchObject({
      type: 'memory',
      contextSize: 0,
    });
    expect(assembleProgram('.context 64\nr0 = 0\nexit', 'x.s')).toMatchObject({ contextSize: 64 });
  });

  test('what clang -S writes around the code is skipped', () => {
    const text =
      '\t.text\n\t.globl\tf\n\t.p2align 3\n\t.type f,@function\nf:   # @f\n# %bb.0:\n\tr0 = 1\n\texit\n.Lfunc_end0:\n\t.size f, .Lfunc_end0-f\n';
    expect(assembleProgram(text, 'f.s').code.length).toBe(16);
  });

  test.each([
    ['.mapp m', /x.s:1:1: expected one of .*\.map.*; found '.mapp'/],
    ['.map', /expected a map name at the end of the line/],
    [
      '.map m hash key many',
      /x.s:1:17: expected the size of a key in bytes, 0 to 4294967295; found 'many'/,
    ],
    ['.map m hash size 4', /expected key, value, entries, .*; found 'size'/],
    ['.map m hash\n.map m hash', /map 'm' is defined twice/],
    ['.map o array_of_maps inner x', /no map defined above is called 'x'/],
    [
      '.map m array initial 123',
      /expected the initial content as pairs of hexadecimal digits; found '123'/,
    ],
    ['.type xdp socket', /x.s:1:11: expected the end of the line; found 'socket'/],
    ['.context 99999999999', /expected the size of the context in bytes/],
    ['.expect maybe', /expected accepted or rejected; found 'maybe'/],
  ])('%s', (text, message) => {
    expect(() => assembleProgram(text, 'x.s')).toThrow(message);
  });
});
