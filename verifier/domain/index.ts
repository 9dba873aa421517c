/**
 * The scalar domain: sets of 64-bit values as known bits and ranges, in sixteen int32 words.
 *
 * Every function takes an array `w` and the offset of a scalar in it. See words.ts for what a
 * scalar denotes, refine.ts for how its parts inform each other.
 */
export { alu, type Transfer, transferOf, transferOfRow } from './alu.ts';
export {
  assume,
  CONDITIONS,
  type Condition,
  conditionOf,
  type Decision,
  decide,
  negate,
  swapped,
} from './branch.ts';
export { shrinkToBytes, signExtend32, signExtendBytes, swapBytes, truncate32 } from './cast.ts';
export { format } from './format.ts';
export { withMeasure } from './measure.ts';
export {
  alignment,
  bitsKnownOne,
  bitsKnownZero,
  constantHi,
  constantLo,
  constantNumber,
  isConstant,
  isConstantLow,
  isConstantOf,
  isNonZero,
  isNonZero32,
  isNotMinusOne,
  isNotMinusOne32,
  isUnknown,
  isZeroExtended,
  signedBits,
  signedMax,
  signedMax32,
  signedMin,
  signedMin32,
  significantBits,
  unsignedMax,
  unsignedMax32,
  unsignedMin,
  unsignedMin32,
} from './query.ts';
export { refine } from './refine.ts';
export {
  contains,
  copy,
  equals,
  forgetRanges,
  includes,
  join,
  meet,
  setBits,
  setBytes,
  setConstant,
  setSignedBytes,
  setSignedRange,
  setUnknown,
  setUnsignedRange,
} from './scalar.ts';
export {
  generalise,
  makeFewThresholds,
  makeThresholds,
  type Thresholds,
  TYPE_THRESHOLDS,
  widen,
} from './widen.ts';
export { SCALAR_WORDS } from './words.ts';
