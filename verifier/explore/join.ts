/**
 * Joining states where ways meet. Ways that differ in a number that matters are walked apart, and
 * their number doubles at every such branch. Where that took too long, the program is walked once
 * more, and a state that differs from one walked before only in numbers is enlarged until it covers
 * both; what follows is then walked once for all. A larger state only loses knowledge: where it still
 * proves everything, the program is safe; where it does not, nothing was learnt, and the verdict
 * stays that the program is too complex.
 *
 * Linux walks ways apart, so these programs are beyond its limit.
 */

import * as domain from '../domain/index.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { numbersApart } from './compare.ts';
import type { Kept } from './kept.ts';

/** Whether ways that meet are walked apart, as far as they differ, or joined. */
export type Meeting = 'apart' | 'joined';

/** Kept states that are looked at, latest first: of the same pass of a loop, if there is one. */
const MOST_COMPARED = 8;
/** Joins at one instruction that keep exact bounds; after them bounds grow in large steps. */
const EXACT_JOINS = 8;

/**
 * Enlarges the state by the finished one that differs from it in the fewest numbers. Passes of a loop
 * differ in its counter besides, so ways within one pass are joined first. `before`: joins made here.
 */
export function joinState(
  state: MachineState,
  finished: readonly Kept[],
  uninitialised: 'readable' | 'forbidden',
  before: number,
): boolean {
  let nearest: Kept | undefined;
  let numbers: readonly number[] | undefined;
  for (const kept of finished.slice(-MOST_COMPARED)) {
    const found = numbersApart(kept.state, state, uninitialised);
    if (found === undefined || found.length === 0) continue;
    if (numbers !== undefined && found.length > numbers.length) continue;
    nearest = kept;
    numbers = found;
  }
  if (nearest === undefined || numbers === undefined) return false;
  for (let i = 0; i < numbers.length; i += 2) {
    joinNumber(state, numbers[i + 1]!, nearest.state, numbers[i]!, before);
  }
  return true;
}

function joinNumber(
  state: MachineState,
  value: number,
  kept: MachineState,
  other: number,
  before: number,
): void {
  const { words } = state;
  // What it was equal to, it is no longer.
  state.clearPointer(value);
  domain.copy(kept.words, other + L.NUMBER, words, L.SCRATCH_2);
  const number = value + L.NUMBER;
  if (before < EXACT_JOINS) domain.join(words, number, L.SCRATCH_2, number);
  else domain.generalise(words, number, L.SCRATCH_2, number, domain.TYPE_THRESHOLDS);
}
