/** Contexts seen as the kernel's own structures, and pointers cast to types of the kernel. */
import { describe, expect, test } from 'vitest';
import { PROGRAM_TYPES } from '../../../platform/index.ts';
import {
  call,
  callKfunc,
  copy,
  EXIT,
  load,
  move,
  refusal,
  slot,
} from '../../support/kernel-probe.ts';
import { disagreement, type Kind, kernelBtf } from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`casts are not compared with the kernel: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

const UNASKED = new Set(['memory', 'tracing', 'lsm', 'struct_ops', 'ext', 'lirc_mode2']);
const END = [move(0, 1), EXIT];

const kinds = (): Kind[] =>
  PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).map((row) => {
    const attachType = row.defaultAttachType ?? row.attachTypes?.[0];
    return {
      type: row.name,
      ...(attachType && { attachType }),
      sleepable: row.name === 'syscall',
    };
  });

const kfunc = (name: string) => callKfunc(kernelBtf().find(name, 'func') ?? 0);
const struct = (name: string) => kernelBtf().find(name, 'struct') ?? 0;
const problems = (each: readonly (string | undefined)[]) => each.filter(Boolean);

kernel('casts', () => {
  test('of the context yield the kernel’s structure', () => {
    const cast = kfunc('bpf_cast_to_kern_ctx');
    const found = kinds().flatMap((kind) =>
      [0, 2, 8, 16, 24, 64, 4096].flatMap((offset) =>
        ([1, 4, 8] as const).map((size) =>
          disagreement(kind, [cast, load(size, 2, 0, offset), ...END]),
        ),
      ),
    );
    expect(problems(found)).toEqual([]);
  });

  test('of the context take the context alone', () => {
    const cast = kfunc('bpf_cast_to_kern_ctx');
    const found = kinds().flatMap((kind) => [
      disagreement(kind, [copy(1, 10), cast, ...END]),
      disagreement(kind, [slot(0x07, 1, 0, 0, 8), cast, ...END]),
      disagreement(kind, [cast, load(8, 2, 0, 0), load(8, 3, 2, 0), ...END]),
    ]);
    expect(problems(found)).toEqual([]);
  });

  test('to a type are read as that type, and trusted by nobody', () => {
    const cast = (typeId: number) => [move(2, typeId), kfunc('bpf_rdonly_cast')];
    const task = cast(struct('task_struct'));
    const pid = kernelBtf().find('pid', 'struct') ?? 0;
    const found = kinds().flatMap((kind) => [
      disagreement(kind, [...task, load(4, 2, 0, 0), ...END]),
      disagreement(kind, [...task, load(4, 2, 0, 8), ...END]),
      disagreement(kind, [...task, load(8, 2, 0, 1 << 14), ...END]),
      disagreement(kind, [...task, slot(0x62, 0, 0, 0, 1), ...END]),
      disagreement(kind, [...task, copy(1, 0), call(175), ...END]),
      disagreement(kind, [...cast(0), load(8, 2, 0, 64), load(8, 3, 0, -8), ...END]),
      disagreement(kind, [...cast(0), slot(0x62, 0, 0, 0, 1), ...END]),
      disagreement(kind, [...cast(pid), load(4, 2, 0, 0), ...END]),
      disagreement(kind, [...cast(kernelBtf().find('int', 'int') ?? 0), ...END]),
      disagreement(kind, [copy(2, 1), kfunc('bpf_rdonly_cast'), ...END]),
      disagreement(kind, [...cast(1 << 29), ...END]),
      disagreement(kind, [...task, load(8, 1, 0, 64), ...cast(0), load(1, 2, 0, 0), ...END]),
    ]);
    expect(problems(found)).toEqual([]);
  });
});
