/** What a function returns that is `int` in C: the upper half of r0 is zero. */
export const int32 = (value: bigint): bigint => BigInt.asUintN(32, value);
