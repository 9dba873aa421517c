/**
 * Everything that can be asked about one program: what the verifier says and what the kernel says;
 * whether runs of an accepted program keep to its proof; whether interpreter, native code and kernel
 * compute the same.
 */

import { type Program, TABLE } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { type Extension, load, loadReference } from '../../loader/index.ts';
import { type Accepted, type Verdict, verify } from '../../verifier/index.ts';
import { isDeterministic } from './deterministic.ts';
import { FactChecker } from './facts.ts';
import { type FuzzInput, makeInputs } from './inputs.ts';
import { askKernel, type KernelAnswer, runInKernel } from './kernel.ts';
import { difference, type Finding, mapText, type RunResult } from './outcome.ts';

export interface ExamineOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly kernel: 'asked' | 'absent';
}

export interface Examination {
  readonly finding: Finding | undefined;
  readonly accepted: boolean;
  readonly runs: number;
}

/** Longer runs prove nothing more. */
const MOST_INTERPRETED = 30_000;

export function examine(program: Program, options: ExamineOptions): Examination {
  let verdict: Verdict;
  try {
    verdict = verify(program);
  } catch (error) {
    return { finding: crash('verify', error), accepted: false, runs: 0 };
  }
  const answer = options.kernel === 'asked' ? askKernel(program) : undefined;
  try {
    const disagreement = answer === undefined ? undefined : compareVerdicts(verdict, answer);
    if (!verdict.ok) return { finding: disagreement, accepted: false, runs: 0 };
    const inputs = makeInputs(options.seed, options.inputs, program.contextSize);
    const broken = examineRuns(program, verdict, inputs, answer);
    return { finding: broken ?? disagreement, accepted: true, runs: inputs.length };
  } finally {
    answer?.program?.close();
  }
}

