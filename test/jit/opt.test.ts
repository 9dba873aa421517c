/** The passes, one by one, by what they make of a few lines. */

import { describe, expect, it } from 'vitest';
import { assemble } from '../../isa/index.ts';
import { compileFrom } from '../../jit/compile.ts';
import { PASSES } from '../../jit/opt/passes.ts';
import type { Facts, OperandFact } from '../../verifier/index.ts';
import { plainParts } from '../support/plain-facts.ts';

/** The blocks after all passes, without the entry's arguments. */
function final(text: string, facts: Partial<Facts> = {}): string {
  return after('dead-code-again', text, facts);
}

function after(stage: string, text: string, facts: Partial<Facts> = {}): string {
  let result = '';
  const parts = plainParts(assemble(text).instructions, 64, facts);
  compileFrom(parts, {
    check: 'on',
    dump: (name, _, dumped) => {
      if (name === stage) result = dumped;
    },
  });
  return result
    .split('\n')
    .filter((line) => line.startsWith('  ') && !line.includes('= argument'))
    .map((line) => line.trim())
    .join('\n');
}

const UNKNOWN: OperandFact = {
  pointer: false,
  constant: undefined,
  significantBits: 64,
  signedBits: 64,
  nonZero: false,
  nonZero32: false,
  notMinusOne: false,
};

describe('simplify', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['shifts that extend', 'r0 = r2\nr0 <<= 32\nr0 >>= 32\nexit', 'zext.32 v0'],
    ['shifts that sign-extend', 'r0 = r2\nr0 <<= 48\nr0 s>>= 48\nexit', 'sext.16 v0'],
    ['a mask that extends', 'r0 = r2\nr0 &= 255\nexit', 'zext.8 v0'],
    ['constants that add up', 'r0 = r2\nr0 += 5\nr0 -= 9\nexit', 'add v0, -4'],
    ['multiplication by a power of two', 'r0 = r2\nr0 *= 8\nexit', 'shl v0, 3'],
    ['division by a power of two', 'r0 = r2\nr0 /= 8\nexit', 'shr v0, 3'],
    ['remainder by a power of two', 'r0 = r2\nr0 %= 8\nexit', 'and v0, 7'],
    ['a swap of a swap', 'r0 = r2\nr0 = be32 r0\nr0 = be32 r0\nexit', 'zext.32 v0'],
    [
      'a rotation written without ALU32',
      'r3 = r2\nr3 <<= 5\nr0 = r2\nr0 <<= 32\nr0 >>= 32\nr0 >>= 27\nr0 |= r3\nr0 <<= 32\nr0 >>= 32\nexit',
      'rol32 v0, 5',
    ],
  ];
  for (const [name, text, expected] of cases) {
    it(`recognises ${name}`, () => expect(final(text)).toContain(`= ${expected}\nreturn`));
  }
});

describe('facts', () => {
  it('spares the check of a divisor that is not zero', () => {
    const text = 'r0 = *(u64 *)(r1 + 0)\nr0 /= r2\nexit';
    expect(final(text)).toContain('if v1 eq 0');
    const facts = { operand: () => ({ ...UNKNOWN, nonZero: true, nonZero32: true }) };
    expect(final(text, facts)).not.toContain('if');
  });

  it('drops extensions and masks that change nothing', () => {
    const facts = { operand: () => ({ ...UNKNOWN, significantBits: 8 }) };
    expect(final('r0 = r2\nr0 &= 255\nw0 = w0\nexit', facts)).toBe('jump b1\nreturn v0');
  });

  it('uses constants', () => {
    const operand = () => ({ ...UNKNOWN, constant: { lo: 6, hi: 0 } });
    expect(final('r0 = r2\nr0 *= r2\nexit', { operand })).toContain('return 36');
  });
});

describe('promote-stack', () => {
  it('turns a spill and its reload into nothing', () => {
    const text = '*(u64 *)(r10 - 8) = r2\nr0 = *(u64 *)(r10 - 8)\nexit';
    expect(final(text)).toBe('jump b1\nreturn v0');
  });

  it('takes slots apart', () => {
    const text = '*(u64 *)(r10 - 8) = r2\nr0 = *(u8 *)(r10 - 7)\nexit';
    expect(after('simplify-promoted', text)).toContain('= shr v1, 8');
  });

  it('leaves bytes alone whose address is passed on', () => {
    const text =
      '*(u64 *)(r10 - 8) = r2\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall 4\nr0 = *(u64 *)(r10 - 8)\nexit';
    const functions = plainParts(assemble(text).instructions, 64).facts.functions;
    const escaping = { low: -8, high: 0 };
    const facts = { functions: functions.map((each) => ({ ...each, escaping })) };
    expect(final(text, facts)).toContain('store 64 [frame-8], v0');
    expect(final(text, facts)).toContain('load 64 [frame-8]');
  });

  it('promotes nothing when a fact does not cover an address in use', () => {
    const text =
      '*(u64 *)(r10 - 8) = r2\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall 4\nr0 = *(u64 *)(r10 - 8)\nexit';
    expect(final(text)).toContain('store 64 [frame-8], v0');
  });
});

