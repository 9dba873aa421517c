/**
 * Running a proven program where everything can be seen: on the reference engine, which executes
 * instruction by instruction. What native code shows (results, packets, maps, the trace) is the same
 * here, which test/testing/observe.test.ts and the differential tests hold it to; on top come calls,
 * counts, coverage and what changed in maps. Some thousand times slower than native code.
 */

import { InternalError, UnsupportedError } from '../isa/index.ts';
import {
  type CallRecord,
  type Environment,
  loadReference,
  type MapChange,
  Recorder,
  type Redirect,
  type ReferenceExtension,
  type ReferenceReport,
  type RunInput,
} from '../loader/index.ts';
import type { ContextValues, ProgramType } from '../platform/index.ts';
import { ProvenProgram } from '../verifier/index.ts';
import { Coverage } from './coverage.ts';
import { mapTypes, ObservedMap, type Snapshot } from './observed-map.ts';

export interface ObserveOptions {
  /** Where time, chance and identity come from; default: the system. */
  readonly environment?: Environment;
  /** Where socket buffers begin; default: as BPF_PROG_TEST_RUN does for the program type. */
  readonly linkOffset?: 'mac' | 'network';
}

/** Where a run was stopped. */
export interface StopPlace {
  /** Name of the program: another one after a tail call. */
  readonly program: string;
  /** 8-byte slot. */
  readonly instruction: number;
  /** Of the source, where the object knows it. */
  readonly file?: string;
  readonly line?: number;
}

/** What one run did. */
export interface Observation {
  /** `stopped`: `maxInstructions` were executed, and the program had more; r0 is 0. */
  readonly outcome: 'exit' | 'stopped';
  /** Of a stopped run: the instruction that would have been next. */
  readonly stoppedAt: StopPlace | undefined;
  /** Truncated to 32 bits where the program type returns 32. */
  readonly r0: bigint;
  /** Name of the result: `XDP_PASS`. */
  readonly action: string | undefined;
  /** The packet afterwards. */
  readonly packet: Uint8Array | undefined;
  /** Bytes of the uapi context structure afterwards. */
  readonly context: Uint8Array | undefined;
  /** `memory` programs: the buffer afterwards. */
  readonly memory: Uint8Array | undefined;
  /** What `bpf_trace_printk` and its like wrote, a line each. */
  readonly trace: string;
  readonly redirect: Redirect | undefined;
  readonly tailCalls: number;
  /** Instructions executed; a 64-bit constant counts one. */
  readonly executed: number;
  /** Calls of helpers and kernel functions, in the order in which they began. */
  readonly calls: readonly CallRecord[];
  /** By map: what changed. Maps in which nothing did are left out. */
  readonly changes: Readonly<Record<string, readonly MapChange[]>>;
  /** By ring buffer or perf event array: the records of this run. */
  readonly records: Readonly<Record<string, readonly Uint8Array[]>>;
  /** Of this run alone; the extension's accumulates. */
  readonly coverage: Coverage;
}

/** For programs of a type that `defineProgramType` made: the type of what their runs are given. */
export interface TypedObserveOptions<Context> extends ObserveOptions {
  /** The definition that the programs were proven against. */
  readonly programType: ProgramType<Context>;
}

export interface ObservedTestOptions {
  /** Stop after this many instructions. */
  readonly maxInstructions?: number;
}

/** A program under observation. `observe` makes them. */
export class ObservedExtension<Context = ContextValues> implements Disposable {
  readonly name: string;
  readonly type: string;
  /** By name. */
  readonly maps: Readonly<Record<string, ObservedMap>>;
  /** Of all runs of this extension and of those loaded with it. */
  readonly coverage: Coverage;
  /** Proven bound on executed instructions of one run; null: none of its own. */
  readonly worstCaseInstructions: number | null;
  readonly #extension: ReferenceExtension;

  constructor(extension: ReferenceExtension, group: Group, bound: number | null) {
    this.name = extension.name;
    this.type = extension.type;
    this.maps = group.mapsOf(extension);
    this.coverage = group.coverage;
    this.worstCaseInstructions = bound;
    this.#extension = extension;
  }

  /** Name of a result of this program type: `XDP_PASS` for 2. */
  actionName(r0: number): string | undefined {
    return this.#extension.actionName(r0);
  }

  /** One run, observed; its low 32 bits of r0. */
  run(input: RunInput<Context>): number {
    return Number(BigInt.asUintN(32, this.test(input).r0));
  }