const crash = (stage: string, error: unknown): Finding => ({
  kind: 'crash',
  detail: `${stage}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
});

/** Only where ringfence predicts the kernel's verdict is there something to compare. */
function compareVerdicts(verdict: Verdict, answer: KernelAnswer): Finding | undefined {
  if (verdict.ok && verdict.linux === 'accepted' && !answer.accepted) {
    return { kind: 'kernel-rejects', detail: answer.reason };
  }
  if (!verdict.ok && answer.accepted) {
    const { code, message, primary } = verdict.diagnostics[0]!;
    const detail = `${code}\nslot ${primary.instruction}: ${message}`;
    return { kind: 'kernel-accepts', detail };
  }
  return undefined;
}

function examineRuns(
  program: Program,
  verdict: Accepted,
  inputs: readonly FuzzInput[],
  answer: KernelAnswer | undefined,
): Finding | undefined {
  const interpreted = interpretAll(program, verdict, inputs);
  if (!Array.isArray(interpreted)) return interpreted;
  if (!isDeterministic(program)) return undefined;
  const compared =
    interpreted.length === inputs.length ? inputs : inputs.slice(0, interpreted.length);
  const native = runNative(verdict, compared);
  if (native !== undefined && !Array.isArray(native)) return native;
  const differs = native && difference(interpreted, native);
  if (differs) return { kind: 'native', detail: differs };
  const metered = native && compareMetered(program, verdict, compared);
  if (metered) return { kind: 'metered', detail: metered };
  if (unlikeTheKernel(verdict) !== undefined) return undefined;
  const kernel = answer?.program && runInKernel(answer.program, program, compared);
  const kernelDiffers = kernel && difference(interpreted, kernel);
  return kernelDiffers ? { kind: 'kernel-run', detail: kernelDiffers } : undefined;
}

/**
 * Linux 6.18 follows a number that an atomic operation fetched from the stack back to the operand
 * instead of the slot. It then leaves out states that differ in the slot, and may remove a branch
 * that is taken: what such programs compute there is no measure.
 */
const exchangesOnStack = ({ proof: { instructions, facts } }: Accepted): boolean =>
  instructions.some((insn, pc) => {
    const row = TABLE[insn.op]!;
    const fetches = row.kind === 'atomic' && (row.src === 'update' || row.operation === 'cmpxchg');
    return fetches && facts.access(pc)?.region !== 'map-value';
  });

/**
 * Linux 6.18 loses a frame when it follows a legacy packet load in a function that finds its bytes
 * missing: it complains of a verifier bug, or takes code behind the call for dead and replaces it.
 */
const loadsInFunctions = ({ proof: { instructions, facts } }: Accepted): boolean => {
  const main = facts.functions.find(({ start }) => start === 0);
  return instructions.some((insn, pc) => TABLE[insn.op]!.kind === 'packet' && pc >= main!.end);
};

const FOR_EACH_MAP_ELEM = 164;

/** A walk over a hash that its callback ends shows how many elements came before: the kernel's order. */
const walksHashes = ({ program, proof: { instructions, facts } }: Accepted): boolean =>
  instructions.some((insn, pc) => {
    if (TABLE[insn.op]!.name !== 'call_helper' || insn.imm !== FOR_EACH_MAP_ELEM) return false;
    const map = facts.call(pc)?.map;
    return map === undefined || program.maps[map]?.type !== 'array';
  });

/** Why the kernel's runs of a program are no measure for ours; undefined: they are. */
export function unlikeTheKernel(verdict: Accepted): string | undefined {
  if (exchangesOnStack(verdict)) return 'exchanges numbers on its stack';
  if (loadsInFunctions(verdict)) return 'legacy packet loads in functions';
  return walksHashes(verdict) ? 'walks over a hash in its order' : undefined;
}

/** Interprets the program under the eyes of its facts. */
function interpretAll(
  program: Program,
  { proof, worstCaseInstructions }: Accepted,
  inputs: readonly FuzzInput[],
): RunResult[] | Finding {
  const extension = loadReference([program])[0]!;
  const checker = new FactChecker(proof.instructions, proof.facts);
  const results: RunResult[] = [];
  for (const { packet, input, memory } of inputs) {
    extension.maps.input?.set(new Uint8Array(4), input);
    checker.restart();
    const given = program.type === 'memory' ? { memory: memory.slice() } : { packet };
    const { r0, outcome, ...report } = extension.test(given, {
      trace: checker.trace,
      interpret: { maxInstructions: MOST_INTERPRETED },
    });
    if (checker.broken !== undefined) return { kind: 'facts', detail: checker.broken };
    if (outcome.kind === 'fault') {
      if (outcome.fault.kind === 'unsupported') return results;
      return { kind: 'fault', detail: `${outcome.fault.reason}\nslot ${outcome.fault.pc}` };
    }
    if (worstCaseInstructions !== null && outcome.executed > worstCaseInstructions) {
      const detail = `executed ${outcome.executed}, proven ${worstCaseInstructions}`;
      return { kind: 'bound', detail };
    }
    if (outcome.kind === 'exhausted') return results;
    const maps = Object.values(extension.maps);
    results.push({
      r0,
      memory: report.packet ?? report.memory ?? new Uint8Array(),
      maps: mapText(maps.map((map) => ({ name: map.name, entries: map.entries() }))),
    });
  }
  return results;
}

/** Of the runs in turn, so that most programs are stopped early, late and not at all. */
const SHARES = [0.5, 0.9, 1.1, 0.2, 0.99, 1];

/** Runs with limits, one after the other on the same maps: where do they stop, what did they write? */
function compareMetered(
  program: Program,
  verdict: Accepted,
  inputs: readonly FuzzInput[],
): string | undefined {
  const reference = loadReference([program])[0]!;
  const code = compile(verdict.proof, { check: 'on', metering: 'metered' });
  using native = load(code, { lifetime: 'replaceable' });
  let usual = 100;
  for (const [i, { packet, input, memory }] of inputs.entries()) {
    const given = program.type === 'memory' ? { memory: memory.slice() } : { packet };
    const maxInstructions = Math.max(1, Math.floor(usual * SHARES[i % SHARES.length]!));
    for (const { maps } of [reference, native]) maps.input?.set(new Uint8Array(4), input);
    const { outcome } = reference.test(given, { interpret: { maxInstructions } });
    const ran = native.runMetered(given, maxInstructions);
    const stopped = outcome.kind === 'exhausted';
    const a = `${stopped ? 'stopped' : outcome.kind} after ${outcome.executed}`;
    const b = `${ran.outcome} after ${ran.executed}`;
    if (a !== b) return `of ${maxInstructions}: interpreter ${a}, native ${b}`;
    const [theirs, ours] = [reference, native].map(({ maps }) =>
      mapText(Object.values(maps).map((map) => ({ name: map.name, entries: map.entries() }))),
    );
    if (theirs !== ours) return `maps differ after ${maxInstructions}:\n${theirs}\n${ours}`;
    usual = stopped ? usual * 3 : outcome.executed;
  }
  return undefined;
}

/** Undefined: the program needs something that native code does not have yet. */
function runNative(
  verdict: Accepted,
  inputs: readonly FuzzInput[],
): RunResult[] | Finding | undefined {
  let extension: Extension;
  try {
    extension = load(compile(verdict.proof, { check: 'on' }), { lifetime: 'replaceable' });
  } catch (error) {
    if (error instanceof Error && error.name === 'UnsupportedError') return undefined;
    return crash('compile', error);
  }
  const maps = Object.values(extension.maps);
  try {
    return inputs.map(({ packet, input, memory }) => {
      extension.maps.input?.set(new Uint8Array(4), input);
      const given = verdict.program.type === 'memory' ? { memory: memory.slice() } : { packet };
      const report = extension.test(given);
      return {
        r0: report.r0,
        memory: report.packet ?? report.memory ?? new Uint8Array(),
        maps: mapText(maps.map((map) => ({ name: map.name, entries: map.entries() }))),
      };
    });
  } finally {
    extension.close();
  }
}
