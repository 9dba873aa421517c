/**
 * Sums of sums: a - c is (a - b) + (b - c), and 8 a - 8 b is 8 (a - b). Bounded differences that
 * share a term bound another one, which neither its parts' ranges nor a single condition does.
 */

import type { Part, Relation, Term } from './shapes.ts';

import type { Terms } from './terms.ts';

/** Sums that are paired with each other: the latest. */
const MOST_SUMS = 32;
/** Longer sums are no differences of two or three numbers. */
const MOST_PARTS = 4;

/**
 * Relations between sums: each is another one and a rest. The rest must be known for itself, or the
 * whole be `sought`: of new terms nothing is known but what they are made of.
 */
export function relationsOf(
  terms: Terms,
  bounded: readonly Term[],
  sought: readonly Term[],
): Relation[] {
  const isSought = new Set(sought.map((term) => plainOf(terms, term)));
  const plain = new Set([...bounded, ...isSought].map((term) => plainOf(terms, term)));
  const sums = [...plain].filter((term) => terms.shape(term).kind === 'sum').slice(-MOST_SUMS);
  const relations: Relation[] = [];
  for (const whole of sums) {
    for (const known of sums) {
      if (whole === known || !shareBase(terms, whole, known)) continue;
      for (const sign of [1n, -1n]) {
        const parts: Part[] = [
          [whole, 1n],
          [known, -sign],
        ];
        const rest = isSought.has(whole) ? small(terms, parts) : terms.find(parts);
        if (rest === undefined) continue;
        relations.push({
          term: whole,
          parts: [
            [known, sign],
            [rest, 1n],
          ],
        });
        relations.push(...multipleOf(terms, plainOf(terms, rest)));
      }
    }
  }
  return [...relations, ...sums.flatMap((sum) => multipleOf(terms, sum))];
}

/** The sum as a multiple of another one that there is, if it is. */
function multipleOf(terms: Terms, term: Term): Relation[] {
  const parts = terms.partsOf(term);
  const factor = parts.reduce((common, [, next]) => commonFactor(common, next), 0n);
  if (factor <= 1n || terms.shape(term).kind !== 'sum') return [];
  const inner = terms.find(parts.map(([base, times]) => [base, times / factor]));
  return inner === undefined ? [] : [{ term, parts: [[inner, factor]] }];
}

/** Euclid's; negative numbers count as their opposites. */
function commonFactor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function small(terms: Terms, parts: readonly Part[]): Term | undefined {
  const rest = terms.combine(parts);
  return terms.partsOf(rest).length <= MOST_PARTS ? rest : undefined;
}

const plainOf = (terms: Terms, term: Term): Term => {
  const shape = terms.shape(term);
  return shape.kind === 'shifted' ? shape.base : term;
};

function shareBase(terms: Terms, a: Term, b: Term): boolean {
  const bases = new Set(terms.partsOf(a).map(([base]) => base));
  return terms.partsOf(b).some(([base]) => bases.has(base));
}
