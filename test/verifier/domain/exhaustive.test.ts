/**
 * Every scalar that three-bit numbers can make, against every other, over every operation: sound on
 * all of them, and how often the result is the best that the parts can express.
 *
 * The implementation has one width, so the small numbers are embedded in it: at the bottom (zero- or
 * sign-extended), at the top of the whole, at the top of the low half, and across the halves. The
 * top embeddings overflow as three-bit arithmetic does, the bottom ones never do.
 */
import { describe, expect, it } from 'vitest';
import { type AluOperation, alu, compare, type JumpCondition } from '../../../isa/index.ts';
import {
  assume,
  CONDITIONS,
  contains,
  copy,
  decide,
  join,
  refine,
  SCALAR_WORDS,
  transferOf,
} from '../../../verifier/domain/index.ts';
import {
  abstraction,
  highWord,
  holds,
  lowWord,
  newScalars,
  readScalar,
  unsigned64,
  writeScalar,
} from '../../support/domain-model.ts';

const VALUES = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n];

const EMBEDDINGS = {
  bottom: (x: bigint) => x,
  'bottom, signed': (x: bigint) => unsigned64(BigInt.asIntN(3, x)),
  'top of the low half': (x: bigint) => x << 29n,
  'across the halves': (x: bigint) => x << 31n,
  top: (x: bigint) => x << 61n,
};
type Embedding = keyof typeof EMBEDDINGS;

/** The scalars whose members are among the embedded values, one for each set of members. */
interface Family {
  readonly values: readonly bigint[];
  readonly words: Int32Array;
  /** Bit i: value i is a member. */
  readonly members: readonly number[];
}

/** A set is expressible when the best abstraction of it has no other embedded member. */
function makeFamily(embedding: Embedding): Family {
  const values = VALUES.map(EMBEDDINGS[embedding]);
  const members: number[] = [];
  const models = [];
  for (let set = 1; set < 256; set++) {
    const model = abstraction(values.filter((_, i) => (set >> i) & 1));
    const closure = values.reduce((bits, x, i) => bits | (holds(model, x) ? 1 << i : 0), 0);
    if (closure !== set) continue;
    members.push(set);
    models.push(model);
  }
  const words = newScalars(models.length);
  models.forEach((model, i) => {
    writeScalar(words, i * SCALAR_WORDS, model);
    expect(refine(words, i * SCALAR_WORDS)).toBe(true);
  });
  return { values, words, members };
}

const families = new Map<Embedding, Family>();
const family = (embedding: Embedding): Family => {
  let found = families.get(embedding);
  if (!found) families.set(embedding, (found = makeFamily(embedding)));
  return found;
};

/** Lists the set bits of every byte once. */
const LISTED = Array.from({ length: 256 }, (_, set) =>
  VALUES.map(Number).filter((i) => (set >> i) & 1),
);

/**
 * Every pair takes a minute; by default each left operand meets another quarter of the right ones.
 * `DOMAIN_STEP=1` takes them all.
 */
const STEP = Number(process.env.DOMAIN_STEP ?? 4);

interface Tally {
  pairs: number;
  best: number;
}

/** Operation over all pairs of two families; every `stride`-th result is compared with the best. */
function sweep(
  operation: AluOperation,
  width: 32 | 64,
  left: Family,
  right: Family,
  stride: number,
): Tally {
  const transfer = transferOf(operation, width);
  const results = left.values.map((x) => right.values.map((y) => alu(operation, width, x, y)));
  const los = results.map((row) => row.map(lowWord));
  const his = results.map((row) => row.map(highWord));
  const w = newScalars(3);
  const tally = { pairs: 0, best: 0 };
  let count = 0;
  for (let a = 0; a < left.members.length; a++) {
    copy(left.words, a * SCALAR_WORDS, w, 0);
    const xs = LISTED[left.members[a]!]!;
    for (let b = a % STEP; b < right.members.length; b += STEP) {
      copy(right.words, b * SCALAR_WORDS, w, SCALAR_WORDS);
      transfer(w, 2 * SCALAR_WORDS, 0, SCALAR_WORDS);
      const ys = LISTED[right.members[b]!]!;
      for (const i of xs) {
        for (const j of ys) {
          if (contains(w, 2 * SCALAR_WORDS, los[i]![j]!, his[i]![j]!)) continue;
          expect.fail(`${operation}${width} of sets ${xs} and ${ys} misses ${results[i]![j]}`);
        }
      }
      if (count++ % stride !== 0) continue;
      tally.pairs++;
      const best = abstraction(xs.flatMap((i) => ys.map((j) => results[i]![j]!)));
      const out = readScalar(w, 2 * SCALAR_WORDS);
      if (Object.entries(best).every(([part, x]) => out[part as keyof typeof out] === x)) {
        tally.best++;
      }
    }
  }
  return tally;
}

