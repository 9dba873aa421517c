/** Types of kernel modules behind those of the kernel. */
import { expect, test } from 'vitest';
import { type Btf, parseBtf, parseKernelBtf } from '../../btf/index.ts';
import { InputError } from '../../isa/index.ts';
import { buildBtf, INT, type RawType, reference, struct } from './build.ts';

const KERNEL: readonly RawType[] = [INT('int', 4), struct('task', 4, [['pid', 1, 0]])];
const POINTER = 2;

/** What a module's file holds: everything behind the kernel's part of the whole. */
function moduleOf(own: readonly RawType[]): Uint8Array {
  const kernel = Buffer.from(buildBtf(KERNEL));
  const whole = Buffer.from(buildBtf([...KERNEL, ...own]));
  const kernelTypes = kernel.readUInt32LE(12);
  const kernelStrings = kernel.readUInt32LE(20);
  const types = whole.subarray(24 + kernelTypes, 24 + whole.readUInt32LE(12));
  const strings = whole.subarray(24 + whole.readUInt32LE(12) + kernelStrings);
  const header = Buffer.from(whole.subarray(0, 24));
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return new Uint8Array(Buffer.concat([header, types, strings]));
}

// Number 3 is the module's first type, whichever module it is.
const FIRST = moduleOf([
  reference(POINTER, 2),
  struct('one', 12, [
    ['task', 3, 0],
    ['n', 1, 64],
  ]),
]);
const SECOND = moduleOf([struct('two', 4, [['pid', 1, 0]]), reference(POINTER, 3)]);
const THIRD = moduleOf([
  { kind: 3, rest: [4, 1, 7] },
  { name: 'colour', kind: 6, vlen: 1, third: 4, rest: ['red', 0] },
]);

const file = (name: string, bytes: Uint8Array) => ({ file: name, bytes });
const join = (...modules: readonly Uint8Array[]): Btf =>
  parseKernelBtf(
    file('vmlinux', buildBtf(KERNEL)),
    modules.map((bytes, index) => file(`module${index}`, bytes)),
  );

const membersOf = (btf: Btf, name: string) => {
  const type = btf.type(btf.find(name, 'struct') ?? 0);
  if (type.kind !== 'struct') return undefined;
  return type.members.map((member) => [member.name, btf.resolved(member.typeId).kind]);
};

const pointeeOf = (btf: Btf, id: number) => {
  const pointer = btf.type(id);
  return pointer.kind === 'ptr' ? btf.nameOf(pointer.typeId) : undefined;
};

test('a module goes on where the kernel ends', () => {
  const btf = join(FIRST);
  expect(btf.count).toBe(5);
  expect(membersOf(btf, 'one')).toEqual([
    ['task', 'ptr'],
    ['n', 'int'],
  ]);
  expect(pointeeOf(btf, 3)).toBe('task');
});

test('further modules are moved up', () => {
  const btf = join(FIRST, SECOND, THIRD);
  expect(btf.count).toBe(9);
  expect(membersOf(btf, 'one')).toEqual([
    ['task', 'ptr'],
    ['n', 'int'],
  ]);
  expect(membersOf(btf, 'two')).toEqual([['pid', 'int']]);
  expect(pointeeOf(btf, 6)).toBe('two');
  const array = btf.typeOf(7, 'array');
  expect(btf.nameOf(array?.typeId ?? 0)).toBe('colour');
  const colours = btf.type(8);
  expect(colours.kind === 'enum' && colours.enumerators.map(({ name }) => name)).toEqual(['red']);
});

test('without modules it is the kernel alone', () => {
  expect(join().count).toBe(parseBtf(buildBtf(KERNEL), 'vmlinux').count);
});

test('a module of another kernel is refused', () => {
  const other = Buffer.from(FIRST);
  other.writeUInt32LE(99, 24 + 8);
  expect(() => join(new Uint8Array(other))).toThrow(InputError);
});

test('a damaged module is refused by its name', () => {
  expect(() => join(FIRST.subarray(0, 30))).toThrow(/module0/);
  const kindless = Buffer.from(FIRST);
  kindless.writeUInt32LE(0, 24 + 4);
  expect(() => join(new Uint8Array(kindless))).toThrow(/module0/);
});
