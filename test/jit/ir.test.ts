/** The IR: construction, the rules of `check`, and arithmetic on words against isa/evaluate.ts. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AluOperation, alu, compare, type JumpCondition, swapBytes } from '../../isa/index.ts';
import { significantBits } from '../../jit/ir/bits.ts';
import { buildFunction } from '../../jit/ir/build.ts';
import { check, findFault } from '../../jit/ir/check.ts';
import { type IrFunction, newConstant, newValue, type Op } from '../../jit/ir/ir.ts';
import { print } from '../../jit/ir/print.ts';
import {
  bswap,
  compare as compareWords,
  foldOne,
  foldTwo,
  type Words,
} from '../../jit/ir/words.ts';
import { describeSource } from '../../jit/source.ts';
import { assembled } from '../support/plain-facts.ts';

function build(text: string): IrFunction {
  const source = describeSource(assembled(text));
  return buildFunction(source, source.facts.functions[0]!);
}

const LOOP = `
  r0 = 0
  r3 = 10
  again:
  r0 += r3
  r3 += -1
  if r3 != 0 goto again
  exit`;

describe('construction', () => {
  it('gives a loop its phis and nothing else', () => {
    expect(print(build(LOOP))).toBe(`function main frame 512
b0:
  v0 = argument r1
  v1 = argument r2
  v2 = argument environment
  jump b1
b1: ; from b0
  jump b2
b2: ; from b1, b2
  v3 = phi 0, v5
  v4 = phi 10, v6
  v5 = add v3, v4
  v6 = add v4, -1
  if v6 ne 0 then b2 else b3
b3: ; from b2
  return v5
`);
  });

  it('keeps the budget of may_goto as a value', () => {
    const text = print(build('again:\nmay_goto out\ngoto again\nout:\nr0 = 0\nexit'));
    expect(text).toContain('phi 8388608, ');
    expect(text).toContain('sub v');
  });

  it('ends a function after a tail call that ran', () => {
    const text = print(build('r2 = 0\nr3 = 0\ncall 12\nr0 = 1\nexit'));
    expect(text).toContain('= call rf_tail_call(v0, 0, 0, v2)');
    expect(text).toContain('load 64 [v2+0] ; memory');
  });

  it('loads legacy packets through the runtime and ends with 0 outside', () => {
    const text = print(build('r6 = r1\nr0 = *(u16 *)skb[12]\nexit'));
    expect(text).toContain('call rf_load_packet(12, 2, v2)');
    expect(text).toContain('return 0');
  });
});

describe('check', () => {
  const faults: Readonly<Record<string, (fn: IrFunction) => void>> = {
    'which is not available': (fn) => {
      const [first, second] = fn.blocks[2]!.values;
      fn.blocks[2]!.values = [second!, first!];
      first!.args = [second!.args[0]!, second!];
      second!.args = [first!, second!.args[1]!];
    },
    'occurs twice': (fn) => {
      fn.blocks[2]!.values.push(fn.blocks[2]!.values[0]!);
    },
    'lacks an argument': (fn) => {
      fn.blocks[2]!.phis[0]!.args.pop();
    },
    'does not know the edge': (fn) => {
      fn.blocks[2]!.predecessors.pop();
    },
    'both targets are the same block': (fn) => {
      fn.blocks[2]!.terminator.targets[1] = fn.blocks[2]!.terminator.targets[0]!;
    },
    'wrong arity': (fn) => {
      fn.blocks[2]!.values[0]!.args.pop();
    },
    'is misplaced': (fn) => {
      fn.blocks[2]!.values.push(newConstant(fn, 1, 0, 0));
    },
  };
  for (const [message, breakIt] of Object.entries(faults)) {
    it(`says '${message}' where that is wrong`, () => {
      const fn = build(LOOP);
      expect(findFault(fn)).toBeUndefined();
      breakIt(fn);
      expect(findFault(fn)).toContain(message);
      expect(() => check(fn, 'test')).toThrow(/internal error in jit\/test/);
    });
  }
});

const CORNERS = [0n, 1n, 2n, 31n, 32n, 63n, 64n, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(...CORNERS, ...CORNERS.map((x) => BigInt.asUintN(64, -x)), 2n ** 63n),
);
const toWords = (x: bigint): Words => ({
  lo: Number(BigInt.asIntN(32, x)),
  hi: Number(BigInt.asIntN(32, x >> 32n)),
});
const fromWords = ({ lo, hi }: Words): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

const OPERATIONS: readonly (readonly [Op, AluOperation])[] = [
  ['add', 'add'],
  ['sub', 'sub'],
  ['mul', 'mul'],
  ['div', 'div'],
  ['sdiv', 'sdiv'],
  ['mod', 'mod'],
  ['smod', 'smod'],
  ['and', 'and'],
  ['or', 'or'],
  ['xor', 'xor'],
  ['shl', 'lsh'],
  ['shr', 'rsh'],
  ['sar', 'arsh'],
];
const CONDITIONS: readonly JumpCondition[] = [
  ...(['eq', 'ne', 'set', 'gt', 'ge', 'lt', 'le', 'sgt', 'sge', 'slt', 'sle'] as const),
];

describe('arithmetic on words equals isa/evaluate.ts', () => {
  const width = fc.constantFrom(32 as const, 64 as const);

  for (const [op, operation] of OPERATIONS) {
    it(op, () => {
      fc.assert(
        fc.property(width, u64, u64, (w, a, b) => {
          const result = foldTwo(op, w, toWords(a), toWords(b))!;
          expect(fromWords(result)).toBe(alu(operation, w, a, b));
        }),
        { numRuns: 500 },
      );
    });
  }

  it('neg, extensions, swaps', () => {
    fc.assert(
      fc.property(width, u64, fc.constantFrom(1 as const, 2 as const, 4 as const), (w, a, size) => {
        const x = toWords(a);
        expect(fromWords(foldOne('neg', w, 0, x, 0)!)).toBe(alu('neg', w, a, 0n));
        if (size * 8 < w) {
          expect(fromWords(foldOne('sext', w, size, x, 0)!)).toBe(alu('movsx', w, 0n, a, size));
        }
        expect(fromWords(foldOne('zext', 64, size, x, 0)!)).toBe(BigInt.asUintN(8 * size, a));
        if (size > 1) expect(fromWords(bswap(x, size))).toBe(swapBytes(a, size));
        expect(fromWords(bswap(x, 8))).toBe(swapBytes(a, 8));
      }),
      { numRuns: 500 },
    );
  });

  it('rol and mulhi', () => {
    fc.assert(
      fc.property(u64, u64, fc.integer({ min: 1, max: 63 }), (a, b, count) => {
        const rotated = BigInt.asUintN(64, (a << BigInt(count)) | (a >> BigInt(64 - count)));
        expect(fromWords(foldOne('rol', 64, 0, toWords(a), count)!)).toBe(rotated);
        expect(fromWords(foldTwo('mulhi', 64, toWords(a), toWords(b))!)).toBe((a * b) >> 64n);
      }),
      { numRuns: 500 },
    );
  });

  it('comparisons', () => {
    fc.assert(
      fc.property(width, fc.constantFrom(...CONDITIONS), u64, u64, (w, condition, a, b) => {
        const holds = compareWords(condition, w, toWords(a), toWords(b));
        expect(holds).toBe(compare(condition, w, a, b));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('significantBits', () => {
  it('bounds what an operation on bounded arguments yields', () => {
    const fn = build('r0 = 0\nexit');
    const width = fc.constantFrom(32 as const, 64 as const);
    fc.assert(
      fc.property(width, fc.constantFrom(...OPERATIONS), u64, u64, (w, [op], a, b) => {
        const args = [a, b].map((x) => newConstant(fn, toWords(x).lo, toWords(x).hi, 0));
        const value = newValue(fn, op, w, args, 0);
        const result = fromWords(foldTwo(op, w, toWords(a), toWords(b))!);
        expect(result < 1n << BigInt(significantBits(value))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
