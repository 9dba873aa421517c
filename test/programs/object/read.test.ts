import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBtf, typedView } from '../../../btf/index.ts';
import type { Program } from '../../../isa/index.ts';
import { type ObjectOptions, readObject } from '../../../programs/object/index.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
const read = (name: string, options?: ObjectOptions) =>
  new Map(readObject(fixture(name), name, options).map((each) => [each.name, each]));

/** Slot `index` as opcode, registers, offset, immediate. */
function slot(program: Program, index: number) {
  const view = new DataView(program.code.buffer, program.code.byteOffset + index * 8, 8);
  return {
    opcode: view.getUint8(0),
    source: view.getUint8(1) >>> 4,
    offset: view.getInt16(2, true),
    immediate: view.getInt32(4, true),
  };
}

describe('linking', () => {
  const programs = read('linked.bpf.o', { kconfig: new Map([['CONFIG_MISSING', '5']]) });
  const classify = programs.get('classify')!;

  it('makes one program of every function outside .text, in file order', () => {
    expect([...programs.values()].map(({ name, section, type }) => [name, section, type])).toEqual([
      ['next', 'tc', 'sched_cls'],
      ['classify', 'tc', 'sched_cls'],
      ['settings', 'xdp.frags', 'xdp'],
      ['missing_setting', 'xdp', 'xdp'],
      ['kernel_functions', 'fentry.s/do_something', 'tracing'],
      ['unknown', 'mystery', 'unspec'],
    ]);
    expect(classify.license).toBe('GPL');
    expect(programs.get('settings')!.flags).toEqual(['xdp-has-frags']);
    expect(programs.get('kernel_functions')).toMatchObject({
      attachType: 'trace_fentry',
      attachTarget: 'do_something',
      flags: ['sleepable'],
    });
  });

  it('appends each function once, callees behind their first caller', () => {
    expect(classify.functions.map(({ name, linkage }) => [name, linkage])).toEqual([
      ['classify', 'global'],
      ['middle', 'static'],
      ['leaf', 'static'],
      ['global_function', 'global'],
      ['hidden_function', 'static'], // Hidden: verified with its callers.
      ['callback', 'static'],
    ]);
    expect(programs.get('next')!.functions.map(({ name }) => name)).toEqual(['next', 'leaf']);
  });

  it('points every call and callback at its function', () => {
    const starts = new Map(classify.functions.map((each) => [each.instruction, each.name]));
    const targets: string[] = [];
    for (let pc = 0; pc < classify.code.length / 8; pc++) {
      const { opcode, source, immediate } = slot(classify, pc);
      const local = (opcode === 0x85 && source === 1) || (opcode === 0x18 && source === 4);
      if (local) targets.push(starts.get(pc + 1 + immediate) ?? `nothing from ${pc}`);
      if (opcode === 0x18) pc++;
    }
    expect(targets).toEqual([
      'middle',
      'global_function',
      'hidden_function',
      'callback',
      'leaf',
      'leaf',
    ]);
  });

  it('carries lines to where the code went', () => {
    const leaf = classify.functions.find(({ name }) => name === 'leaf')!;
    const line = classify.lines.find(({ instruction }) => instruction === leaf.instruction)!;
    expect(line.text).toContain('int leaf(int x)');
    expect(line.file).toContain('linked.bpf.c');
    expect(
      classify.lines.every(
        (each, i, all) => i === 0 || each.instruction >= all[i - 1]!.instruction,
      ),
    ).toBe(true);
  });
});

describe('maps', () => {
  const program = read('linked.bpf.o').get('next')!;
  const map = (name: string) => program.maps.find((each) => each.name === name);

  it('reads the attributes of typed maps', () => {
    expect(map('flows')).toMatchObject({
      type: 'hash',
      keySize: 20,
      valueSize: 40,
      maxEntries: 128,
      flags: 1,
      pinning: 'by-name',
      frozen: false,
    });
    expect(map('first')).toMatchObject({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 4 });
  });

  it('reads inner maps and initial slots', () => {
    expect(map('outer')).toMatchObject({
      type: 'array_of_maps',
      inner: { name: 'outer.inner', type: 'array', valueSize: 8, maxEntries: 4 },
      entries: [
        { key: Uint8Array.of(0, 0, 0, 0), value: 'first' },
        { key: Uint8Array.of(2, 0, 0, 0), value: 'second' },
      ],
    });
    expect(map('jumps')).toMatchObject({
      type: 'prog_array',
      entries: [{ key: Uint8Array.of(1, 0, 0, 0), value: 'next' }],
    });
  });

  it('makes maps of global data under their libbpf names', () => {
    expect(map('linked.data')).toMatchObject({ valueSize: 16, flags: 1024, frozen: false });
    expect(map('linked.bss')).toMatchObject({ valueSize: 4 });
    expect(map('linked.bss')!.initial).toBeUndefined();
    expect(map('linked.rodata')).toMatchObject({
      valueSize: 4,
      frozen: true,
      initial: Uint8Array.of(7, 0, 0, 0),
    });
    expect(map('.rodata.text')).toMatchObject({ frozen: true });
    expect(Buffer.from(map('.rodata.text')!.initial!).toString()).toBe('hello\0');
  });

  it('refers to them from the instructions', () => {
    const named = program.mapReferences.map(({ instruction, map, valueOffset }) => {
      const { opcode, source } = slot(program, instruction);
      return [program.maps[map]!.name, opcode, source, valueOffset];
    });
    expect(named).toContainEqual(['outer', 0x18, 1, undefined]);
    expect(named).toContainEqual(['flows', 0x18, 1, undefined]);
    expect(named).toContainEqual(['linked.bss', 0x18, 2, 0]);
    expect(named).toContainEqual(['.rodata.text', 0x18, 2, 0]);
  });

  it('reads the definitions of old programs', () => {
    const count = read('legacy.bpf.o').get('count')!;
    expect(count).toMatchObject({ type: 'socket_filter', license: 'MIT', functions: [] });
    expect(count.maps).toMatchObject([
      { name: 'counts', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 16, flags: 1 },
      { name: 'totals', type: 'percpu_array', keySize: 4, valueSize: 16, maxEntries: 2, flags: 0 },
    ]);
    expect(count.mapReferences.map((each) => each.map)).toEqual([0, 1]);
  });
});