  /**
   * One run, and everything about it. Throws TypeError and RangeError for input that the program
   * type does not take, UnsupportedError for a helper that only a kernel has.
   */
  test(input: RunInput<Context>, options: ObservedTestOptions = {}): Observation {
    const { maxInstructions } = options;
    if (
      maxInstructions !== undefined &&
      !(Number.isInteger(maxInstructions) && maxInstructions > 0)
    )
      throw new RangeError(
        `maxInstructions is a whole number of at least 1, not ${maxInstructions}`,
      );
    const before = Object.values(this.maps).map((map) => [map, map.snapshot()] as const);
    const recorder = new Recorder('counts-and-calls');
    const interpret = maxInstructions === undefined ? {} : { maxInstructions };
    const report = this.#extension.test(input as RunInput, { recorder, interpret });
    const outcome = outcomeOf(this.name, report);
    this.coverage.add(recorder.counts);
    const coverage = new Coverage();
    coverage.add(recorder.counts);
    const { r0, action, packet, context, memory, trace, redirect, tailCalls } = report;
    return {
      ...{ outcome, r0, action, packet, context, memory, trace, redirect, tailCalls },
      stoppedAt: stopPlace(report, recorder),
      executed: report.outcome.executed,
      calls: recorder.calls,
      changes: nonEmpty(before, (map, then) => map.changesSince(then)),
      records: nonEmpty(before, (map, then) => map.recordsSince(then)),
      coverage,
    };
  }

  /** Replaces the environment of all later runs. */
  fix(environment: Environment): void {
    this.#extension.fix(environment);
  }

  close(): void {
    this.#extension.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A proven program that faults is a mistake of the verifier's, and never the caller's. */
function outcomeOf(name: string, { outcome }: ReferenceReport): Observation['outcome'] {
  switch (outcome.kind) {
    case 'exit':
      return 'exit';
    case 'exhausted':
      return 'stopped';
    case 'fault': {
      const { kind, pc, reason } = outcome.fault;
      if (kind === 'unsupported') throw new UnsupportedError(`${name}: ${reason}`);
      throw new InternalError('testing', `${name} was proven, yet at instruction ${pc}: ${reason}`);
    }
    default:
      return outcome satisfies never;
  }
}

function stopPlace({ outcome }: ReferenceReport, recorder: Recorder): StopPlace | undefined {
  const { program } = recorder;
  if (outcome.kind !== 'exhausted' || program === undefined) return undefined;
  const { pc } = outcome;
  const line = program.lines.findLast(({ instruction }) => instruction <= pc);
  const place = { program: program.name, instruction: pc };
  return line === undefined ? place : { ...place, file: line.file, line: line.line };
}

function nonEmpty<Item>(
  before: readonly (readonly [ObservedMap, Snapshot])[],
  found: (map: ObservedMap, before: Snapshot) => readonly Item[],
): Readonly<Record<string, readonly Item[]>> {
  return Object.fromEntries(
    before
      .map(([map, then]) => [map.name, found(map, then)] as const)
      .filter(([, items]) => items.length > 0),
  );
}

/** Nothing covered yet, but it is known what there is to cover. */
export const coverageOf = (extensions: readonly ReferenceExtension[]): Coverage =>
  new Coverage(
    extensions.map(({ program, executable }) => ({
      program,
      instructions: executable.instructions,
    })),
  );

/** What extensions that were loaded together share. */
class Group {
  readonly coverage: Coverage;
  readonly #maps = new Map<unknown, ObservedMap>();

  constructor(extensions: readonly ReferenceExtension[]) {
    this.coverage = coverageOf(extensions);
  }

  mapsOf({ mapList, program }: ReferenceExtension): Readonly<Record<string, ObservedMap>> {
    const types = mapTypes(program.btf, program.file);
    const named = mapList.map((map) => {
      const known = this.#maps.get(map) ?? new ObservedMap(map, types);
      this.#maps.set(map, known);
      return [map.name, known] as const;
    });
    return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(named)));
  }
}

/**
 * Loads a proven program for observation, or several that share maps of the same name and may
 * tail-call each other. Throws TypeError for anything but proofs.
 */
export function observe<Context>(
  proof: ProvenProgram,
  options: TypedObserveOptions<Context>,
): ObservedExtension<Context>;
export function observe<Context>(
  proofs: readonly ProvenProgram[],
  options: TypedObserveOptions<Context>,
): ObservedExtension<Context>[];
export function observe(proof: ProvenProgram, options?: ObserveOptions): ObservedExtension;
export function observe(
  proofs: readonly ProvenProgram[],
  options?: ObserveOptions,
): ObservedExtension[];
export function observe<Context>(
  given: ProvenProgram | readonly ProvenProgram[],
  options: ObserveOptions & { readonly programType?: ProgramType<Context> } = {},
): ObservedExtension<Context> | ObservedExtension<Context>[] {
  const proofs = (Array.isArray(given) ? given : [given]) as readonly ProvenProgram[];
  for (const proof of proofs)
    if (!ProvenProgram.is(proof))
      throw new TypeError('observe() takes a proof made by verify(), nothing else');
  const programType = proofs[0]?.programType;
  if (proofs.some((proof) => proof.programType !== programType))
    throw new TypeError(
      'programs that are observed together have the same definition of their type',
    );
  const wanted = options.programType as ProgramType<unknown> | undefined;
  if (wanted !== undefined && wanted !== programType)
    throw new TypeError(`the programs were not proven to be of type ${wanted.name}`);
  const extensions = loadReference(
    proofs.map(({ program }) => program),
    { ...options, programType },
  );
  const group = new Group(extensions);
  const observed = extensions.map(
    (extension, i) =>
      new ObservedExtension<Context>(extension, group, proofs[i]!.facts.worstCaseInstructions),
  );
  return Array.isArray(given) ? observed : observed[0]!;
}
