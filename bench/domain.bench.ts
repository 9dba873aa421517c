/**
 * Nanoseconds per abstract operation on words, beside known-bits addition alone with BigInt.
 * Bundle it before running: a test runner's module wrappers cost more than the operations.
 */
import { newScalars, Random, randomScalarWith } from '../test/support/domain-model.ts';
import {
  assume,
  CONDITIONS,
  join,
  SCALAR_WORDS,
  setBytes,
  transferOf,
} from '../verifier/domain/index.ts';

const COUNT = 256;
const ROUNDS = 2000;
const OUT = COUNT * SCALAR_WORDS;
const random = new Random(1);

/** Mixed scalars of all kinds: the hard case. */
const mixed = newScalars(COUNT + 2);
for (let i = 0; i < COUNT; i++) randomScalarWith(random, mixed, i * SCALAR_WORDS, random.corner());

/** Loaded bytes and words, as programs mostly have them. */
const short = newScalars(COUNT + 2);
for (let i = 0; i < COUNT; i++) setBytes(short, i * SCALAR_WORDS, [1, 2, 4][i % 3]!);

function measure(name: string, operation: (w: Int32Array, a: number, b: number) => void): void {
  const times = [mixed, short].map((w) => {
    let best = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < 5; repeat++) {
      const started = performance.now();
      for (let round = 0; round < ROUNDS / 10; round++) {
        for (let i = 0; i + 1 < COUNT; i++) operation(w, i * SCALAR_WORDS, (i + 1) * SCALAR_WORDS);
      }
      const nanoseconds = (performance.now() - started) * 1e6;
      best = Math.min(best, nanoseconds / (ROUNDS / 10) / (COUNT - 1));
    }
    return best.toFixed(0).padStart(6);
  });
  process.stdout.write(`${name.padEnd(24)} mixed ${times[0]} ns   short ${times[1]} ns\n`);
}

for (const name of ['add', 'sub', 'and', 'or', 'xor', 'mul', 'div', 'mod', 'lsh', 'rsh'] as const) {
  const transfer = transferOf(name, 64);
  measure(name, (w, a, b) => transfer(w, OUT, a, b));
}
measure('join', (w, a, b) => join(w, OUT, a, b));
measure('assume lt', (w, a, b) => {
  w.copyWithin(OUT, a, a + SCALAR_WORDS);
  w.copyWithin(OUT + SCALAR_WORDS, b, b + SCALAR_WORDS);
  assume(CONDITIONS.lt, 64, w, OUT, OUT + SCALAR_WORDS);
});

const MASK_64 = (1n << 64n) - 1n;
const bits = Array.from({ length: COUNT }, () => ({
  value: random.bits64(),
  mask: random.corner(),
}));
measure('add, bits only, BigInt', (_, a, b) => {
  const x = bits[a / SCALAR_WORDS]!;
  const y = bits[b / SCALAR_WORDS]!;
  const sum = (x.value + y.value) & MASK_64;
  const unknown = (((sum + x.mask + y.mask) & MASK_64) ^ sum) | x.mask | y.mask;
  bits[a / SCALAR_WORDS] = { value: x.value & ~unknown, mask: x.mask };
});
