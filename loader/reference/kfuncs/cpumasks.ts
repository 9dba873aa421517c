/** Sets of processors: one word in an object, as many processors as per-CPU maps have slots. */

import { CPU_SLOTS } from '../../environment.ts';
import type { Call, HelperFunction } from '../helpers/call.ts';
import { EINVAL } from '../maps.ts';
import { int32 } from './numbers.ts';

const EACCES = -13n;
/** As large as a kernel's mask may be. */
const MASK_BYTES = 2048;
const ALL = (1n << BigInt(CPU_SLOTS)) - 1n;

type Place = 1 | 2 | 3;

function maskAt(call: Call, number: Place): bigint {
  const word = call.machine.memory.load(call.u64(number), 8);
  if (word === undefined) throw call.machine.fault('access', 'a CPU mask', call.u64(number));
  return word & ALL;
}

function store(call: Call, number: Place, mask: bigint): bigint {
  call.machine.memory.store(call.u64(number), 8, mask);
  return mask === 0n ? 0n : 1n;
}

const bit = (call: Call) => (call.u32(1) < CPU_SLOTS ? 1n << BigInt(call.u32(1)) : 0n);
const truth = (value: boolean) => (value ? 1n : 0n);

function lowest(mask: bigint): bigint {
  const cpus = Array.from({ length: CPU_SLOTS }, (_, cpu) => cpu);
  return BigInt(cpus.find((cpu) => ((mask >> BigInt(cpu)) & 1n) === 1n) ?? CPU_SLOTS);
}

const ofOne =
  (answer: (mask: bigint) => bigint): HelperFunction =>
  (call) =>
    answer(maskAt(call, 1));
const ofTwo =
  (answer: (a: bigint, b: bigint) => bigint): HelperFunction =>
  (call) =>
    answer(maskAt(call, 1), maskAt(call, 2));
const combined =
  (mix: (a: bigint, b: bigint) => bigint): HelperFunction =>
  (call) =>
    store(call, 1, mix(maskAt(call, 2), maskAt(call, 3)));
/** Changes the bit of a processor; whether it was set. */
const changing =
  (change: (mask: bigint, bit: bigint) => bigint, tells: 'tells' | 'silent'): HelperFunction =>
  (call) => {
    const before = maskAt(call, 2);
    store(call, 2, change(before, bit(call)));
    return tells === 'tells' ? truth((before & bit(call)) !== 0n) : 0n;
  };

const add = (mask: bigint, one: bigint) => mask | one;
const take = (mask: bigint, one: bigint) => mask & ~one;

function populate(call: Call): bigint {
  if (call.u64(3) < 8n) return int32(EACCES);
  if (call.u64(2) % 8n !== 0n) return int32(EINVAL);
  store(call, 1, maskAt(call, 2));
  return 0n;
}

export const CPU_MASKS: Readonly<Record<string, HelperFunction>> = {
  bpf_cpumask_create: (call) => call.run.allocator.heap.make(MASK_BYTES, 'one'),
  bpf_cpumask_acquire: (call) => {
    call.run.allocator.heap.acquire(call.u64(1));
    return call.u64(1);
  },
  bpf_cpumask_release: (call) => {
    call.run.allocator.heap.drop(call.u64(1));
    return 0n;
  },
  bpf_cpumask_first: ofOne(lowest),
  bpf_cpumask_first_zero: ofOne((mask) => lowest(~mask & ALL)),
  bpf_cpumask_any_distribute: ofOne(lowest),
  bpf_cpumask_weight: ofOne((mask) => BigInt(mask.toString(2).replaceAll('0', '').length)),
  bpf_cpumask_first_and: ofTwo((a, b) => lowest(a & b)),
  bpf_cpumask_any_and_distribute: ofTwo((a, b) => lowest(a & b)),
  bpf_cpumask_empty: ofOne((mask) => truth(mask === 0n)),
  bpf_cpumask_full: ofOne((mask) => truth(mask === ALL)),
  bpf_cpumask_equal: ofTwo((a, b) => truth(a === b)),
  bpf_cpumask_intersects: ofTwo((a, b) => truth((a & b) !== 0n)),
  bpf_cpumask_subset: ofTwo((a, b) => truth((a & ~b) === 0n)),
  bpf_cpumask_test_cpu: (call) => truth((maskAt(call, 2) & bit(call)) !== 0n),
  bpf_cpumask_set_cpu: changing(add, 'silent'),
  bpf_cpumask_clear_cpu: changing(take, 'silent'),
  bpf_cpumask_test_and_set_cpu: changing(add, 'tells'),
  bpf_cpumask_test_and_clear_cpu: changing(take, 'tells'),
  bpf_cpumask_setall: (call) => store(call, 1, ALL),
  bpf_cpumask_clear: (call) => store(call, 1, 0n),
  bpf_cpumask_and: combined((a, b) => a & b),
  bpf_cpumask_or: combined((a, b) => a | b),
  bpf_cpumask_xor: combined((a, b) => a ^ b),
  bpf_cpumask_copy: (call) => store(call, 1, maskAt(call, 2)),
  bpf_cpumask_populate: populate,
};
