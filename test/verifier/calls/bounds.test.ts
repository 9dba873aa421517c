/** How many instructions a run executes at most: counted by hand for each program. */
import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../../isa/index.ts';
import { HELPERS } from '../../../platform/index.ts';
import { verify } from '../../../verifier/index.ts';

const HELPER_NAMES = new Map(HELPERS.map(({ name, id }) => [name, id]));

function bound(text: string) {
  const verdict = verify(assembleProgram(text, 'bound.s', HELPER_NAMES));
  expect(verdict.ok ? [] : verdict.diagnostics).toEqual([]);
  return { most: verdict.worstCaseInstructions, by: verdict.unboundedBy };
}

const LOOP = (passes: number, body: string) => `
r1 = ${passes}
r2 = func[${body}]
r3 = 0
r4 = 0
call bpf_loop
r0 = 0`;

const CASES: readonly [name: string, text: string, most: number | null, by?: string][] = [
  ['straight code', '.type xdp\nr0 = 0\nexit', 2],
  ['the longer way', '.type xdp\nr0 = 0\nif r1 == 0 goto end\nr0 += 1\nr0 += 1\nend:\nexit', 5],
  ['bpf_loop, passes times its body', `.type xdp${LOOP(10, 'f')}\nexit\nf:\nr0 = 0\nexit`, 27],
  ['a loop that never runs', `.type xdp${LOOP(0, 'f')}\nexit\nf:\nr0 = 0\nexit`, 7],
  [
    'nested loops',
    `.type xdp${LOOP(10, 'f')}\nexit\nf:${LOOP(7, 'g')}\nexit\ng:\nr0 = 0\nexit`,
    // 7 + 10 * (7 + 7 * 2)
    217,
  ],
  [
    'a body that counts in memory',
    `.type xdp
r1 = 0
*(u64 *)(r10 - 8) = r1
r1 = 100
r2 = func[f]
r3 = r10
r3 += -8
r4 = 0
call bpf_loop
r0 = 0
exit
f:
r1 = *(u64 *)(r2 + 0)
r1 += 1
*(u64 *)(r2 + 0) = r1
r0 = 0
exit`,
    10 + 100 * 5,
  ],
  [
    'elements of an array',
    `.type xdp
.map a array key 4 value 8 entries 5
r1 = map[a] ll
r2 = func[f]
r3 = 0
r4 = 0
call bpf_for_each_map_elem
r0 = 0
exit
f:
r0 = 0
exit`,
    7 + 5 * 2,
  ],
  [
    'elements of a hash map',
    `.type xdp
.map h hash key 4 value 8 entries 5
r1 = map[h] ll
r2 = func[f]
r3 = 0
r4 = 0
call bpf_for_each_map_elem
r0 = 0
exit
f:
r0 = 0
exit`,
    null,
    "elements of map 'h', which may change during the iteration",
  ],
  [
    'may_goto, its budget times the round',
    '.type xdp\nr0 = 0\nagain:\nmay_goto end\nr1 = 1\ngoto again\nend:\nexit',
    3 + 3 * (1 << 23),
  ],
  [
    'a loop that ends before the budget',
    '.type xdp\nr0 = 0\nagain:\nmay_goto end\nr0 += 1\nif r0 < 9 goto again\nend:\nr0 = 0\nexit',
    1 + 9 * 3 + 2,
  ],
  [
    'a tail call',
    `.type xdp
.map p prog_array key 4 value 4 entries 2
r2 = map[p] ll
r3 = 0
call bpf_tail_call
r0 = 0
exit`,
    null,
    'tail calls',
  ],
];

describe('worst case', () => {
  it.each(CASES)('%s', (_, text, most, by) => {
    expect(bound(text)).toEqual({ most, by });
  });
});
