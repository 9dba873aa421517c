/**
 * A name that nothing has is most often a slip of the keyboard: an error that lists the names near it
 * saves a look into the documentation.
 */

/** Names shown at most. */
const SHOWN = 4;

/** Insertions, deletions and replacements that make `b` of `a` (Levenshtein's distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Words in common, for names that were half remembered: `out-of-bounds`. */
function shared(a: string, b: string): number {
  const words = new Set(b.split(/[-_]/));
  return a.split(/[-_]/).filter((word) => word.length > 2 && words.has(word)).length;
}

/** The candidates that `name` may have meant, nearest first; none where all are far. */
export function namesNear(name: string, candidates: Iterable<string>): string[] {
  const reach = Math.max(2, Math.floor(name.length / 3));
  return [...candidates]
    .map((candidate) => ({
      candidate,
      away: distance(name.toLowerCase(), candidate.toLowerCase()),
      common: shared(name, candidate),
    }))
    .filter(({ away, common }) => away <= reach || common > 0)
    .sort((a, b) => b.common - a.common || a.away - b.away)
    .slice(0, SHOWN)
    .map(({ candidate }) => candidate);
}

/** What an error adds: the names near it, or all where none is near and they are few. */
export function hint(name: string, candidates: readonly string[]): string {
  const near = namesNear(name, candidates);
  if (near.length > 0) return `; did you mean ${near.join(' or ')}?`;
  return candidates.length > 0 && candidates.length <= 12
    ? `; there is ${candidates.join(', ')}`
    : '';
}
