/** Random functions run natively and agree with their meaning, however hard they are to allocate. */
import { describe, expect, it } from 'vitest';
import {
  allocate,
  assemble,
  type Backend,
  defineFixed,
  type MachFunction,
} from '../../../jit/mach/index.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { atRegister, entry, instruction, ret } from '../../../jit/x64/build.ts';
import { rowOf } from '../../../jit/x64/instructions.ts';
import { REGISTERS } from '../../../jit/x64/registers.ts';
import { randomFunction, randomNumbers, type Shape, shuffled } from '../mach/random-function.ts';
import { evaluateMach } from './evaluate-mach.ts';
import { canRun, type Run, runCode } from './run-code.ts';

/** Returns r1 + 2 * env, and leaves a mess in every register that a callee may change. */
const CALLEE: MachFunction = {
  name: 'callee',
  blocks: [
    {
      parameters: [],
      instructions: [
        entry([0, -1, -1, -1, -1, 1], 0),
        instruction(rowOf('lea r64, m'), 0, [2], [], { memory: atRegister(0, 0, 1, 2) }),
        ...REGISTERS.callerSaved.map((register, n) => ({
          ...instruction(rowOf('mov r64, imm64'), 0, [3 + n], [], { imm: 0x5555, immHigh: n }),
          operands: [defineFixed(3 + n, register)],
        })),
        ret(2, 0),
      ],
      successors: [],
      arguments: [],
      cold: false,
    },
  ],
  vregCount: 12,
  areas: [],
  pool: [],
};

const BACKENDS: readonly Backend[] = [
  X64_BACKEND,
  { ...X64_BACKEND, registers: { ...REGISTERS, calleeSaved: [3] } },
  { ...X64_BACKEND, registers: { ...REGISTERS, calleeSaved: [] } },
];
const SHAPES: readonly (readonly [string, Shape])[] = [
  ['straight', { blocks: 1, variables: 6, instructionsPerBlock: 40 }],
  ['small', { blocks: 5, variables: 4, instructionsPerBlock: 6 }],
  ['crowded', { blocks: 6, variables: 24, instructionsPerBlock: 12 }],
  ['tangled', { blocks: 24, variables: 9, instructionsPerBlock: 5 }],
];
const RUNS = 150;
const FUEL = 5000;

function argumentsFrom(seed: number): bigint[] {
  const random = randomNumbers(seed);
  const word = () => BigInt(random(2 ** 32));
  return Array.from({ length: 6 }, () =>
    random(3) === 0 ? BigInt(random(4)) : (word() << 32n) | word(),
  );
}

describe.skipIf(!canRun)('random functions run as they are meant', () => {
  for (const [name, shape] of SHAPES) {
    it(name, () => {
      const runs: Run[] = [];
      const expected: bigint[] = [];
      for (let seed = 0; runs.length < RUNS; seed++) {
        const ordered = randomFunction(seed, shape);
        const code = seed % 3 === 0 ? shuffled(ordered, seed) : ordered;
        const values = argumentsFrom(seed);
        const meant = evaluateMach(code, values, FUEL);
        if (meant === undefined) continue;
        const backend = BACKENDS[seed % BACKENDS.length]!;
        // Function 0 is what every call calls.
        const assembled = assemble(
          [allocate(CALLEE, X64_BACKEND), allocate(code, backend)],
          backend,
        );
        runs.push({ code: assembled.code, entry: assembled.functions[1]!, arguments: values });
        expected.push(meant);
      }
      const results = runCode(runs);
      expect(results.map(({ result }) => result)).toEqual(expected);
      expect(results.every(({ preserved }) => preserved)).toBe(true);
    });
  }
});
