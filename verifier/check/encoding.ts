/** Encoding: what the decoder refused, and what the profile's instruction set does not have. */

import {
  type DecodeError,
  type Instruction,
  type Program,
  type Row,
  TABLE,
} from '../../isa/index.ts';
import type { Profile } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';

export function checkEncoding(
  program: Program,
  instructions: readonly Instruction[],
  errors: readonly DecodeError[],
  profile: Profile,
): Failure[] {
  const unresolved = program.unresolved?.find(({ guarded }) => !guarded);
  if (unresolved !== undefined) {
    const { instruction, reason } = unresolved;
    return [{ code: 'program-unresolved', pc: instruction, values: { reason } }];
  }
  if (instructions.length === 0) return [{ code: 'empty-program', pc: 0, values: {} }];
  const most = profile.maxInstructions;
  if (instructions.length > most) {
    const values = { count: instructions.length, most };
    return [{ code: 'program-too-long', pc: most, values }];
  }
  const failures: Failure[] = errors.map(({ slot, reason, linux }) => ({
    code: 'bad-instruction',
    pc: slot,
    values: { reason, linux },
  }));
  if (failures.length > 0) return failures;
  for (let pc = 0; pc < instructions.length; pc++) {
    const failure = checkInstruction(pc, TABLE[instructions[pc]!.op]!, profile);
    if (failure !== null) failures.push(failure);
  }
  return failures;
}

function checkInstruction(pc: number, row: Row, profile: Profile): Failure | null {
  if (row.version > profile.isa) {
    const opcode = row.code.toString(16);
    const values = { name: row.name, version: row.version, isa: profile.isa, opcode };
    return { code: 'instruction-set', pc, values };
  }
  const feature = featureOf(row);
  if (feature !== undefined && !profile.features.has(feature)) {
    const values = { name: row.name, profile: profile.name, opcode: row.code.toString(16) };
    return { code: 'instruction-missing', pc, values };
  }
  return null;
}

/** The feature with which an instruction came, where the level of the instruction set does not say. */
function featureOf(row: Row): string | undefined {
  switch (row.kind) {
    case 'may_goto':
      return 'may-goto';
    case 'cast':
      return 'arena';
    case 'constant':
      return row.operation === 'function' ? 'callbacks' : undefined;
    case 'atomic':
      if (row.operation === 'add') return undefined;
      return NEW_ATOMICS.has(row.operation) ? 'load-acquire' : 'atomics';
    default:
      return undefined;
  }
}

const NEW_ATOMICS: ReadonlySet<string> = new Set(['load_acquire', 'store_release']);
