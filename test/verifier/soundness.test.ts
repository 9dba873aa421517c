/**
 * What was accepted is safe: generated programs that the verifier accepts are interpreted on random
 * buffers. No access may leave its region, no run may exceed the proven worst case, and every fact
 * about an operand must hold whenever its instruction executes. SOUNDNESS_PROGRAMS sets how many.
 */

import { expect, it } from 'vitest';
import { AddressSpace, assembleProgram, interpret, TABLE } from '../../isa/index.ts';
import type { Facts, OperandFact } from '../../verifier/index.ts';
import { verify } from '../../verifier/index.ts';
import { Random } from '../support/random-program.ts';
import { BUFFER_BYTES, Generator } from './generate.ts';

const PROGRAMS = Number(process.env.SOUNDNESS_PROGRAMS ?? 400);
const RUNS = 12;
const BASE = 0x1000_0000n;
const CORNERS = [0, 1, 0x7f, 0x80, 0xff];

const fits = (fact: OperandFact, value: bigint): boolean => {
  const unsigned = BigInt.asUintN(64, value);
  const low = BigInt.asUintN(32, value);
  const { constant } = fact;
  if (constant !== undefined) {
    const expected = (BigInt(constant.hi >>> 0) << 32n) | BigInt(constant.lo >>> 0);
    if (expected !== unsigned) return false;
  }
  if (unsigned >> BigInt(fact.significantBits) !== 0n) return false;
  const signed = BigInt.asIntN(64, value);
  if (BigInt.asIntN(fact.signedBits, signed) !== signed) return false;
  if (fact.nonZero && unsigned === 0n) return false;
  if (fact.nonZero32 && low === 0n) return false;
  return !(fact.notMinusOne && (signed === -1n || low === 0xffffffffn));
};

function randomBuffer(random: Random): Uint8Array {
  const mode = random.below(3);
  return Uint8Array.from({ length: BUFFER_BYTES }, () =>
    mode === 0
      ? random.below(256)
      : mode === 1
        ? random.pick(CORNERS)
        : random.below(4) === 0
          ? 1
          : 0,
  );
}

/** The first fact that an execution contradicts, or what else went wrong. */
function runOnce(program: ReturnType<typeof assembleProgram>, facts: Facts, bytes: Uint8Array) {
  const memory = new AddressSpace();
  memory.add({ name: 'buffer', base: BASE, bytes, access: 'read-write' });
  const { instructions } = proven(program);
  let broken: string | undefined;
  const outcome = interpret(
    instructions,
    {
      memory,
      trace: (pc, registers) => {
        const insn = instructions[pc]!;
        const row = TABLE[insn.op]!;
        if (!facts.reached(pc)) broken ??= `slot ${pc} was called unreachable`;
        for (const which of ['dst', 'src'] as const) {
          if (row[which] !== 'read' && row[which] !== 'update') continue;
          const value = registers[insn[which]];
          if (value === undefined || fits(facts.operand(pc, which), value)) continue;
          broken ??= `slot ${pc}: ${which} = ${value}, ${JSON.stringify(facts.operand(pc, which))}`;
        }
      },
    },
    { registers: [BASE, BigInt(BUFFER_BYTES)], stack: 'unwritten' },
  );
  if (outcome.kind !== 'exit') broken ??= JSON.stringify(outcome, (_, x) => String(x));
  const worst = facts.worstCaseInstructions;
  if (worst !== null && outcome.executed > worst) {
    broken ??= `executed ${outcome.executed}, proven at most ${worst}`;
  }
  return broken;
}

function proven(program: ReturnType<typeof assembleProgram>) {
  const verdict = verify(program);
  if (!verdict.ok) throw new RangeError('the program was accepted before');
  return verdict.proof;
}

it(`${PROGRAMS} generated programs keep their proofs`, () => {
  let accepted = 0;
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const text = new Generator(seed).program();
    const program = assembleProgram(text, `seed ${seed}`);
    const verdict = verify(program);
    if (!verdict.ok) continue;
    accepted++;
    const { facts } = verdict.proof;
    const random = new Random(seed);
    for (let run = 0; run < RUNS; run++) {
      const broken = runOnce(program, facts, randomBuffer(random));
      expect(broken, `${broken}\n${text}`).toBeUndefined();
    }
  }
  expect(accepted).toBeGreaterThan(PROGRAMS / 10);
});