describe('what the kernel supplies', () => {
  it('lays out kernel settings', () => {
    const kconfig = new Map([
      ['CONFIG_NET', 'y'],
      ['CONFIG_NAME', '"longer than it"'],
      ['CONFIG_NUMBER', '-5'],
    ]);
    const program = read('linked.bpf.o', { kconfig, kernelVersion: '5.10.3' }).get('settings')!;
    const map = program.maps.findIndex((each) => each.name === 'linked.kconfig');
    const spec = program.maps[map]!;
    expect(program.mapReferences.every((each) => each.map === map)).toBe(true);
    const btf = parseBtf(program.btf!, program.file);
    expect(typedView(btf, spec.btfValueTypeId!).decode(spec.initial!)).toMatchObject({
      LINUX_KERNEL_VERSION: 5 * 65536 + 10 * 256 + 3,
      CONFIG_NET: true,
      CONFIG_NAME: 'longer ',
      CONFIG_NUMBER: -5,
    });
    expect(spec).toMatchObject({ frozen: true, flags: 1152 });
  });

  it('says which setting is missing, to the program that needs it', () => {
    const programs = read('linked.bpf.o');
    expect(programs.get('settings')!.unresolved).toBeUndefined();
    expect(programs.get('missing_setting')!.unresolved?.[0]).toEqual({
      instruction: 0,
      reason: 'kernel setting CONFIG_MISSING is not given',
    });
  });

  it('names the kernel functions that are called', () => {
    const program = read('linked.bpf.o').get('kernel_functions')!;
    expect(program.kfuncCalls.map(({ name }) => name)).toEqual(['known_function', 'weak_function']);
    for (const { instruction } of program.kfuncCalls)
      expect(slot(program, instruction)).toMatchObject({ opcode: 0x85, source: 2 });
  });

  it('takes a weak symbol that the kernel lacks for null', () => {
    const kernelBtf = parseBtf(fixture('kernel.btf'), 'kernel.btf');
    const program = read('linked.bpf.o', { kernelBtf }).get('kernel_functions')!;
    expect(program.kfuncCalls).toEqual([]);
    expect(program.unresolved?.map(({ reason }) => reason)).toEqual([
      'the kernel has no function known_function',
      'the kernel has no function weak_function',
    ]);
    for (let pc = 0; pc < program.code.length / 8; pc++)
      if (slot(program, pc).opcode === 0x18)
        expect(slot(program, pc++)).toMatchObject({ source: 0, immediate: 0 });
  });

  it('leaves an unknown section name to whoever knows the type', () => {
    const { type, section, unresolved } = read('linked.bpf.o').get('unknown')!;
    expect({ type, section, unresolved }).toEqual({ type: 'unspec', section: 'mystery' });
  });
});

it('reads what GCC and old binutils write', () => {
  const program = read('gcc.bpf.o').get('prog')!;
  expect(program.unresolved).toBeUndefined();
  const places = program.mapReferences.map(({ map, valueOffset }) => [
    program.maps[map]!.name,
    valueOffset,
  ]);
  // prog: counter, tm; then glob: tab; then leaf: init behind the 16 bytes of tab, counter.
  expect(places).toEqual([
    ['gcc.bss', 0],
    ['tm', undefined],
    ['gcc.data', 0],
    ['gcc.data', 16],
    ['gcc.bss', 0],
  ]);
  const calls: (number | undefined)[] = [];
  for (let pc = 0; pc < program.code.length / 8; pc++) {
    const { opcode, source, immediate } = slot(program, pc);
    if (opcode === 0x85 && source === 1) calls.push(pc + 1 + immediate);
    if (opcode === 0x18) pc++;
  }
  const [glob, leaf] = calls;
  expect(calls).toEqual([30, 43, 43]);
  expect(slot(program, glob!).opcode).toBe(0x67); // r1 <<= 32
  expect(slot(program, leaf!).opcode).toBe(0x18); // r0 = &init
});

it('leaves the given bytes alone', () => {
  const bytes = fixture('linked.bpf.o');
  const before = Buffer.from(bytes).toString('hex');
  const programs = readObject(bytes, 'linked.bpf.o');
  bytes.fill(0xee);
  expect(programs[0]!.maps.find((map) => map.name === 'linked.rodata')!.initial![0]).toBe(7);
  expect(before).toBe(fixture('linked.bpf.o').toString('hex'));
});