const OPERATIONS: readonly AluOperation[] = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'sdiv',
  'smod',
  'and',
  'or',
  'xor',
  'lsh',
  'rsh',
  'arsh',
];

/** Share of results that must be the best possible, of all embeddings together, in percent. */
const FLOORS: Readonly<Record<string, number>> = {
  add: 87,
  sub: 87,
  mul: 72,
  div: 57,
  mod: 39,
  sdiv: 48,
  smod: 66,
  and: 67,
  or: 66,
  xor: 77,
  lsh: 71,
  rsh: 75,
  arsh: 77,
};

describe('every small pair', () => {
  it.each(OPERATIONS)('%s', (operation) => {
    const total = { pairs: 0, best: 0 };
    const shift = operation.endsWith('sh');
    for (const embedding of Object.keys(EMBEDDINGS) as Embedding[]) {
      const left = family(embedding);
      const right = family(shift ? 'bottom' : embedding);
      for (const width of [64, 32] as const) {
        const tally = sweep(operation, width, left, right, 29);
        total.pairs += tally.pairs;
        total.best += tally.best;
      }
    }
    const percent = (100 * total.best) / total.pairs;
    expect(percent).toBeGreaterThanOrEqual(FLOORS[operation] ?? 0);
  });

  it('join is the best of its parts', () => {
    for (const embedding of Object.keys(EMBEDDINGS) as Embedding[]) {
      const { values, words, members } = family(embedding);
      const w = newScalars(3);
      for (let a = 0; a < members.length; a += 3) {
        for (let b = 0; b < members.length; b += 5) {
          copy(words, a * SCALAR_WORDS, w, 0);
          copy(words, b * SCALAR_WORDS, w, SCALAR_WORDS);
          join(w, 2 * SCALAR_WORDS, 0, SCALAR_WORDS);
          const union = LISTED[members[a]! | members[b]!]!.map((i) => values[i]!);
          expect(readScalar(w, 2 * SCALAR_WORDS)).toEqual(abstraction(union));
        }
      }
    }
  });

  it('refinement finds the best abstraction of every set', () => {
    for (const embedding of Object.keys(EMBEDDINGS) as Embedding[]) {
      const { values, words, members } = family(embedding);
      members.forEach((set, i) => {
        const best = abstraction(LISTED[set]!.map((j) => values[j]!));
        expect(readScalar(words, i * SCALAR_WORDS)).toEqual(best);
      });
    }
  });
});

describe('every small condition', () => {
  const names = Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[];

  it.each(names)('%s', (name) => {
    const condition = CONDITIONS[name];
    for (const embedding of Object.keys(EMBEDDINGS) as Embedding[]) {
      const { values, words, members } = family(embedding);
      const w = newScalars(2);
      for (const width of [64, 32] as const) {
        const truth = values.map((x) =>
          values.map((y) =>
            name === 'notset'
              ? !compare('set', width, x, y)
              : compare(name as JumpCondition, width, x, y),
          ),
        );
        for (let a = 0; a < members.length; a++) {
          for (let b = a % STEP; b < members.length; b += STEP) {
            copy(words, a * SCALAR_WORDS, w, 0);
            copy(words, b * SCALAR_WORDS, w, SCALAR_WORDS);
            const decision = decide(condition, width, w, 0, SCALAR_WORDS);
            const feasible = assume(condition, width, w, 0, SCALAR_WORDS);
            const ys = LISTED[members[b]!]!;
            for (const i of LISTED[members[a]!]!) {
              for (const j of ys) {
                const held = truth[i]![j]!;
                if (!held && decision === 1) expect.fail(`${name} decided wrongly`);
                if (!held) continue;
                const x = values[i]!;
                const y = values[j]!;
                if (decision === 0 || !feasible) expect.fail(`${name} held, but was excluded`);
                if (!contains(w, 0, lowWord(x), highWord(x))) expect.fail(`${name} lost ${x}`);
                if (!contains(w, SCALAR_WORDS, lowWord(y), highWord(y))) {
                  expect.fail(`${name} lost ${y}`);
                }
              }
            }
          }
        }
      }
    }
  });
});
