/**
 * The memory in which JavaScript and native code tell each other of a run: numbers at its start, then
 * context, packet and trace. enum rf_word of loader/native/instance.h is the other side's list.
 */

/** Words of the exchange area; enum rf_word in loader/native/instance.h. */
export const STATUS = 0;
export const PACKET_BYTES = 1;
export const CONTEXT_BYTES = 2;
export const META_BYTES = 3;
export const RESULT = 4;
export const OUT_OFFSET = 6;
export const OUT_BYTES = 7;
export const NANOSECONDS = 8;
export const REPEAT = 10;
export const TRACE_BYTES = 11;
export const REDIRECT = 12;
export const TAIL_CALLS = 18;
export const ENVIRONMENT = 20;
export const LIMIT = 36;
export const NO_LIMIT = 0;
export const EXECUTED = 38;
export const ADVANCE = 40;
export const CALLBACKS = 42;
export const IDENTITIES = 44;
export const PINNED = 52;
export const GIVEN = 53;
export const OUTCOME = 54;
export const REDIRECT_KEY = 64;
export const WORDS = 96;

/** enum rf_status in loader/native/instance.h. */
export const STOPPED = 4;
export const UNMETERED = 5;
export const HELPER_FAILED = 6;

/** A count of two words; exact up to 2^53. */
export const u64At = (words: Uint32Array, at: number): number =>
  words[at]! + words[at + 1]! * 2 ** 32;

/** Two words as they are. */
export const bigAt = (words: Uint32Array, at: number): bigint =>
  (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
