/** Numbers of fixed width, as definitions name them: their bytes, their range, their JavaScript type. */

/** Width in bytes and sign. */
export const NUMBER_TYPES = {
  u8: { sizeBytes: 1, signed: false },
  u16: { sizeBytes: 2, signed: false },
  u32: { sizeBytes: 4, signed: false },
  u64: { sizeBytes: 8, signed: false },
  s8: { sizeBytes: 1, signed: true },
  s16: { sizeBytes: 2, signed: true },
  s32: { sizeBytes: 4, signed: true },
  s64: { sizeBytes: 8, signed: true },
} as const;

export type NumberType = keyof typeof NUMBER_TYPES;

/** What JavaScript gets: numbers where they are exact. */
export type NumberOf<T extends NumberType> = T extends 'u64' | 's64' ? bigint : number;

export const isNumberType = (name: unknown): name is NumberType =>
  typeof name === 'string' && Object.hasOwn(NUMBER_TYPES, name);

/** Least and greatest value. */
export function rangeOf(type: NumberType): { readonly min: bigint; readonly max: bigint } {
  const { sizeBytes, signed } = NUMBER_TYPES[type];
  const bits = BigInt(sizeBytes * 8);
  return signed
    ? { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }
    : { min: 0n, max: (1n << bits) - 1n };
}

/** The low bytes of a register, read as that type. */
export function truncate(type: NumberType, register: bigint): number | bigint {
  const { sizeBytes, signed } = NUMBER_TYPES[type];
  const value = signed
    ? BigInt.asIntN(sizeBytes * 8, register)
    : BigInt.asUintN(sizeBytes * 8, register);
  return sizeBytes === 8 ? value : Number(value);
}
