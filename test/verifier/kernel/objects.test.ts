/**
 * Walks through kernel objects, compared with the running kernel: random chains of loads from the
 * arguments of tracepoints and iterators, whose ends are passed to helpers and kernel functions that
 * ask for a type and for trust. Every offset, union, array and guarantee of the kernel's types can
 * be met on the way.
 */
import { describe, expect, test } from 'vitest';
import { type BtfMember, type BtfType, layoutOf } from '../../../btf/index.ts';
import { helperByName, ITERATORS } from '../../../platform/index.ts';
import {
  addTo,
  call,
  callKfunc,
  copy,
  EXIT,
  load,
  move,
  refusal,
  SIZES,
  type Size,
  slot,
  unlessNull,
} from '../../support/kernel-probe.ts';
import { disagreement, type Kind, kernelBtf } from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`kernel objects are not compared: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

/** More rounds: FUZZ_SCALE=100 takes some minutes. */
const SCALE = Number(process.env.FUZZ_SCALE ?? 1);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const REACH_BYTES = 32_000;

/** Numbers below n, always the same for a seed. */
function random(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

type Random = ReturnType<typeof random>;
const pick = <T>(next: Random, from: readonly T[]): T => from[next(from.length)]!;

let names: string[] | undefined;

function tracepoints(): readonly string[] {
  const btf = kernelBtf();
  names ??= Array.from({ length: btf.count }, (_, id) => id)
    .filter((id) => btf.kindOf(id) === 'typedef' && btf.nameOf(id).startsWith('btf_trace_'))
    .map((id) => btf.nameOf(id).slice('btf_trace_'.length));
  return names;
}

/** Parameter types of the hook. */
function parametersOf({ attachType, attachTarget }: Kind): readonly number[] {
  const btf = kernelBtf();
  if (attachType === 'trace_iter') {
    const func = btf.type(btf.find(`bpf_iter_${attachTarget}`, 'func') ?? 0);
    const prototype = func.kind === 'func' ? btf.type(func.typeId) : func;
    return prototype.kind === 'func_proto' ? prototype.parameters.map(({ typeId }) => typeId) : [];
  }
  const pointer = btf.resolved(btf.find(`btf_trace_${attachTarget}`, 'typedef') ?? 0);
  const prototype = pointer.kind === 'ptr' ? btf.resolved(pointer.typeId) : pointer;
  const types = prototype.kind === 'func_proto' ? prototype.parameters : [];
  return types.slice(1).map(({ typeId }) => typeId);
}

const isComposite = (type: BtfType) => type.kind === 'struct' || type.kind === 'union';
const pointee = (type: BtfType) => (type.kind === 'ptr' ? kernelBtf().resolve(type.typeId) : 0);

interface Step {
  readonly offset: number;
  readonly size: Size;
  /** Type behind the loaded pointer, or 0. */
  readonly leadsTo: number;
}

/** A member of the structure, usually whole and usually a pointer. */
function stepInto(next: Random, structId: number): Step {
  const btf = kernelBtf();
  let type: BtfType = btf.type(structId);
  let offset = 0;
  while ((type.kind === 'struct' || type.kind === 'union') && type.members.length > 0) {
    const follows = ({ typeId }: BtfMember) =>
      ['ptr', 'struct', 'union', 'array'].includes(btf.resolved(typeId).kind);
    const promising = type.members.filter(follows);
    const member: BtfMember = pick(
      next,
      promising.length > 0 && next(3) > 0 ? promising : type.members,
    );
    offset += Math.floor(member.bitOffset / 8);
    type = btf.resolved(member.typeId);
    while (type.kind === 'array') {
      const index = next(Math.max(1, type.length + (next(8) === 0 ? 3 : 0)));
      type = btf.resolved(type.typeId);
      offset += index * (btf.sizeOf(type.id) ?? 1);
    }
  }
  const whole = btf.sizeOf(type.id) ?? 8;
  let size = SIZES.find((each) => each === whole) ?? 8;
  if (next(12) === 0) offset += pick(next, [1, 2, 4, 8, -8, 16]);
  if (next(12) === 0) size = pick(next, SIZES);
  return { offset, size, leadsTo: pointee(type) };
}

/** Code that leaves in r2 what a chain of loads leads to. */
function chain(next: Random, kind: Kind): Buffer[] {
  const parameters = parametersOf(kind);
  const index = next(parameters.length + 1);
  const code = [load(8, 2, 1, 8 * index)];
  let type = pointee(kernelBtf().resolved(parameters[index] ?? 0));
  for (let left = next(4); left >= 0; left--) {
    if (next(9) !== 0) code.push(...unlessNull(2));
    const known = isComposite(kernelBtf().type(type));
    const { offset, size, leadsTo } = known
      ? stepInto(next, type)
      : { offset: 8 * next(8), size: 8 as const, leadsTo: 0 };
    if (Math.abs(offset) > REACH_BYTES) break;
    code.push(load(size, 2, 2, offset));
    type = leadsTo;
  }
  return code;
}

function hook(next: Random): Kind {
  const iterator = {
    type: 'tracing',
    attachType: 'trace_iter',
    attachTarget: pick(next, Object.keys(ITERATORS)),
    sleepable: next(3) === 0,
  };
  const attachTarget = pick(next, tracepoints());
  return next(3) === 0 ? iterator : { type: 'tracing', attachType: 'trace_raw_tp', attachTarget };
}

const END = [move(0, 0), EXIT];
/** Ends the program where the register is null. */
type Guard = (register: number) => readonly Buffer[];

kernel('kernel objects', () => {
  test('are followed as the kernel lets them be', () => {
    const next = random(SEED);
    const differences: string[] = [];
    for (let round = 0; round < 2000 * SCALE; round++) {
      const kind = hook(next);
      const problem = disagreement(kind, [...chain(next, kind), ...END]);
      if (problem) differences.push(problem);
    }
    expect(differences).toEqual([]);
  }, 600_000);

  /** Each call gets a pointer in r1; some want more. */
  const helper = (name: string, ...more: Buffer[]) => [
    copy(1, 2),
    ...more,
    call(helperByName(`bpf_${name}`)?.id ?? 0),
  ];
  const kfunc = (name: string, ...more: Buffer[]) => [
    copy(1, 2),
    ...more,
    callKfunc(kernelBtf().find(`bpf_${name}`, 'func') ?? 0),
  ];
  const released = (name: string, guard: Guard) => [
    ...guard(0),
    copy(1, 0),
    callKfunc(kernelBtf().find(`bpf_${name}`, 'func') ?? 0),
  ];
  const BUFFER = [copy(2, 10), addTo(2, -16), move(3, 16), move(4, 0)];

  const calls = (guard: Guard): readonly (readonly Buffer[])[] => [
    helper('get_task_stack', ...BUFFER),
    helper('task_pt_regs'),
    helper('sock_from_file'),
    helper('skc_to_tcp_sock'),
    helper('skc_to_udp6_sock'),
    [...helper('sock_from_file'), ...guard(0), load(8, 2, 0, 24), ...helper('skc_to_tcp_sock')],
    [...helper('skc_to_tcp_sock'), ...guard(0), load(4, 2, 0, 2000)],
    [...helper('task_pt_regs'), load(8, 2, 0, 128)],
    [...kfunc('task_acquire'), ...released('task_release', guard)],
    [...kfunc('cgroup_acquire'), ...released('cgroup_release', guard)],
    kfunc('task_acquire'),
    kfunc('cpumask_first'),
    kfunc('cpumask_empty'),
    kfunc('task_under_cgroup'),
    kfunc('map_sum_elem_count'),
    [
      ...kfunc('rdonly_cast', move(2, kernelBtf().find('task_struct', 'struct') ?? 0)),
      load(8, 2, 0, 0),
      ...helper('task_pt_regs'),
    ],
  ];

  /** Structures that some call takes. */
  const TARGETS = ['task_struct', 'cgroup', 'file', 'sock', 'cpumask', 'bpf_map', 'mm_struct'];

  interface Pointer {
    readonly offset: number;
    readonly leadsTo: number;
    readonly isWanted: boolean;
  }

  const pointers = new Map<number, readonly Pointer[]>();

  /** Members of the structure that are pointers to structures. */
  function pointersOf(structId: number): readonly Pointer[] {
    const known = pointers.get(structId);
    if (known) return known;
    const btf = kernelBtf();
    const found = layoutOf(btf, structId).flatMap(({ typeId, bitOffset }): Pointer[] => {
      const leadsTo = pointee(btf.resolved(typeId));
      const offset = bitOffset / 8;
      if (!isComposite(btf.type(leadsTo)) || offset > REACH_BYTES) return [];
      return [{ offset, leadsTo, isWanted: TARGETS.includes(btf.nameOf(leadsTo)) }];
    });
    pointers.set(structId, found);
    return found;
  }

  /** Code that leaves in r2 some object that calls take, by way of r1. */
  function wantedChain(next: Random, kind: Kind, guard: Guard): Buffer[] {
    const parameters = parametersOf(kind).map((typeId) => pointee(kernelBtf().resolved(typeId)));
    const index = next(parameters.length);
    const code = [load(8, 2, 1, 8 * index)];
    let type = parameters[index] ?? 0;
    if (next(8) !== 0) code.push(...guard(2));
    for (let left = next(4); left > 0; left--) {
      const members = pointersOf(type);
      const wanted = members.filter(({ isWanted }) => isWanted);
      if (members.length === 0) break;
      const member = pick(next, wanted.length > 0 && next(4) > 0 ? wanted : members);
      code.push(load(8, 2, 2, member.offset));
      if (next(8) !== 0) code.push(...guard(2));
      type = member.leadsTo;
    }
    if (next(10) === 0) code.push(addTo(2, 8));
    return code;
  }

  test('are passed as the kernel lets them be', () => {
    const next = random(SEED + 1);
    const all = calls(unlessNull);
    const differences: string[] = [];
    for (let round = 0; round < 1000 * SCALE; round++) {
      const kind = hook(next);
      const problem = disagreement(kind, [
        ...wantedChain(next, kind, unlessNull),
        ...pick(next, all),
        ...END,
      ]);
      if (problem) differences.push(problem);
    }
    expect(differences).toEqual([]);
  }, 600_000);

  test('under RCU are valid until it is left', () => {
    const next = random(SEED + 2);
    const section = (name: string) => callKfunc(kernelBtf().find(name, 'func') ?? 0);
    const leave = section('bpf_rcu_read_unlock');
    const enter = [copy(6, 1), section('bpf_rcu_read_lock'), copy(1, 6)];
    const leaveWithout = (register: number) => [slot(0x55, register, 0, 3, 0), leave, ...END];
    const leaveKeeping = [copy(7, 2), leave, copy(2, 7)];
    const inside = calls(leaveWithout);
    const outside = calls(unlessNull);
    const differences: string[] = [];
    for (let round = 0; round < 500 * SCALE; round++) {
      const kind = hook(next);
      const chain = [...enter, ...wantedChain(next, kind, leaveWithout)];
      const code =
        next(2) === 0 ? [...pick(next, inside), leave] : [...leaveKeeping, ...pick(next, outside)];
      const problem = disagreement(kind, [...chain, ...code, ...END]);
      if (problem) differences.push(problem);
    }
    expect(differences).toEqual([]);
  }, 600_000);
});
