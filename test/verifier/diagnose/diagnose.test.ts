/** Diagnostics as data: several per program, what they carry, and that none fails to be made. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verdictEntry } from '../../../cli/report/index.ts';
import { assembleProgram } from '../../../isa/index.ts';
import { HELPERS } from '../../../platform/index.ts';
import { DIAGNOSTICS, type VerifyOptions, verify } from '../../../verifier/index.ts';

const HELPER_NAMES = new Map(HELPERS.map(({ name, id }) => [name, id]));

function refusal(text: string, options: VerifyOptions = {}) {
  const verdict = verify(assembleProgram(text, 'test.s', HELPER_NAMES), options);
  if (verdict.ok) throw new Error('accepted');
  return verdict;
}

/** Three branches, each with a fault of its own. */
const THREE_FAULTS = `.type xdp
r6 = *(u32 *)(r1 + 12)
r0 = 2
if r6 == 1 goto one
if r6 == 2 goto two
r0 = *(u8 *)(r6 + 0)
exit
one:
*(u64 *)(r10 - 520) = 1
exit
two:
r0 = r5
exit
`;

describe('several diagnostics', () => {
  it('finds faults of different paths in one run', () => {
    const codes = refusal(THREE_FAULTS).diagnostics.map(({ code }) => code);
    expect(codes.sort()).toEqual([
      'not-a-pointer',
      'stack-out-of-bounds',
      'uninitialised-register',
    ]);
  });

  it('stops at the number asked for', () => {
    expect(refusal(THREE_FAULTS, { maxErrors: 1 }).diagnostics).toHaveLength(1);
    expect(refusal(THREE_FAULTS, { maxErrors: 2 }).diagnostics).toHaveLength(2);
  });

  it('tells one fault once, however many paths lead to it', () => {
    const text = `.type xdp
r6 = *(u32 *)(r1 + 12)
if r6 == 1 goto join
r6 = 9
join:
r0 = *(u8 *)(r6 + 0)
exit
`;
    expect(refusal(text).diagnostics).toHaveLength(1);
  });
});

describe('a diagnostic', () => {
  it('names the path by what its branches told', () => {
    const text = `.type xdp
r6 = *(u32 *)(r1 + 12)
if r6 > 8 goto +1
r0 = *(u8 *)(r6 + 0)
r0 = 2
exit
`;
    const [first] = refusal(text).diagnostics;
    expect(first?.path.map(({ taken, label }) => ({ taken, label }))).toEqual([
      { taken: false, label: 'r6 <= 8' },
    ]);
  });

  it('counts the passes of a loop', () => {
    const text = `.type xdp
r6 = 0
again:
r6 += 1
if r6 != 20 goto again
r0 = *(u8 *)(r6 + 0)
exit
`;
    const [first] = refusal(text).diagnostics;
    expect(first?.path[0]?.times).toBe(19);
  });

  it('follows a value through the stack to the call that it came from', () => {
    const text = `.type xdp
.map m hash key 4 value 8 entries 4
*(u32 *)(r10 - 4) = 0
r2 = r10
r2 += -4
r1 = map[m] ll
call bpf_map_lookup_elem
*(u64 *)(r10 - 16) = r0
r0 = 2
r6 = *(u64 *)(r10 - 16)
*(u64 *)(r6 + 0) = 1
exit
`;
    const [first] = refusal(text).diagnostics;
    expect(first?.code).toBe('null-dereference');
    expect(first?.secondary.map(({ instruction }) => instruction)).toEqual([5]);
    expect(first?.message).toContain("'m'");
  });

  it('follows an argument into the function that fails', () => {
    const text = `.type xdp
r1 = 5
call inner
exit
inner:
r0 = *(u8 *)(r1 + 0)
exit
`;
    const [first] = refusal(text).diagnostics;
    expect(first?.values).toEqual([{ name: 'r1', proven: '5' }]);
    expect(first?.path.map(({ label }) => label)).toEqual(['called']);
  });

  it('becomes one entry of the document', () => {
    const { diagnostics } = verdictEntry(refusal('.type xdp\nr0 = r2\nexit\n'));
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({
      code: 'uninitialised-register',
      category: 'type-safety',
      instruction: 0,
      file: 'test.s',
      line: 2,
      column: 1,
    });
    expect(diagnostics[0]?.message).toContain('r2');
  });
});

describe('the table', () => {
  it('says something for every code, in whole sentences without an end', () => {
    for (const [code, row] of Object.entries(DIAGNOSTICS)) {
      expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(row.text).not.toMatch(/\.$/);
      expect(row.help, code).not.toBe('');
    }
  });

  it('has each code in one file only: a second one would hide the first', () => {
    const folder = new URL('../../../verifier/diagnostics/', import.meta.url);
    const codes = readdirSync(folder).flatMap((name) =>
      [
        ...readFileSync(new URL(name, folder), 'utf8').matchAll(/^ {2}'?([a-z\d-]+)'?: \w+\(/gm),
      ].map((match) => match[1]),
    );
    expect(codes.sort()).toEqual(Object.keys(DIAGNOSTICS).sort());
  });
});

describe('the path walked again', () => {
  it('stops where a branch with one target leaves its two ways alike', () => {
    const text = `.type xdp
.map m hash key 4 value 8 entries 4
*(u32 *)(r10 - 4) = 0
r2 = r10
r2 += -4
r1 = map[m] ll
call bpf_map_lookup_elem
r6 = r0
if r6 == 0 goto +0
r7 = *(u64 *)(r6 + 0)
r0 = r5
exit
`;
    expect(
      refusal(text)
        .diagnostics.map(({ code }) => code)
        .sort(),
    ).toEqual(['not-a-pointer', 'uninitialised-register']);
  });
});
