/** Compiled code against the interpreter, with all passes and without each; the NativeCode token. */

import { describe, expect, it } from 'vitest';
import { AddressSpace, assemble, type Instruction, interpret } from '../../isa/index.ts';
import { compileFrom, listFrom } from '../../jit/compile.ts';
import { compile, NativeCode, PASSES } from '../../jit/index.ts';
import type { ProvenParts } from '../../jit/source.ts';
import { load } from '../../loader/index.ts';
import type { ProvenProgram } from '../../verifier/index.ts';
import { assembled, plainParts } from '../support/plain-facts.ts';
import { BUFFER_BYTES, Random, randomBuffer, randomProgram } from '../support/random-program.ts';

const BASE = 0x10000n;

interface Result {
  readonly r0: bigint;
  readonly memory: Uint8Array;
}

function runInterpreted(instructions: readonly Instruction[], input: Uint8Array): Result {
  const bytes = input.slice();
  const memory = new AddressSpace();
  memory.add({ name: 'buffer', base: BASE, bytes, access: 'read-write' });
  const registers = [BASE, BigInt(bytes.length)];
  const outcome = interpret(instructions, { memory }, { registers });
  if (outcome.kind !== 'exit') throw new Error(JSON.stringify(outcome, (_, x) => String(x)));
  return { r0: outcome.r0, memory: bytes };
}

function runNative(
  parts: ProvenParts,
  inputs: readonly Uint8Array[],
  skip: readonly string[] = [],
): Result[] {
  const code = compileFrom(parts, { check: 'on', skip });
  using extension = load(code, { lifetime: 'replaceable' });
  return inputs.map((input) => {
    const memory = input.slice();
    const { r0 } = extension.test({ memory });
    return { r0, memory };
  });
}

const SKIPPABLE = PASSES.filter((pass) => !pass.required).map(({ name }) => name);

describe('compiled code computes what the interpreter computes', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`random programs, seed ${seed}`, () => {
      const random = new Random(seed);
      for (let i = 0; i < 60; i++) {
        const instructions = randomProgram(random, 1 + random.below(50));
        const inputs = [randomBuffer(random), randomBuffer(random), randomBuffer(random)];
        const expected = inputs.map((input) => runInterpreted(instructions, input));
        const skip = i % 3 === 0 ? [random.pick(SKIPPABLE)] : i % 3 === 1 ? [] : SKIPPABLE;
        const results = runNative(plainParts(instructions, BUFFER_BYTES), inputs, skip);
        expect(results, `program ${i}, without ${skip}`).toEqual(expected);
      }
    });
  }

  const programs: Readonly<Record<string, string>> = {
    'a subprogram and a call that keeps registers': `
      r6 = *(u64 *)(r1 + 0)
      r1 = r6
      call square
      r7 = r0
      r1 = 5
      call square
      r0 += r7
      r0 += r6
      exit
      square:
      r0 = r1
      r0 *= r0
      exit`,
    'recursion is bounded by its argument': `
      r1 = 5
      call factorial
      exit
      factorial:
      r6 = r1
      r0 = 1
      if r1 s< 2 goto done
      r1 += -1
      call factorial
      r0 *= r6
      done:
      exit`,
    'may_goto counts in its own frame': `
      r0 = 0
      r2 = 10
      again:
      r0 += r2
      r2 += -1
      may_goto out
      if r2 != 0 goto again
      out:
      exit`,
    'bytes that make a word, both ways': `
      r2 = *(u8 *)(r1 + 3)
      r3 = *(u8 *)(r1 + 2)
      r2 <<= 8
      r2 |= r3
      r4 = *(u8 *)(r1 + 5)
      r5 = *(u8 *)(r1 + 4)
      r5 <<= 8
      r5 |= r4
      r0 = r2
      r0 <<= 16
      r0 |= r5
      exit`,
    'parts of a stack slot': `
      r2 = *(u64 *)(r1 + 0)
      *(u64 *)(r10 - 8) = r2
      *(u16 *)(r10 - 6) = 0x1234
      *(u8 *)(r10 - 1) = r2
      r0 = *(s32 *)(r10 - 8)
      r3 = *(u64 *)(r10 - 8)
      r0 ^= r3
      exit`,
  };
  for (const [name, text] of Object.entries(programs)) {
    it(name, () => {
      const { instructions } = assemble(text);
      const input = randomBuffer(new Random(9));
      const expected = runInterpreted(instructions, input);
      const parts = plainParts(instructions, BUFFER_BYTES);
      expect(runNative(parts, [input])).toEqual([expected]);
      expect(runNative(parts, [input], SKIPPABLE)).toEqual([expected]);
    });
  }

  it('divides by every kind of constant as by a register', () => {
    const random = new Random(7);
    for (let i = 0; i < 200; i++) {
      const divisor = random.word();
      const size = random.pick(['32', '64']);
      const [d, s] = size === '32' ? ['w', 'w'] : ['r', 'r'];
      const { instructions } = assemble(`
        r2 = *(u64 *)(r1 + 0)
        r3 = r2
        ${d}2 /= ${divisor === 0 ? 1 : divisor}
        ${s}3 %= ${divisor === 0 ? 1 : divisor}
        r0 = r2
        r0 *= 31
        r0 += r3
        exit`);
      const inputs = Array.from({ length: 8 }, () => randomBuffer(random));
      const expected = inputs.map((input) => runInterpreted(instructions, input));
      expect(runNative(plainParts(instructions, BUFFER_BYTES), inputs), `${divisor}`).toEqual(
        expected,
      );
    }
  });
});

