/**
 * Everything about a BTF type section that later code relies on, checked once when it is read:
 * entries end where the section ends, every name and type reference is in range, and no type
 * contains itself except through a pointer. So `resolve` ends, sizes are finite, and code that
 * recurses over members goes at most MAX_NESTING deep.
 *
 * Runs over the whole of a kernel's 5 MB in some ten milliseconds, hence words, not objects.
 */
import {
  ARRAY,
  DATASEC,
  ELEMENT_WORDS,
  ENUM,
  ENUM64,
  FIXED_WORDS,
  FLOAT,
  FUNC_PROTO,
  FWD,
  INT,
  LAST_KIND,
  MAX_NESTING,
  MAX_TYPE_BYTES,
  MODIFIER,
  PTR,
  REFERS,
  STRUCT,
  TYPE_WORDS,
  UNION,
  VAR,
  VOID,
} from './format.ts';

/** Reports a fault at word `word` of the type section; never returns. */
export type Fail = (word: number, reason: string) => never;

export interface TypeIndex {
  /** Word index of each type in the type section, by id; [0] is unused (void). */
  readonly start: Uint32Array;
  readonly count: number;
}

/** Word indexes of all types; every entry and name is inside its section. */
export function indexTypes(words: Uint32Array, stringBytes: number, fail: Fail): TypeIndex {
  let start = new Uint32Array(1 + Math.ceil(words.length / TYPE_WORDS));
  let count = 1;
  for (let at = 0; at < words.length; count++) {
    if (at + TYPE_WORDS > words.length) fail(at, `type ${count} is cut off`);
    const info = words[at + 1]!;
    const kind = (info >>> 24) & 0x1f;
    if (kind === VOID || kind > LAST_KIND) fail(at, `type ${count} has the unknown kind ${kind}`);
    const size = TYPE_WORDS + FIXED_WORDS[kind]! + ELEMENT_WORDS[kind]! * (info & 0xffff);
    if (at + size > words.length) fail(at, `type ${count} is cut off`);
    if (words[at]! >= stringBytes) fail(at, `the name of type ${count} is outside the strings`);
    start[count] = at;
    at += size;
  }
  start = start.slice(0, count);
  for (let id = 1; id < count; id++) checkEntry(words, start[id]!, id, count, stringBytes, fail);
  return { start, count };
}

function checkEntry(
  words: Uint32Array,
  at: number,
  id: number,
  count: number,
  stringBytes: number,
  fail: Fail,
): void {
  const info = words[at + 1]!;
  const kind = (info >>> 24) & 0x1f;
  const third = words[at + 2]!;
  if (REFERS[kind] && third >= count) fail(at, `type ${id} refers to missing type ${third}`);
  const first = at + TYPE_WORDS;
  const vlen = info & 0xffff;
  switch (kind) {
    case INT:
      checkInt(words, at, id, fail);
      return;
    case ARRAY:
      if (words[first]! >= count) fail(at, `array ${id} is of missing type ${words[first]}`);
      if (words[first + 1]! >= count) fail(at, `array ${id} has a missing index type`);
      return;
    case STRUCT:
    case UNION:
      checkMembers(words, at, id, count, stringBytes, fail);
      return;
    case ENUM:
    case ENUM64:
      if (![1, 2, 4, 8].includes(third)) fail(at, `enum ${id} has the size ${third}`);
      checkNames(words, first, vlen, ELEMENT_WORDS[kind]!, id, stringBytes, fail);
      return;
    case FUNC_PROTO:
      checkNames(words, first, vlen, 2, id, stringBytes, fail);
      for (let i = 0, at = first + 1; i < vlen; i++, at += 2)
        if (words[at]! >= count) fail(at, `parameter ${i} of ${id} has a missing type`);
      return;
    case DATASEC:
      for (let i = 0, at = first; i < vlen; i++, at += 3)
        if (words[at]! >= count) fail(at, `variable ${i} of section ${id} is missing`);
      return;
    case FLOAT:
      if (![2, 4, 8, 12, 16].includes(third)) fail(at, `float ${id} has the size ${third}`);
      return;
    case VAR:
      if (words[first]! > 2) fail(at, `variable ${id} has the unknown linkage ${words[first]}`);
      return;
    default:
  }
}

function checkInt(words: Uint32Array, at: number, id: number, fail: Fail): void {
  const size = words[at + 2]!;
  const detail = words[at + TYPE_WORDS]!;
  const bits = detail & 0xff;
  const offset = (detail >>> 16) & 0xff;
  if (![1, 2, 4, 8, 16].includes(size)) fail(at, `int ${id} has the size ${size}`);
  if (bits === 0 || bits + offset > size * 8) fail(at, `int ${id} has ${bits} bits at ${offset}`);
}

