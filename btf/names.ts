/**
 * Types by name. A chained hash table of type ids over the *essential* name: the part before a
 * CO-RE flavour (`task_struct___old` → `task_struct`), so that one table serves exact lookup and
 * candidate search. Built from the bytes, no string is made.
 */
import type { TypeIndex } from './validate.ts';

export interface NameTable {
  /** Bucket → first type id, 0 for none. */
  readonly head: Int32Array;
  /** Type id → next id in its bucket. */
  readonly next: Int32Array;
  /** Type id → byte offset of its name. */
  readonly nameOffset: Uint32Array;
}

const UNDERSCORE = 0x5f;

/**
 * Length of the name without its flavour: what stands before the last `___` that has a character
 * before and after it (bpf_core_essential_name_len in libbpf's documented convention).
 */
export function essentialBytes(name: Uint8Array, start = 0, end = name.length): number {
  for (let at = end - 5; at >= start; at--) {
    if (
      name[at] !== UNDERSCORE &&
      name[at + 1] === UNDERSCORE &&
      name[at + 2] === UNDERSCORE &&
      name[at + 3] === UNDERSCORE &&
      name[at + 4] !== UNDERSCORE
    )
      return at + 1 - start;
  }
  return end - start;
}

/** `task_struct___old` → `task_struct`. */
export function essentialName(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.toString('utf8', 0, essentialBytes(bytes));
}

/** FNV-1a over the essential name. */
function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < start + length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

/**
 * One scan from name start to NUL per distinct name offset is bounded by `MAX_SCAN`: names that
 * overlap on purpose would otherwise cost types × strings.
 */
const MAX_SCAN = 4096;

function nameEnd(strings: Uint8Array, start: number): number {
  const limit = Math.min(strings.length, start + MAX_SCAN);
  let end = start;
  while (end < limit && strings[end] !== 0) end++;
  return end;
}

export function buildNameTable(
  words: Uint32Array,
  index: TypeIndex,
  strings: Uint8Array,
): NameTable {
  const buckets = 1 << Math.max(4, Math.ceil(Math.log2(index.count + 1)));
  const head = new Int32Array(buckets);
  const next = new Int32Array(index.count);
  const nameOffset = new Uint32Array(index.count);
  // Backwards, so that every chain is in ascending order of id.
  for (let id = index.count - 1; id > 0; id--) {
    const offset = words[index.start[id]!]!;
    if (offset === 0) continue;
    nameOffset[id] = offset;
    const length = essentialBytes(strings, offset, nameEnd(strings, offset));
    const bucket = hashOf(strings, offset, length) & (buckets - 1);
    next[id] = head[bucket]!;
    head[bucket] = id;
  }
  return { head, next, nameOffset };
}

/** Ids of the types whose essential name is `name`, ascending. */
export function lookUp(table: NameTable, strings: Uint8Array, name: Uint8Array): number[] {
  const ids: number[] = [];
  let id = table.head[hashOf(name, 0, name.length) & (table.head.length - 1)]!;
  for (; id !== 0; id = table.next[id]!) {
    const start = table.nameOffset[id]!;
    let at = 0;
    while (at < name.length && strings[start + at] === name[at]) at++;
    if (at < name.length) continue;
    if (essentialBytes(strings, start, nameEnd(strings, start)) === name.length) ids.push(id);
  }
  return ids;
}