describe('the others', () => {
  it('divide-by-constants multiplies', () => {
    expect(final('r0 = *(u32 *)(r1 + 0)\nr0 /= 10\nexit')).toMatch(/mulhi|mul /);
    expect(final('r0 = *(u32 *)(r1 + 0)\nw0 /= 7\nexit')).not.toContain('div');
  });

  it('convert-branches makes selections', () => {
    const text = 'r0 = 1\nif r2 == 5 goto out\nr0 = 0\nout:\nexit';
    expect(final(text)).toContain('= select v0 eq 5 ? 1 : 0');
  });

  it('number-values shares equal computations', () => {
    const text = 'r3 = r2\nr3 *= 7\nr0 = r2\nr0 *= 7\nr0 ^= r3\nexit';
    expect(final(text)).toContain('return 0');
  });

  it('combine-loads reads words', () => {
    const text = 'r0 = *(u8 *)(r1 + 1)\nr2 = *(u8 *)(r1 + 0)\nr0 <<= 8\nr0 |= r2\nexit';
    expect(final(text)).toContain('load 16 [v0+0]');
    const swapped = text.replace('(r1 + 1)', '(r1 + 2)').replace('(r1 + 0)', '(r1 + 3)');
    expect(final(swapped)).toContain('bswap.16');
  });

  it('combine-loads leaves loads alone that a store separates', () => {
    const text =
      'r0 = *(u8 *)(r1 + 1)\n*(u8 *)(r1 + 0) = 3\nr2 = *(u8 *)(r1 + 0)\nr0 <<= 8\nr0 |= r2\nexit';
    expect(final(text)).not.toContain('load 16');
  });

  it('forward-stores knows what it wrote', () => {
    const text =
      '*(u32 *)(r10 - 4) = 3\nr1 = r10\nr1 += -4\nr0 = *(u32 *)(r10 - 4)\n*(u64 *)(r10 - 16) = r1\nexit';
    expect(final(text)).toContain('return 3');
  });

  it('expand-atomics writes a loop', () => {
    const text = 'r0 = r2\nr0 = atomic_fetch_xor((u64 *)(r1 + 0), r0)\nexit';
    expect(final(text)).toContain('atomic cmpxchg 64');
  });

  it('unroll leaves by every copy', () => {
    const text =
      'r3 = 0\nr0 = 0\nagain:\nr4 = *(u8 *)(r1 + 0)\nr0 += r4\nr1 += 1\nr3 += 1\nif r3 != 40 goto again\nexit';
    expect(final(text).match(/ne 40/g)?.length).toBeGreaterThan(1);
  });
});

describe('inline-lookups', () => {
  it('compares the index and computes the address', () => {
    const { instructions } = assemble(
      '*(u32 *)(r10 - 4) = 1\nr2 = r10\nr2 += -4\nr1 = 0 ll\ncall 1\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 + 0)\nout:\nexit',
    );
    const parts = plainParts(instructions, 64);
    const map = {
      name: 'counts',
      type: 'array',
      keySize: 4,
      valueSize: 12,
      maxEntries: 4,
      flags: 0,
      mapExtra: 0,
      frozen: false,
    };
    let text = '';
    const program = {
      ...parts.program,
      maps: [map],
      mapReferences: [{ instruction: 3, map: 0 }],
    };
    const dump = (stage: string, _: string, dumped: string) => {
      if (stage === 'dead-code-again') text = dumped;
    };
    const code = compileFrom({ ...parts, program }, { check: 'on', dump });
    expect(text).toContain('= add map#0[0]+0, 16');
    expect(text).not.toContain('call');
    expect(code.program.helpers).toEqual([]);
  });
});

describe('the list of passes', () => {
  it('has unique names and a reason for each', () => {
    expect(new Set(PASSES.map(({ name }) => name)).size).toBe(PASSES.length);
    for (const { reason } of PASSES) expect(reason.length).toBeGreaterThan(20);
  });
});
