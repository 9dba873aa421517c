/**
 * What was proven by looking back over a path is safe: generated programs that check numbers in one
 * form and use them in another are interpreted on inputs around their bounds. Whatever is accepted
 * stays within its buffer. LOOK_BACK_PROGRAMS sets how many.
 */

import { expect, it, vi } from 'vitest';
import { AddressSpace, assembleProgram, type Instruction, interpret } from '../../isa/index.ts';
import { loadReference } from '../../loader/index.ts';
import { verify } from '../../verifier/index.ts';
import { LookBack } from '../../verifier/lookback/look-back.ts';
import { Random } from '../support/random-program.ts';
import { PacketRelationGenerator } from './generate-packet-relations.ts';
import { BUFFER_BYTES, RelationGenerator } from './generate-relations.ts';

const PROGRAMS = Number(process.env.LOOK_BACK_PROGRAMS ?? 250);
const FIRST = Number(process.env.LOOK_BACK_SEED ?? 1);
const RUNS = 40;
const BASE = 0x1000_0000n;

/** Numbers around bounds, whole or in their low half. */
function nearby(random: Random): bigint {
  const near = BigInt(random.pick([0, 5, 20, 31, 32, 60, 63, 64, 100, 128, 255, 4096]));
  const value = near + BigInt(random.below(5) - 2);
  switch (random.below(8)) {
    case 0:
      return -value;
    case 1:
      return value << BigInt(random.pick([1, 2, 3, 8, 16, 32, 40, 63]));
    case 2:
      return value + (BigInt(random.below(4)) << BigInt(random.pick([8, 16, 31, 32, 63])));
    case 3:
      return BigInt(random.word()) * BigInt(random.word());
    default:
      return value;
  }
}

function inputOf(random: Random): Uint8Array {
  const bytes = new Uint8Array(BUFFER_BYTES);
  const view = new DataView(bytes.buffer);
  const first = nearby(random);
  for (let at = 0; at < BUFFER_BYTES; at += 8) {
    const value = random.below(4) === 0 ? first + BigInt(random.below(3)) : nearby(random);
    view.setBigUint64(at, BigInt.asUintN(64, value), true);
  }
  return bytes;
}

function run(instructions: readonly Instruction[], bytes: Uint8Array) {
  const memory = new AddressSpace();
  memory.add({ name: 'buffer', base: BASE, bytes, access: 'read-write' });
  const registers = [BASE, BigInt(BUFFER_BYTES)];
  return interpret(instructions, { memory }, { registers, stack: 'unwritten' });
}

it(`${PROGRAMS} programs that need it stay within their buffers`, () => {
  const outcomes = vi.spyOn(LookBack.prototype, 'explain');
  let accepted = 0;
  let explained = 0;
  for (let seed = FIRST; seed < FIRST + PROGRAMS; seed++) {
    const text = new RelationGenerator(seed).program();
    const program = assembleProgram(text, `seed ${seed}`);
    outcomes.mockClear();
    const verdict = verify(program);
    if (!verdict.ok) continue;
    accepted++;
    if (outcomes.mock.calls.length === 0) continue;
    explained++;
    const random = new Random(seed);
    const { instructions } = verdict.proof;
    for (let i = 0; i < RUNS; i++) {
      const outcome = run(instructions, inputOf(random));
      expect(outcome.kind, `seed ${seed}\n${text}`).toBe('exit');
    }
  }
  if (process.env.LOOK_BACK_PROGRAMS !== undefined)
    console.log(`${accepted} accepted, ${explained} by looking back`);
  expect(accepted).toBeGreaterThan(PROGRAMS / 10);
  expect(explained).toBeGreaterThan(PROGRAMS / 20);
});

/** Packets about as long as the program's bounds, of small numbers. */
function packetOf(random: Random): Uint8Array {
  const length = Math.max(14, random.pick([20, 24, 28, 40, 60, 80, 120]) + random.below(5) - 2);
  const most = random.pick([4, 32, 64, 256]);
  return Uint8Array.from({ length }, () => random.below(most));
}

it(`${PROGRAMS} programs that need it stay within their packets`, () => {
  const outcomes = vi.spyOn(LookBack.prototype, 'explain');
  let explained = 0;
  for (let seed = FIRST; seed < FIRST + PROGRAMS; seed++) {
    const text = new PacketRelationGenerator(seed).program();
    const program = assembleProgram(text, `seed ${seed}`);
    outcomes.mockClear();
    if (!verify(program).ok || outcomes.mock.calls.length === 0) continue;
    explained++;
    const extension = loadReference([program])[0]!;
    const random = new Random(seed);
    for (let i = 0; i < RUNS; i++) {
      const packet = packetOf(random);
      const { outcome } = extension.test({ packet });
      expect(outcome.kind, `seed ${seed}, ${packet}\n${text}`).toBe('exit');
    }
  }
  if (process.env.LOOK_BACK_PROGRAMS !== undefined)
    console.log(`${explained} packets by looking back`);
  expect(explained).toBeGreaterThan(PROGRAMS / 20);
});
