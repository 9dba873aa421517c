/**
 * The binary layout of BTF (uapi/linux/btf.h): header fields, the three words that begin each type,
 * and how many words follow, by kind.
 */

export const BTF_MAGIC = 0xeb9f;
export const BTF_MAGIC_SWAPPED = 0x9feb;
/** struct btf_header of version 1. */
export const BTF_HEADER_BYTES = 24;

export const VOID = 0;
export const INT = 1;
export const PTR = 2;
export const ARRAY = 3;
export const STRUCT = 4;
export const UNION = 5;
export const ENUM = 6;
export const FWD = 7;
export const TYPEDEF = 8;
export const VOLATILE = 9;
export const CONST = 10;
export const RESTRICT = 11;
export const FUNC = 12;
export const FUNC_PROTO = 13;
export const VAR = 14;
export const DATASEC = 15;
export const FLOAT = 16;
export const DECL_TAG = 17;
export const TYPE_TAG = 18;
export const ENUM64 = 19;
export const LAST_KIND = ENUM64;

/** Words of struct btf_type: name, info, size or type. */
export const TYPE_WORDS = 3;

/** Words after struct btf_type that do not depend on vlen, by kind. */
export const FIXED_WORDS: readonly number[] = [
  0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0,
];

/** Words for each of the vlen elements, by kind. */
export const ELEMENT_WORDS: readonly number[] = [
  0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3,
];

/** Kinds whose third word is a type id rather than a size (or nothing). */
export const REFERS: readonly boolean[] = Array.from({ length: LAST_KIND + 1 }, (_, kind) =>
  [PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DECL_TAG, TYPE_TAG].includes(
    kind,
  ),
);

/** Kinds that `resolve` looks through. */
export const MODIFIER: readonly boolean[] = Array.from({ length: LAST_KIND + 1 }, (_, kind) =>
  [TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG].includes(kind),
);

/**
 * Deepest nesting of types inside one another without a pointer between them. The kernel's own
 * resolver stops at 32; the rest is room for typedef chains that only tools see.
 */
export const MAX_NESTING = 64;

/** Longest name; the kernel takes 511 bytes (KSYM_NAME_LEN), mangled C++ and Rust names need more. */
export const MAX_NAME_BYTES = 4096;

/** Largest type; sizes are 32-bit in BTF, only arrays could exceed it. */
export const MAX_TYPE_BYTES = 0xffffffff;
