/**
 * Kernel functions on strings, said over JavaScript strings: the text that memory holds from an
 * address on is taken as far as it can be read, then searched.
 */

import type { Call, HelperFunction } from '../helpers/call.ts';
import { EFAULT } from '../helpers/call.ts';
import { unreadable } from '../helpers/probes.ts';
import { E2BIG, ENOENT } from '../maps.ts';
import { int32 } from './numbers.ts';

/** XATTR_SIZE_MAX, uapi/linux/limits.h: nothing beyond is looked at. */
const MOST = 65536;

interface Text {
  /** Characters up to a NUL, the limit, or the end of memory. */
  readonly characters: readonly number[];
  readonly end: 'nul' | 'limit' | 'memory';
}

/** An error where no string can begin. */
function textAt(call: Call, address: bigint): Text | bigint {
  const { memory } = call.machine;
  const characters: number[] = [];
  while (characters.length < MOST) {
    const byte = memory.load(address + BigInt(characters.length), 1);
    if (byte === undefined && characters.length === 0) return unreadable(address);
    if (byte === undefined) return { characters, end: 'memory' };
    if (byte === 0n) return { characters, end: 'nul' };
    characters.push(Number(byte));
  }
  return { characters, end: 'limit' };
}

/** What a search answers that has seen all characters and found nothing that ends it. */
const unfound = (text: Text, atNul: bigint): bigint =>
  text.end === 'nul' ? atNul : text.end === 'limit' ? E2BIG : EFAULT;

type OnText = (text: Text, call: Call) => bigint;
type OnTexts = (a: Text, b: Text, call: Call) => bigint;

const one =
  (answer: OnText): HelperFunction =>
  (call) => {
    const text = textAt(call, call.u64(1));
    return int32(typeof text === 'bigint' ? text : answer(text, call));
  };

const two =
  (answer: OnTexts): HelperFunction =>
  (call) => {
    const a = textAt(call, call.u64(1));
    if (typeof a === 'bigint') return int32(a);
    const b = textAt(call, call.u64(2));
    return int32(typeof b === 'bigint' ? b : answer(a, b, call));
  };

const isUpper = (c: number) => c >= 65 && c <= 90;
const lowered = (text: Text): Text => ({
  ...text,
  characters: text.characters.map((c) => (isUpper(c) ? c + 32 : c)),
});

function compare(a: Text, b: Text): bigint {
  for (let i = 0; i < MOST; i++) {
    const ended = (text: Text) => i >= text.characters.length && text.end === 'memory';
    if (ended(a) || ended(b)) return EFAULT;
    const [x, y] = [a.characters[i] ?? 0, b.characters[i] ?? 0];
    if (x !== y) return x < y ? -1n : 1n;
    if (x === 0) return 0n;
  }
  return E2BIG;
}

/** Index of the character among the first `count`, the NUL counting as one. */
function indexOf(text: Text, wanted: number, count: bigint): bigint {
  const looked = count < BigInt(MOST) ? Number(count) : MOST;
  const at = wanted === 0 ? text.characters.length : text.characters.indexOf(wanted);
  const reached = wanted !== 0 || text.end === 'nul';
  if (at >= 0 && reached && at < looked) return BigInt(at);
  if (text.characters.length >= looked && looked < MOST) return ENOENT;
  return unfound(text, ENOENT);
}

function lengthWithin(text: Text, count: bigint): bigint {
  const { length } = text.characters;
  if (BigInt(length) >= count && count < BigInt(MOST)) return count;
  return unfound(text, BigInt(length));
}

function span(text: Text, set: Text, members: 'members' | 'others'): bigint {
  const known = new Set(set.characters);
  for (const [i, c] of text.characters.entries()) {
    if (!known.has(c) && set.end !== 'nul') return unfound(set, 0n);
    if (known.has(c) !== (members === 'members')) return BigInt(i);
  }
  return unfound(text, BigInt(text.characters.length));
}

/** Character by character, since an error counts only where the search comes to it. */
function find(text: Text, wanted: Text, room: bigint): bigint {
  for (let i = 0; i < MOST; i++) {
    if (BigInt(i) > room) return ENOENT;
    for (let j = 0; ; j++) {
      if (j >= wanted.characters.length) {
        if (wanted.end === 'nul') return BigInt(i);
        return unfound(wanted, 0n);
      }
      if (BigInt(i + j) === room) return ENOENT;
      const c = text.characters[i + j];
      if (c === undefined) return unfound(text, ENOENT);
      if (c !== wanted.characters[j]) break;
    }
  }
  return E2BIG;
}

const character = (call: Call, number: 2 | 3) => Number(BigInt.asUintN(8, call.u64(number)));

export const STRINGS: Readonly<Record<string, HelperFunction>> = {
  bpf_strcmp: two(compare),
  bpf_strcasecmp: two((a, b) => compare(lowered(a), lowered(b))),
  bpf_strchr: one((text, call) => indexOf(text, character(call, 2), BigInt(MOST))),
  bpf_strnchr: one((text, call) => indexOf(text, character(call, 3), call.u64(2))),
  bpf_strchrnul: one((text, call) => {
    const at = text.characters.indexOf(character(call, 2));
    return at >= 0 ? BigInt(at) : unfound(text, BigInt(text.characters.length));
  }),
  bpf_strrchr: one((text, call) => {
    if (text.end !== 'nul') return unfound(text, 0n);
    const wanted = character(call, 2);
    const at = wanted === 0 ? text.characters.length : text.characters.lastIndexOf(wanted);
    return at >= 0 ? BigInt(at) : ENOENT;
  }),
  bpf_strlen: one((text) => unfound(text, BigInt(text.characters.length))),
  bpf_strnlen: one((text, call) => lengthWithin(text, call.u64(2))),
  bpf_strspn: two((text, set) => span(text, set, 'members')),
  bpf_strcspn: two((text, set) => span(text, set, 'others')),
  bpf_strstr: two((text, wanted) => find(text, wanted, BigInt(MOST))),
  bpf_strnstr: two((text, wanted, call) => find(text, wanted, call.u64(3))),
};
