/**
 * What the stages of the compiler ask about a program, gathered once, and what the loader is told
 * about it at the end.
 */

import { type Instruction, type Program, TABLE } from '../isa/index.ts';
import {
  type HelperRow,
  helperFor,
  kfunc,
  layoutOf,
  type ProgramType,
  type ProgramTypeRow,
  partsOf,
  programType as typeNamed,
} from '../platform/index.ts';
import type { Facts, OperandFact } from '../verifier/index.ts';
import type { Relocation } from './code.ts';
import type { Source } from './ir/builder.ts';
import type { ProgramMeta } from './native-code.ts';
import { keepsPacket } from './packet-use.ts';

/** What compilation starts from; `compile` takes it out of a proof. */
export interface ProvenParts {
  readonly program: Program;
  readonly instructions: readonly Instruction[];
  readonly facts: Facts;
  /** Name of the profile under which it was proven. */
  readonly profile: string;
  /** The embedder's definition that it was proven against. */
  readonly programType?: ProgramType<unknown> | undefined;
}

/** The type's row: the definition's own, or the table's. */
export const typeOf = ({ program, programType }: ProvenParts): ProgramTypeRow | undefined =>
  programType ? partsOf(programType).row : typeNamed(program.type);

/** What a helper's number means to the program. */
export const helperOf =
  ({ program, programType }: ProvenParts) =>
  (id: number): HelperRow | undefined =>
    programType === undefined
      ? helperFor(id, program.type)
      : partsOf(programType).profile.helpers?.get(id);

const ARGUMENT_REGISTERS = 5;

export type Metering = 'metered' | 'unmetered';

export function describeSource(parts: ProvenParts, metering: Metering = 'unmetered'): Source {
  const { program, instructions, facts } = parts;
  const type = typeOf(parts);
  const layout = type && layoutOf(type);
  const helper = helperOf(parts);
  return {
    program,
    instructions,
    facts,
    contextFields: layout?.fields ?? [],
    helperArguments: (id) => helper(id)?.arguments.length ?? ARGUMENT_REGISTERS,
    mapReferences: new Map(program.mapReferences.map((each) => [each.instruction, each])),
    metered: metering === 'metered',
    readsByNumber: readsByNumber(parts),
    helperCallsBack: (id) => {
      const row = helper(id);
      return row?.arguments.some(({ kind }) => kind === 'callback') ?? true;
    },
    kfuncs: new Map(program.kfuncCalls.map(({ instruction, name }) => [instruction, name])),
    kfuncArguments: (name) => kfunc(name)?.arguments.length ?? ARGUMENT_REGISTERS,
  };
}

/** Whether something that it calls, or a load that may fault, reads at addresses nobody has proven. */
function readsByNumber(parts: ProvenParts): boolean {
  const { program, instructions, facts } = parts;
  const helper = helperOf(parts);
  if (program.kfuncCalls.some(({ name }) => kfunc(name)?.readsByNumber === true)) return true;
  return instructions.some(({ op, imm }, pc) => {
    const { kind, operation } = TABLE[op]!;
    if (kind === 'load') return facts.access(pc)?.region === 'btf-faulting';
    if (kind !== 'call' || operation !== 'helper') return false;
    return helper(imm)?.readsByNumber === true;
  });
}

const UNKNOWN_OPERAND: OperandFact = Object.freeze({
  pointer: false,
  constant: undefined,
  significantBits: 64,
  signedBits: 64,
  nonZero: false,
  nonZero32: false,
  notMinusOne: false,
});

/**
 * The same facts with nothing said about values and branches; what accesses touch remains, since
 * the meaning of a context access depends on it.
 */
export function withoutValueFacts(facts: Facts): Facts {
  return {
    reached: (pc) => facts.reached(pc),
    mayJump: () => true,
    mayFallThrough: () => true,
    access: (pc) => facts.access(pc),
    operand: () => UNKNOWN_OPERAND,
    call: () => undefined,
    functions: facts.functions,
    worstCaseInstructions: facts.worstCaseInstructions,
    unboundedBy: facts.unboundedBy,
    exceptionCallback: facts.exceptionCallback,
    stackBytes: facts.stackBytes,
  };
}

export function describeProgram(
  parts: ProvenParts,
  relocations: readonly Relocation[],
  metering: Metering,
): ProgramMeta {
  const { program, instructions, facts, profile } = parts;
  const type = typeOf(parts);
  const helpers = new Set<number>();
  const kfuncs = new Set<string>();
  for (const relocation of relocations) {
    if (relocation.kind === 'helper') helpers.add(relocation.helper);
    if (relocation.kind === 'kfunc') kfuncs.add(relocation.name);
  }
  return {
    name: program.name,
    type: program.type,
    attachType: program.attachType,
    contextSize: program.contextSize,
    maps: program.maps,
    btf: program.btf,
    helpers: [...helpers].sort((a, b) => a - b),
    kfuncs: [...kfuncs].sort(),
    profile,
    worstCaseInstructions: facts.worstCaseInstructions,
    unboundedBy: facts.unboundedBy,
    exceptionCallback: facts.exceptionCallback,
    stackBytes: facts.stackBytes,
    returnBits: type?.returnBits ?? 64,
    keepsPacket: keepsPacket({ type, helper: helperOf(parts), instructions, facts }),
    readsObjects: instructions.some((_, pc) => facts.access(pc)?.region.startsWith('btf')),
    metered: metering === 'metered',
  };
}
