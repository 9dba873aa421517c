/**
 * What the stages of the compiler ask about a program, gathered once, and what the loader is told
 * about it at the end.
 */

import { type Instruction, type Program, TABLE } from '../isa/index.ts';
import { contextLayout, helperFor, kfunc, programType } from '../platform/index.ts';
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
}

const ARGUMENT_REGISTERS = 5;

export type Metering = 'metered' | 'unmetered';

export function describeSource(
  { program, instructions, facts }: ProvenParts,
  metering: Metering = 'unmetered',
): Source {
  const context = programType(program.type)?.context;
  const layout = context ? contextLayout(context) : undefined;
  return {
    program,
    instructions,
    facts,
    contextFields: layout?.fields ?? [],
    helperArguments: (id) => helperFor(id, program.type)?.arguments.length ?? ARGUMENT_REGISTERS,
    mapReferences: new Map(program.mapReferences.map((each) => [each.instruction, each])),
    metered: metering === 'metered',
    readsByNumber: readsByNumber(program, instructions, facts),
    helperCallsBack: (id) => {
      const row = helperFor(id, program.type);
      return row?.arguments.some(({ kind }) => kind === 'callback') ?? true;
    },
    kfuncs: new Map(program.kfuncCalls.map(({ instruction, name }) => [instruction, name])),
    kfuncArguments: (name) => kfunc(name)?.arguments.length ?? ARGUMENT_REGISTERS,
  };
}

/** Whether something that it calls, or a load that may fault, reads at addresses nobody has proven. */
function readsByNumber(
  program: Program,
  instructions: readonly Instruction[],
  facts: Facts,
): boolean {
  if (program.kfuncCalls.some(({ name }) => kfunc(name)?.readsByNumber === true)) return true;
  return instructions.some(({ op, imm }, pc) => {
    const { kind, operation } = TABLE[op]!;
    if (kind === 'load') return facts.access(pc)?.region === 'btf-faulting';
    if (kind !== 'call' || operation !== 'helper') return false;
    return helperFor(imm, program.type)?.readsByNumber === true;
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
  { program, instructions, facts, profile }: ProvenParts,
  relocations: readonly Relocation[],
  metering: Metering,
): ProgramMeta {
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
    returnBits: programType(program.type)?.returnBits ?? 64,
    keepsPacket: keepsPacket(program.type, instructions, facts),
    readsObjects: instructions.some((_, pc) => facts.access(pc)?.region.startsWith('btf')),
    metered: metering === 'metered',
  };
}
