/** Iterators over numbers and bits. Their state is kept beside the machine, by their address. */

import { type Call, EFAULT, type HelperFunction } from '../helpers/call.ts';
import { E2BIG, EINVAL } from '../maps.ts';
import { int32 } from './numbers.ts';

/** BPF_MAX_LOOPS, include/linux/bpf.h. */
const MOST_NUMBERS = 8 * 1024 * 1024;
/** BITS_ITER_NR_WORDS_MAX, kernel/bpf/helpers.c. */
const MOST_WORDS = 511;

/** What the iterator at this address has still to yield. */
type Rest = Iterator<number>;

function* numbers(start: number, end: number): Rest {
  for (let i = start; i < end; i++) yield i;
}

function* setBits(words: Uint8Array): Rest {
  for (let bit = 0; bit < words.length * 8; bit++)
    if (((words[bit >> 3]! >> (bit & 7)) & 1) === 1) yield bit;
}

function open(call: Call, rest: Rest | undefined, error: bigint): bigint {
  call.run.iterators.set(call.u64(1), rest ?? numbers(0, 0));
  return rest === undefined ? int32(error) : 0n;
}

function openNumbers(call: Call): bigint {
  const [start, end] = [call.s32(2), call.s32(3)];
  if (start > end) return open(call, undefined, EINVAL);
  return open(call, end - start > MOST_NUMBERS ? undefined : numbers(start, end), E2BIG);
}

function openBits(call: Call): bigint {
  const words = call.u32(3);
  if (call.u64(2) === 0n || words === 0) return open(call, undefined, EINVAL);
  if (words > MOST_WORDS) return open(call, undefined, E2BIG);
  const bytes = call.machine.memory.view(call.u64(2), words * 8, 'read');
  return open(call, bytes && setBits(bytes.slice()), EFAULT);
}

/** The number is shown in the iterator's own memory, `at` bytes from its start. */
const next =
  (at: bigint): HelperFunction =>
  (call) => {
    const result = call.run.iterators.get(call.u64(1))?.next();
    if (result === undefined || result.done === true) return 0n;
    const place = call.u64(1) + at;
    call.machine.memory.store(place, 4, BigInt.asUintN(32, BigInt(result.value)));
    return place;
  };

function close(call: Call): bigint {
  call.run.iterators.delete(call.u64(1));
  return 0n;
}

export const ITERATORS: Readonly<Record<string, HelperFunction>> = {
  bpf_iter_num_new: openNumbers,
  bpf_iter_num_next: next(0n),
  bpf_iter_num_destroy: close,
  bpf_iter_bits_new: openBits,
  bpf_iter_bits_next: next(12n),
  bpf_iter_bits_destroy: close,
};
