/** What the 64-bit constants of a program stand for when it is interpreted. */

import { constantValue } from './derived.ts';
import type { Executable, Host } from './machine.ts';
import type { Instruction, MapReference } from './program.ts';
import type { Row } from './table.ts';

/** Function constants are slots at this address, 8 bytes each: distinct, and never readable. */
export const FUNCTION_ADDRESS = 0x6f00_0000_0000n;

/** Value of the constant at slot `pc`; undefined when the host has nothing for it. */
export function constantOf(
  instruction: Instruction,
  row: Row,
  pc: number,
  executable: Executable,
  host: Host,
): bigint | undefined {
  switch (row.operation) {
    case 'value':
      return constantValue(instruction);
    case 'function':
      return FUNCTION_ADDRESS + BigInt(pc + 1 + instruction.imm) * 8n;
    case 'kernel_symbol':
      return host.kernelSymbol?.(instruction.imm, instruction.immHigh);
    default:
      return mapConstant(instruction, row, referencesOf(executable).get(pc), executable, host);
  }
}

/** A reference of the program says which map; without one the immediates do. */
function mapConstant(
  instruction: Instruction,
  row: Row,
  reference: MapReference | undefined,
  executable: Executable,
  host: Host,
): bigint | undefined {
  const map = reference?.map ?? instruction.imm;
  const isValue = row.operation === 'map_value' || row.operation === 'map_index_value';
  const offset = reference
    ? reference.valueOffset
    : isValue
      ? instruction.immHigh >>> 0
      : undefined;
  return offset === undefined
    ? host.mapAddress?.(map, executable)
    : host.mapValueAddress?.(map, offset, executable);
}

const REFERENCES = new WeakMap<Executable, ReadonlyMap<number, MapReference>>();

/** References by slot, built once per program. */
function referencesOf(executable: Executable): ReadonlyMap<number, MapReference> {
  let references = REFERENCES.get(executable);
  if (!references) {
    const all = executable.mapReferences ?? [];
    references = new Map(all.map((reference) => [reference.instruction, reference]));
    REFERENCES.set(executable, references);
  }
  return references;
}
