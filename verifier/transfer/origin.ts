/** What the result of a call depends on. */

import type { Sliced } from '../resources/dynptr.ts';
import type { Iteration } from '../resources/iterator.ts';
import type { Given } from './given.ts';

/** What a result depends on, as it was before the arguments were lost. */
export interface Origin {
  /** Index of the map argument, or -1. */
  readonly map: number;
  /** The call looks up an element that exists. */
  readonly isPresent: boolean;
  /** The constant size argument. */
  readonly size: number;
  /** Largest value of the other size argument; -1: there is none. */
  readonly bound: number;
  /** The first argument: what it points to, and the reference that keeps it. */
  readonly object: number;
  readonly reference: number;
  /** The kernel type that a cast names. */
  readonly castTo: number;
  readonly sliced: Sliced | undefined;
  readonly iteration: Iteration | undefined;
  readonly given: Given;
}
