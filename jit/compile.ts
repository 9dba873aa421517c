/**
 * The compiler: from a proven program to native code. Each function goes through the same stages:
 * IR, passes, machine instructions, registers; then all are assembled as one piece of code.
 */

import { type FunctionFact, ProvenProgram } from '../verifier/index.ts';
import { buildFunction } from './ir/build.ts';
import type { Source } from './ir/builder.ts';
import { check } from './ir/check.ts';
import type { IrFunction } from './ir/ir.ts';
import { print } from './ir/print.ts';
import { checkAllocation } from './mach/check.ts';
import {
  type Allocation,
  type AssembledCode,
  allocate,
  assemble,
  type ListingChoice,
  type ListingLine,
} from './mach/index.ts';
import { mintNativeCode, type NativeCode } from './native-code.ts';
import { FACTS_PASS, PASSES, type Pass } from './opt/passes.ts';
import {
  describeProgram,
  describeSource,
  type Metering,
  type ProvenParts,
  withoutValueFacts,
} from './source.ts';
import { X64 } from './x64/index.ts';

const TARGETS = { x64: X64 } as const;

export type TargetName = keyof typeof TARGETS;

export interface CompileOptions {
  readonly target?: TargetName;
  /** Passes to leave out, by name. */
  readonly skip?: readonly string[];
  /** Called after each stage of each function with what it made, as text. */
  readonly dump?: (stage: string, functionName: string, text: string) => void;
  /** Check the IR after every pass and each register allocation; default off. */
  readonly check?: 'on' | 'off';
  /**
   * `metered` code counts instructions exactly as the interpreter does, and a run of it can be given
   * a limit; it is somewhat slower. Default `unmetered`.
   */
  readonly metering?: Metering;
}

/** Compiles a proven program. Throws TypeError for anything but a proof that `verify` made. */
export function compile(proof: ProvenProgram, options: CompileOptions = {}): NativeCode {
  return compileFrom(partsOf(proof), options);
}

/** The code of `compile` as text, one line for each machine instruction. */
export function list(proof: ProvenProgram, options: CompileOptions = {}): readonly ListingLine[] {
  return assembleProgram(partsOf(proof), options, 'with-listing').listing;
}

function partsOf(proof: ProvenProgram): ProvenParts {
  if (!ProvenProgram.is(proof)) throw new TypeError('compile() takes a proof made by verify()');
  const { program, instructions, facts, profile, programType } = proof;
  return { program, instructions, facts, profile, programType };
}

/** For tests of the compiler alone; `index.ts` does not export it. */
export function compileFrom(parts: ProvenParts, options: CompileOptions = {}): NativeCode {
  const assembled = assembleProgram(parts, options, 'code-only');
  return mintNativeCode({
    target: options.target ?? 'x64',
    code: assembled.code,
    entry: assembled.functions[0]!,
    relocations: assembled.relocations,
    codeMap: assembled.codeMap,
    functions: orderFunctions(parts.facts.functions).map(({ name, start }, i) => ({
      name,
      instruction: start,
      offset: assembled.functions[i]!,
    })),
    program: describeProgram(parts, assembled.relocations, options.metering ?? 'unmetered'),
    programType: parts.programType,
  });
}

/** For tests, as `compileFrom`. */
export function listFrom(parts: ProvenParts, options: CompileOptions = {}): readonly ListingLine[] {
  return assembleProgram(parts, options, 'with-listing').listing;
}

function assembleProgram(
  parts: ProvenParts,
  options: CompileOptions,
  listing: ListingChoice,
): AssembledCode {
  const target = TARGETS[options.target ?? 'x64'];
  const skipsFacts = options.skip?.includes(FACTS_PASS) ?? false;
  const facts = skipsFacts ? withoutValueFacts(parts.facts) : parts.facts;
  const source = describeSource({ ...parts, facts }, options.metering);
  const functions = orderFunctions(facts.functions);
  const functionNumbers = new Map(functions.map(({ start }, number) => [start, number]));
  const passes = choosePasses(options.skip ?? []);
  const optimised = functions.map((range) => optimise(source, range, passes, options));
  const argumentMasks = new Map(optimised.map((fn) => [fn.start, argumentMask(fn)]));
  const allocations = optimised.map((fn): Allocation => {
    const allocation = allocate(target.select({ fn, functionNumbers, argumentMasks }), target);
    if (options.check === 'on') checkAllocation(allocation, target);
    return allocation;
  });
  return assemble(allocations, target, listing);
}

/** Bit i: the function reads r(i + 1). Callers need not pass the others. */
function argumentMask(fn: IrFunction): number {
  let mask = 0;
  for (const value of fn.blocks[0]!.values) if (value.op === 'argument') mask |= 1 << value.lo;
  return mask;
}

/** By slot, so that the program itself, which starts at slot 0, comes first. */
function orderFunctions(functions: readonly FunctionFact[]): FunctionFact[] {
  return [...functions].sort((a, b) => a.start - b.start);
}

function choosePasses(skip: readonly string[]): readonly Pass[] {
  for (const name of skip) {
    const pass = PASSES.find((each) => each.name === name);
    if (pass?.required) throw new RangeError(`pass '${name}' cannot be skipped`);
    if (!pass && name !== FACTS_PASS) throw new RangeError(`there is no pass '${name}'`);
  }
  return skip.length === 0 ? PASSES : PASSES.filter(({ name }) => !skip.includes(name));
}

function optimise(
  source: Source,
  range: FunctionFact,
  passes: readonly Pass[],
  options: CompileOptions,
): IrFunction {
  const checks = options.check === 'on';
  const fn = buildFunction(source, range);
  if (checks) check(fn, FACTS_PASS);
  options.dump?.(FACTS_PASS, fn.name, `${print(fn)}${cited(fn.citations, 0)}`);
  for (const pass of passes) {
    const before = fn.citations.length;
    pass.run(fn, source);
    if (checks) check(fn, pass.name);
    options.dump?.(pass.name, fn.name, `${print(fn)}${cited(fn.citations, before)}`);
  }
  return fn;
}

const cited = (citations: readonly string[], from: number): string =>
  citations
    .slice(from)
    .map((each) => `; ${each}\n`)
    .join('');