function checkMembers(
  words: Uint32Array,
  at: number,
  id: number,
  count: number,
  stringBytes: number,
  fail: Fail,
): void {
  const info = words[at + 1]!;
  const vlen = info & 0xffff;
  const hasBitSizes = info >>> 31 === 1;
  const sizeBits = words[at + 2]! * 8;
  for (let i = 0, m = at + TYPE_WORDS; i < vlen; i++, m += 3) {
    const place = words[m + 2]!;
    const offset = hasBitSizes ? place & 0xffffff : place;
    const bits = hasBitSizes ? place >>> 24 : 0;
    if (words[m]! >= stringBytes)
      fail(m, `the name of member ${i} of ${id} is outside the strings`);
    if (words[m + 1]! >= count) fail(m, `member ${i} of type ${id} has a missing type`);
    if (offset + bits > sizeBits) fail(m, `member ${i} of type ${id} lies outside it`);
  }
}

function checkNames(
  words: Uint32Array,
  first: number,
  vlen: number,
  stride: number,
  id: number,
  stringBytes: number,
  fail: Fail,
): void {
  for (let i = 0, at = first; i < vlen; i++, at += stride)
    if (words[at]! >= stringBytes) fail(at, `name ${i} in type ${id} is outside the strings`);
}

/**
 * Rejects types that contain themselves by value, nest deeper than MAX_NESTING, or are arrays
 * above MAX_TYPE_BYTES. `depth[id]` is 1 + the greatest depth of what `id` contains; 0 means not
 * yet known, UNDER_WAY that it is being computed: meeting it again is a cycle.
 */
export function checkContainment(words: Uint32Array, index: TypeIndex, fail: Fail): void {
  const UNDER_WAY = 255;
  const depth = new Uint8Array(index.count);
  depth[VOID] = 1;

  const visit = (id: number, level: number): number => {
    const known = depth[id]!;
    if (known === UNDER_WAY) fail(index.start[id]!, `type ${id} contains itself`);
    if (known !== 0) return known;
    const at = index.start[id]!;
    if (level > MAX_NESTING) fail(at, `types nest deeper than ${MAX_NESTING} at type ${id}`);
    const info = words[at + 1]!;
    const kind = (info >>> 24) & 0x1f;
    let deepest = 0;
    depth[id] = UNDER_WAY;
    if (MODIFIER[kind] || kind === VAR) deepest = visit(words[at + 2]!, level + 1);
    else if (kind === ARRAY) deepest = visit(words[at + TYPE_WORDS]!, level + 1);
    else if (kind === STRUCT || kind === UNION || kind === DATASEC) {
      // A member's type is its second word, a section variable's its first.
      const type = at + TYPE_WORDS + (kind === DATASEC ? 0 : 1);
      for (let i = info & 0xffff, m = type; i > 0; i--, m += 3)
        deepest = Math.max(deepest, visit(words[m]!, level + 1));
    }
    if (deepest >= MAX_NESTING) fail(at, `types nest deeper than ${MAX_NESTING} at type ${id}`);
    depth[id] = deepest + 1;
    return deepest + 1;
  };

  for (let id = 1; id < index.count; id++) visit(id, 1);
  for (let id = 1; id < index.count; id++) {
    const at = index.start[id]!;
    if (((words[at + 1]! >>> 24) & 0x1f) !== ARRAY) continue;
    const size = sizeInWords(words, index, id);
    if (size !== undefined && size > MAX_TYPE_BYTES) fail(at, `array ${id} is of ${size} bytes`);
  }
}

/** Size in bytes of type `id`; undefined for void, functions and forward declarations. */
export function sizeInWords(words: Uint32Array, index: TypeIndex, id: number): number | undefined {
  let factor = 1;
  for (;;) {
    if (id === VOID) return undefined;
    const at = index.start[id]!;
    const kind = (words[at + 1]! >>> 24) & 0x1f;
    if (MODIFIER[kind] || kind === VAR) id = words[at + 2]!;
    else if (kind === ARRAY) {
      factor *= words[at + TYPE_WORDS + 2]!;
      id = words[at + TYPE_WORDS]!;
    } else if (kind === PTR) return factor * 8;
    else if (REFERS[kind] || kind === FWD) return undefined;
    else return factor * words[at + 2]!;
  }
}
