/**
 * From a program to the subject of its verification: decode it, check what can be checked without
 * walking it, and resolve what it names. Failures found here end the verification.
 */

import {
  decode,
  InputError,
  type Instruction,
  type MapSpec,
  type Program,
  type Row,
  TABLE,
} from '../../isa/index.ts';
import { type HelperRow, layoutOf, mapType, type Profile } from '../../platform/index.ts';
import { shapeOf } from '../calls/callback-arguments.ts';
import { effectsOf } from '../calls/effects.ts';
import { checkExceptionCallback, exceptionCallback } from '../calls/exceptions.ts';
import { globalFunctions } from '../calls/global.ts';
import { buildCfg, MARK_CONVERGE, MARK_PRUNE, target } from '../cfg.ts';
import { type Contract, hasFlag } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { liveRegisters, tracedRegisters } from '../liveness.ts';
import { numbersSuffice, obligationsOf } from '../obligations/derive.ts';
import { ProgramTypes } from '../program-types.ts';
import type { Privilege, ResolvedMap, Subject } from '../subject.ts';
import { checkEncoding } from './encoding.ts';
import { checkFields } from './fields.ts';
import { checkHelper, GPL_COMPATIBLE, helperNumbered } from './helpers.ts';
import { checkResults, checkSymbols, hookOf, type KernelBtf, kernelTypes } from './kernel.ts';
import { resolveKfuncs } from './kfuncs.ts';
import { loadableType } from './load.ts';
import { arenas, checkArenas, checkMapTypes, resolveMaps } from './maps.ts';
import { checkShape } from './shape.ts';

export interface Prepared {
  readonly subject: Subject | undefined;
  readonly failures: readonly Failure[];
}

const refuse = (failures: readonly Failure[]): Prepared => ({ subject: undefined, failures });

export function prepare(
  program: Program,
  profile: Profile,
  privilege: Privilege,
  kernelBtf: KernelBtf,
): Prepared {
  const type = loadableType(program, profile, privilege);
  if ('code' in type) return refuse([type]);
  const { instructions, errors } = decode(program.code);
  const encoding = checkEncoding(program, instructions, errors, profile);
  if (encoding.length > 0) return refuse(encoding);
  const { maps, innerMap } = withInnerMaps(program.maps);
  const types = programTypes(program, maps);
  if ('code' in types) return refuse([types]);
  const kernel = kernelTypes(kernelBtf);
  const hook = hookOf(program, type, kernel);
  if (hook !== undefined && 'code' in hook) return refuse([hook]);
  const symbolFailures = checkSymbols(instructions, kernel);
  if (symbolFailures.length > 0) return refuse(symbolFailures);
  const rows = instructions.map((insn) => TABLE[insn.op]!);
  const onException = exceptionCallback(program, types.btf);
  if (typeof onException === 'object') return refuse([onException]);
  const alsoEntered = onException === undefined ? [] : [onException];
  const { cfg, failures } = buildCfg(program, instructions, alsoEntered);
  if (failures.length > 0) return refuse(failures);
  const shape = checkShape(cfg, instructions, rows, profile, privilege);
  if (shape !== undefined) return refuse([shape]);
  const mapFailures: Failure[] = [];
  const mapAt: ReadonlyMap<number, ResolvedMap> = resolveMaps(program, instructions, mapFailures);
  if (mapFailures.length > 0) return refuse(mapFailures);
  const misplaced =
    checkMapTypes(program, profile, mapAt) ??
    checkArenas(program, mapAt, privilege) ??
    checkFields(program, maps, mapAt, types);
  if (misplaced !== undefined) return refuse([misplaced]);
  const { helperAt, refusedCalls } = resolveHelpers(program, instructions, profile, privilege);
  const callFailures: Failure[] = [];
  const kfuncAt = resolveKfuncs(program, instructions, profile, callFailures, refusedCalls);
  if (callFailures.length > 0) return refuse(callFailures);
  const callees: readonly (readonly [number, Contract])[] = [...helperAt, ...kfuncAt];
  const untyped = checkResults(callees, type, kernel);
  if (untyped !== undefined) return refuse([untyped]);
  for (const [pc, callee] of callees) {
    const repeats = shapeOf(callee)?.runs === 'now' || hasFlag(callee, 'iter-next');
    if (repeats) cfg.marks[pc]! |= MARK_PRUNE | MARK_CONVERGE;
  }
  const layout = layoutOf(type);
  const outside = (pc: number) => helperAt.get(pc) ?? kfuncAt.get(pc);
  const effects = effectsOf({ cfg, instructions, rows, calleeAt: outside });
  const setting = { btf: types.btf, type, layout, profile, kernel };
  const globals = globalFunctions(setting, cfg, effects);
  const uncaught =
    onException === undefined
      ? undefined
      : checkExceptionCallback(onException, globals.get(onException), instructions);
  if (uncaught !== undefined) return refuse([uncaught]);
  const calleeAt = (pc: number) => outside(pc) ?? globals.get(calledAt(pc, instructions, rows));
  const argumentCount = (pc: number) => calleeAt(pc)?.arguments.length ?? 5;
  const mayLeak = privilege === 'full' && profile.family === 'linux';
  const isMasked = privilege !== 'full' && profile.family === 'linux';
  const subject: Subject = {
    program,
    instructions,
    rows,
    cfg,
    live: liveRegisters(cfg, instructions, argumentCount),
    traced: perSlot(instructions, rows, tracedRegisters),
    maps,
    innerMap,
    mapTypes: maps.map((map) => mapType(map.type)),
    mapAt,
    usesArena: arenas(program, mapAt).size > 0,
    type,
    layout,
    types,
    get kernel() {
      return kernel();
    },
    hook,
    isGplCompatible: GPL_COMPATIBLE.has(program.license),
    profile,
    privilege,
    mayLeakPointers: mayLeak,
    mayReadUninitialised: mayLeak && profile.features.has('uninit-stack-read'),
    keepsSpilledNumbers: privilege !== 'none' || profile.family !== 'linux',
    masksArithmetic: isMasked,
    mayIndexStack: privilege === 'full' || profile.family !== 'linux',
    alignment: program.flags.includes('strict-alignment') ? 'strict' : 'efficient',
    helperAt,
    kfuncAt,
    refusedCalls,
    globals,
    onException,
    obligations: instructions.map((insn, pc) => obligationsOf(pc, insn, rows[pc]!, calleeAt(pc))),
    numbersSuffice: perSlot(instructions, rows, isMasked ? () => -1 : numbersSuffice),
  };
  return { subject, failures: [] };
}

