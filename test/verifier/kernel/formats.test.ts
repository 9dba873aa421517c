/** Format strings: as Linux 6.18 answers for bpf_snprintf with so many numbers. */
import { expect, test } from 'vitest';
import { formatProblem } from '../../../verifier/discharge/format-string.ts';

const TAKEN: readonly (readonly [format: string, numbers: number])[] = [
  ['%d %s', 2],
  ['%d', 2],
  ['%123987129387192387d', 1],
  ['%%', 1],
  ['%p %px %pK %pks %pus', 5],
  ['%pI4 %pi6 %pB %pS %pi4 %pI6', 6],
  ['caf\xe9 %d', 1],
  ['a\tb\nc', 1],
  ['%ld %lld %lu %lx %i %X', 6],
  ['%s%c', 2],
  ['%p%%', 1],
  ['%+d % d %-10d %08x', 4],
  ['%p', 1],
  ['', 0],
];

const REFUSED: readonly (readonly [format: string, numbers: number])[] = [
  ['%z', 1],
  ['%d %d', 1],
  ['%', 1],
  ['%pQ', 1],
  ['%n', 1],
  ['%f', 1],
  ['%hhd', 1],
  ['%hu', 1],
  ['%#x', 1],
  ['\x01', 1],
  ['%5%', 1],
  ['%l', 1],
  ['%.3s', 1],
  ['%*d', 2],
  ['%pIX', 1],
  ['%pa', 1],
  ['%o', 1],
  ['%pf', 1],
  ['%lc', 1],
  ['%ls', 1],
];

test.each(TAKEN)('%j for %i numbers is taken', (format, numbers) => {
  expect(formatProblem(format, numbers)).toBeUndefined();
});

test.each(REFUSED)('%j for %i numbers is refused', (format, numbers) => {
  expect(formatProblem(format, numbers)).toBeDefined();
});