describe('options', () => {
  it('refuses to skip what does not exist or cannot be spared', () => {
    const parts = assembled('r0 = 0\nexit');
    expect(() => compileFrom(parts, { skip: ['nonsense'] })).toThrow(RangeError);
    expect(() => compileFrom(parts, { skip: ['expand-divisions'] })).toThrow(RangeError);
  });

  it('dumps every stage and cites facts', () => {
    const stages: string[] = [];
    const parts = plainParts(
      assemble('r0 = 7\nif r0 == 7 goto out\nr0 = 1\nout:\nexit').instructions,
      0,
      {
        mayFallThrough: () => false,
      },
    );
    compileFrom(parts, { dump: (stage, _, text) => stages.push(`${stage}\n${text}`) });
    expect(stages.map((each) => each.split('\n')[0])).toEqual([
      'facts',
      ...PASSES.map(({ name }) => name),
    ]);
    expect(stages[0]).toContain('; 1: the jump is always taken');
  });

  it('maps native code to slots in order', () => {
    const code = compileFrom(assembled('r0 = *(u8 *)(r1 + 0)\nr0 += 3\nexit'));
    const natives = code.codeMap.map(({ native }) => native);
    expect(natives).toEqual([...natives].sort((a, b) => a - b));
    expect(listFrom(assembled('r0 = *(u8 *)(r1 + 0)\nr0 += 3\nexit')).length).toBeGreaterThan(2);
  });
});

describe('NativeCode is a token', () => {
  const code = compileFrom(assembled('r0 = 1\nexit'));

  it('comes from proofs only', () => {
    expect(() => compile({} as ProvenProgram)).toThrow(TypeError);
    expect(() => compile(assembled('exit') as unknown as ProvenProgram)).toThrow(TypeError);
  });

  it('cannot be constructed, imitated or inherited', () => {
    const Constructor = Object.getPrototypeOf(code).constructor;
    expect(() => new Constructor(Symbol('jit/native-code'), {})).toThrow(TypeError);
    expect(NativeCode.is(Object.create(code))).toBe(false);
    expect(NativeCode.is(structuredClone(code))).toBe(false);
    expect(NativeCode.is(new Proxy(code, {}))).toBe(false);
    expect(Object.isFrozen(NativeCode) && Object.isFrozen(NativeCode.prototype)).toBe(true);
    expect(() => load(Object.create(code))).toThrow(TypeError);
  });

  it('hands out copies and frozen data', () => {
    const before = code.code;
    code.code.fill(0xcc);
    expect(code.code).toEqual(before);
    expect(Object.isFrozen(code.relocations) && Object.isFrozen(code.codeMap)).toBe(true);
    expect(() => Object.assign(code, { entry: 1 })).toThrow(TypeError);
  });
});