/** One number for each slot. (`Int16Array.from` takes an iterator, and ten times as long.) */
function perSlot(
  instructions: Subject['instructions'],
  rows: Subject['rows'],
  numberOf: (insn: Instruction, row: Row) => number,
): Int16Array {
  const values = new Int16Array(instructions.length);
  for (let pc = 0; pc < values.length; pc++) values[pc] = numberOf(instructions[pc]!, rows[pc]!);
  return values;
}

/** Entry of the function that the slot calls by name, or -1. */
function calledAt(
  pc: number,
  instructions: Subject['instructions'],
  rows: Subject['rows'],
): number {
  const row = rows[pc]!;
  const isCall = row.kind === 'call' && row.operation === 'subprogram';
  return isCall ? target(pc, instructions[pc]!, row) : -1;
}

/** The program's own types, or why they cannot be read. */
function programTypes(program: Program, maps: readonly MapSpec[]): ProgramTypes | Failure {
  try {
    return new ProgramTypes(program, maps);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { code: 'program-types', pc: 0, values: { reason: error.message } };
  }
}

/** The maps, followed by the templates of inner maps. */
function withInnerMaps(maps: readonly MapSpec[]) {
  const all = [...maps];
  const innerMap = new Int32Array(maps.length * 2).fill(-1);
  maps.forEach((map, index) => {
    if (map.inner === undefined) return;
    innerMap[index] = all.length;
    all.push(map.inner);
  });
  return { maps: all, innerMap };
}

function resolveHelpers(
  program: Program,
  instructions: Subject['instructions'],
  profile: Profile,
  privilege: Privilege,
) {
  const helperAt = new Map<number, HelperRow>();
  const refusedCalls = new Map<number, Failure>();
  instructions.forEach((insn, pc) => {
    const row = TABLE[insn.op]!;
    if (row.kind !== 'call' || row.operation !== 'helper') return;
    const helper = helperNumbered(profile, insn.imm, program.type);
    const failure = checkHelper(program, helper, insn.imm, pc, profile, privilege);
    if (failure !== null) refusedCalls.set(pc, failure);
    else if (helper !== undefined) helperAt.set(pc, helper);
  });
  for (const { instruction: pc, reason } of program.unresolved ?? []) {
    refusedCalls.set(pc, { code: 'program-unresolved', pc, values: { reason } });
  }
  return { helperAt, refusedCalls };
}
