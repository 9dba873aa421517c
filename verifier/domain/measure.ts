/**
 * How thoroughly the parts of a scalar are told to each other: fully, or as far as Linux does, so
 * that a walk with Linux's reasoning (explore/reasoning.ts) knows of numbers what Linux knows.
 *
 * One setting for the whole folder, since the scalars are words without a place for it; a walk sets
 * it while it runs and nothing of it outlives the walk. Either way every operation is sound: Linux's
 * measure leaves out narrowing steps, no more.
 */

export let asLinux = false;
let isLax = false;

/** Linux's measure was used on a number that is not known exactly: more might be known of it. */
export function noteLax(): void {
  isLax = true;
}

/** Runs `work` with the given measure; `isLax`: the full one might have told more. */
export function withMeasure<T>(
  measure: 'linux' | 'full',
  work: () => T,
): { readonly result: T; readonly isLax: boolean } {
  const before = { asLinux, isLax };
  asLinux = measure === 'linux';
  isLax = false;
  try {
    return { result: work(), isLax };
  } finally {
    ({ asLinux, isLax } = before);
  }
}
