/**
 * The reference engine: the same programs, maps, helpers and contexts on the interpreter. It shares
 * no code with the native runtime, checks every access and takes no proof on trust: the oracle for
 * differential tests, and what `--engine interpreter` runs.
 */

import { parseBtf, type SpecialField, specialFields } from '../../btf/index.ts';
import {
  type Executable,
  type HelperArguments,
  type Host,
  type InterpretOptions,
  interpret,
  type Machine,
  type MapSpec,
  type Outcome,
  type Program,
} from '../../isa/index.ts';
import {
  helper as helperRow,
  type ProgramType,
  partsOf,
  programType as typeNamed,
} from '../../platform/index.ts';
import type { Environment } from '../environment.ts';
import { HostedHelpers } from '../hosted.ts';
import { contextBytesOf, metadataOf, type Plan, planContext } from '../plan.ts';
import type { MeteredRun, Redirect, RunInput } from '../run-types.ts';
import { takeDue } from './deferred.ts';
import { Call } from './helpers/call.ts';
import { HELPERS } from './helpers.ts';
import { callHosted } from './hosted.ts';
import { KFUNCS } from './kfuncs.ts';
import { type Deferred, ReferenceMap } from './maps.ts';
import { type Allocator, CONTEXT_ADDRESS } from './memory.ts';
import { type Decoded, ownerOf, setOwner } from './owners.ts';
import { RunMemory } from './packet.ts';
import type { Recorder } from './recorder.ts';
import { Run } from './run.ts';

export interface ReferenceOptions {
  readonly environment?: Environment;
  readonly linkOffset?: 'mac' | 'network';
  /** Of another reference extension, to be shared, by name. */
  readonly maps?: Readonly<Record<string, ReferenceMap>>;
  /** Writes down what all runs do. */
  readonly recorder?: Recorder;
  /** The embedder's definition that the programs were proven against. */
  readonly programType?: ProgramType<unknown> | undefined;
}

export interface ReferenceReport {
  readonly r0: bigint;
  readonly action: string | undefined;
  readonly packet: Uint8Array | undefined;
  readonly context: Uint8Array | undefined;
  readonly memory: Uint8Array | undefined;
  readonly trace: string;
  readonly redirect: Redirect | undefined;
  readonly tailCalls: number;
  readonly runs: number;
  readonly nanosecondsPerRun: number;
  /** How the last run ended: `fault` means that the program broke a rule, and r0 is 0. */
  readonly outcome: Outcome;
}

export interface TestOptions {
  readonly repeat?: number;
  readonly interpret?: InterpretOptions;
  /** Called before each instruction, as `Host.trace`. */
  readonly trace?: NonNullable<Host['trace']>;
  /** Writes down what these runs do, instead of the extension's own recorder. */
  readonly recorder?: Recorder;
}

export class ReferenceExtension {
  readonly name: string;
  readonly type: string;
  readonly program: Program;
  readonly maps: Readonly<Record<string, ReferenceMap>>;
  readonly executable: Executable;
  /** Time of the last `runBatch`. */
  nanoseconds = 0;
  readonly #plan: Plan;
  readonly #list: readonly ReferenceMap[];
  readonly #allocator: Allocator;
  readonly #recorder: Recorder | undefined;
  readonly #programType: ProgramType<unknown> | undefined;
  readonly #hosted: HostedHelpers | undefined;
  #environment: Environment;

  constructor(
    program: Program,
    instructions: Decoded,
    options: ReferenceOptions,
    allocator: Allocator,
  ) {
    this.name = program.name;
    this.type = program.type;
    this.program = program;
    this.#environment = options.environment ?? {};
    this.#allocator = allocator;
    this.#recorder = options.recorder;
    const { programType } = options;
    this.#programType = programType;
    this.#hosted = programType && new HostedHelpers(programType);
    this.#plan = planContext({
      type: program.type,
      programType,
      contextSize: program.contextSize,
      returnBits:
        (programType ? partsOf(programType).row : typeNamed(program.type))?.returnBits ?? 64,
      linkOffset: options.linkOffset,
    });
    const fieldsOf = specialFieldsOf(program);
    this.#list = program.maps.map(
      (spec) => options.maps?.[spec.name] ?? new ReferenceMap(spec, allocator, fieldsOf(spec)),
    );
    this.maps = Object.fromEntries(this.#list.map((map) => [map.name, map]));
    this.executable = { instructions, mapReferences: program.mapReferences };
    setOwner(instructions, program, this.#list, programType);
  }

  get mapList(): readonly ReferenceMap[] {
    return this.#list;
  }

  fix(environment: Environment): void {
    this.#environment = environment;
  }

  /** Name of a result of this program type: `XDP_PASS` for 2. */
  actionName(r0: number): string | undefined {
    return this.#plan.actions[r0] ?? this.#plan.actions[r0 | 0];
  }

  /** As `Extension.runBatch`. A run that faults answers 0. */
  runBatch(
    buffer: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    results: Uint32Array = new Uint32Array(offsets.length),
  ): Uint32Array {
    const start = process.hrtime.bigint();
    offsets.forEach((offset, i) => {
      const packet = buffer.slice(offset, offset + lengths[i]!);
      if (packet.length !== lengths[i])
        throw new RangeError(`packet ${i} is not inside the buffer`);
      results[i] = this.run({ packet });
    });
    this.nanoseconds = Number(process.hrtime.bigint() - start);
    return results;
  }

  run(input: RunInput): number {
    return Number(BigInt.asUintN(32, this.test(input).r0));
  }

  /** As `Extension.runMetered`. */
  runMetered(input: RunInput, maxInstructions = Number.POSITIVE_INFINITY): MeteredRun {
    const { r0, outcome } = this.test(input, { interpret: { maxInstructions } });
    const stopped = outcome.kind === 'exhausted';
    return {
      outcome: stopped ? 'stopped' : 'exit',
      r0: Number(BigInt.asUintN(32, r0)),
      executed: outcome.executed,
    };
  }

  test(input: RunInput, options: TestOptions = {}): ReferenceReport {
    const runs = options.repeat ?? 1;
    let report: Omit<ReferenceReport, 'nanosecondsPerRun' | 'runs'> | undefined;
    const start = process.hrtime.bigint();
    for (let i = 0; i < runs; i++) report = this.#once(input, options);
    const nanosecondsPerRun = Number(process.hrtime.bigint() - start) / runs;
    if (report === undefined) throw new RangeError('repeat must be at least 1');
    if (input.memory !== undefined && report.memory !== undefined) input.memory.set(report.memory);
    return { ...report, runs, nanosecondsPerRun };
  }

  /** As `Extension.advance`. */
  advance(nanoseconds: number | bigint = 0, most = 1_000_000): number {
    const { time } = this.#environment;
    const start = time === undefined ? process.hrtime.bigint() : BigInt(time.nanoseconds);
    const until = start + BigInt(time === undefined ? 0 : nanoseconds);
    let now = start;
    let ran = 0;
    for (; ran < most; ran++) {
      const deferred = takeDue(this.#list, until);
      if (deferred === undefined) break;
      if (deferred.due! > now) now = deferred.due!;
      this.#setTime(now);
      now = this.#callBack(deferred, now);
    }
    this.#setTime(ran < most && now < until ? until : now);
    return ran;
  }

  #setTime(nanoseconds: bigint): void {
    const { time } = this.#environment;
    if (time === undefined) return;
    this.#environment = { ...this.#environment, time: { ...time, nanoseconds } };
  }

  /** Runs a timer's or work queue's callback; the time afterwards. */
  #callBack(deferred: Deferred, now: bigint): bigint {
    const { map, element, callback } = deferred;
    deferred.due = undefined;
    if (callback === undefined) return now;
    const packet = new RunMemory(
      this.#allocator,
      this.#plan,
      this.type,
      new Uint8Array(),
      new Uint8Array(),
    );
    const run = new Run(this.#allocator, packet, this.type, this.#environment);
    run.inDeferred = true;
    deferred.running = true;
    try {
      const registers = [map.address, run.scratch(element.key), element.address];
      const { instructions, mapReferences = [] } = callback.executable;
      interpret(instructions, this.#hostFor(run), { mapReferences, registers, entry: callback.pc });
      return run.clock > now ? run.clock : now;
    } finally {
      deferred.running = false;
      packet.release();
      run.release();
      for (const each of this.#list) each.sweep();
    }
  }

  /** Nothing to give back: here for the shape of `Extension`. */
  close(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  #once(
    input: RunInput,
    { interpret: options = {}, trace, recorder = this.#recorder }: TestOptions,
  ): Omit<ReferenceReport, 'nanosecondsPerRun' | 'runs'> {
    const plan = this.#plan;
    const context = contextBytesOf(plan, input.context);
    const given = this.#contextBytes(input, context);
    const packet = new RunMemory(
      this.#allocator,
      plan,
      this.type,
      given,
      input.packet ?? new Uint8Array(),
    );
    packet.prepare(context?.length ?? 0, input.metaBytes ?? metadataOf(plan, context));
    const run = new Run(this.#allocator, packet, this.type, this.#environment, input.identity);
    const registers = [
      CONTEXT_ADDRESS,
      ...(plan.kind === 'memory' ? [BigInt(plan.contextBytes)] : []),
    ];
    try {
      const own = this.#hostFor(run);
      const traced = trace ? { ...own, trace } : own;
      const host = recorder?.watch(traced, run) ?? traced;
      const outcome = interpret(this.executable.instructions, host, {
        mapReferences: this.executable.mapReferences ?? [],
        ...options,
        registers,
      });
      const failure = this.#hosted?.takeFailure();
      if (failure !== undefined) throw failure;
      return this.#report(run, packet, outcome);
    } finally {
      packet.release();
      run.release();
      for (const map of this.#list) map.sweep();
    }
  }

  /** A defined type's helpers are found by its own numbers, then by Linux's. */
  #hostFor(run: Run): Host {
    const host = hostFor(run);
    const parts = this.#programType && partsOf(this.#programType);
    if (parts === undefined) return host;
    return {
      ...host,
      helper: (id, args, machine) => {
        const index = parts.hosted.findIndex((helper) => helper.id === id);
        if (index >= 0) return callHosted(this.#hosted!, index, new Call(run, machine, args));
        return host.helper!(parts.aliases.get(id) ?? id, args, machine);
      },
    };
  }

  #contextBytes(input: RunInput, context: Uint8Array | undefined): Uint8Array {
    const { contextBytes, kind } = this.#plan;
    const given = (kind === 'memory' ? input.memory : context) ?? new Uint8Array();
    if (kind === 'memory' ? given.length !== contextBytes : given.length > contextBytes)
      throw new RangeError(`${this.name} takes ${contextBytes} bytes, not ${given.length}`);
    if (this.#plan.packet && input.packet === undefined)
      throw new TypeError(`${this.type} programs run on a packet`);
    return given;
  }

  #report(
    run: Run,
    packet: RunMemory,
    outcome: Outcome,
  ): Omit<ReferenceReport, 'nanosecondsPerRun' | 'runs'> {
    const plan = this.#plan;
    const full = outcome.kind === 'exit' ? outcome.r0 : 0n;
    const r0 = plan.returnBits === 32 ? BigInt.asUintN(32, full) : full;
    const isMemory = plan.kind === 'memory';
    return {
      r0,
      action: this.actionName(Number(r0 & 0xffffffffn)),
      packet: plan.packet ? packet.handOut() : undefined,
      context: isMemory ? undefined : packet.context,
      memory: isMemory ? packet.context : undefined,
      trace: run.trace,
      redirect: run.redirect,
      tailCalls: run.tailCalls,
      outcome,
    };
  }
}

/** The parts of a map's values that are not data, by the program's BTF. */
function specialFieldsOf(program: Program): (spec: MapSpec) => readonly SpecialField[] {
  const btf = program.btf === undefined ? undefined : parseBtf(program.btf, program.name);
  return ({ btfValueTypeId = 0 }) =>
    btf === undefined || btfValueTypeId === 0 ? [] : specialFields(btf, btfValueTypeId);
}

function hostFor(run: Run): Host {
  return {
    memory: run.allocator.memory,
    helper: (id: number, args: HelperArguments, machine: Machine) => {
      const implementation = HELPERS[id];
      if (implementation === undefined)
        throw machine.fault(
          'unsupported',
          `${helperRow(id)?.name ?? `helper ${id}`} is not implemented`,
        );
      return BigInt.asUintN(64, implementation(new Call(run, machine, args)));
    },
    kfunc: (pc: number, args: HelperArguments, machine: Machine) => {
      const name = kfuncAt(machine, pc) ?? 'kernel function';
      const implementation = KFUNCS.get(name);
      if (implementation === undefined)
        throw machine.fault('unsupported', `${name} is not implemented`);
      return BigInt.asUintN(64, implementation(new Call(run, machine, args)));
    },
    mapAddress: (map, executable) => mapOf(executable, map).address,
    mapValueAddress: (map, offset, executable) => {
      const { arena } = mapOf(executable, map);
      if (arena !== undefined) return arena.range.start + BigInt(offset);
      const first = mapOf(executable, map).elements()[0];
      if (first === undefined) throw new RangeError(`map ${map} has no value at key 0`);
      return first.address + BigInt(offset);
    },
    castAddress: (value, space) => {
      const arena = run.arena;
      if (arena === undefined) throw new RangeError('a cast, and no arena to cast into');
      return arena.cast(value, space === 0);
    },
    loadPacket: (offset, sizeBytes) => loadPacket(run.packet, offset, sizeBytes),
  };
}

function kfuncAt({ executable }: Machine, pc: number): string | undefined {
  const calls = ownerOf(executable.instructions)?.program.kfuncCalls;
  return calls?.find(({ instruction }) => instruction === pc)?.name;
}

function mapOf(executable: Executable, number: number): ReferenceMap {
  const map = ownerOf(executable.instructions)?.maps[number];
  if (map === undefined) throw new RangeError(`the program has no map ${number}`);
  return map;
}

/** SKF_NET_OFF and SKF_LL_OFF, uapi linux/filter.h. */
const NETWORK_OFFSET = -0x100000;
const LINK_OFFSET = -0x200000;

function loadPacket(packet: RunMemory, offset: number, sizeBytes: number): bigint | undefined {
  let at = packet.data + offset;
  if (offset < 0 && offset >= NETWORK_OFFSET) at = packet.network + offset - NETWORK_OFFSET;
  else if (offset < 0) at = packet.mac + offset - LINK_OFFSET;
  if (offset < LINK_OFFSET || at + sizeBytes > packet.end) return undefined;
  let value = 0n;
  for (let i = 0; i < sizeBytes; i++) value = (value << 8n) | BigInt(packet.buffer[at + i]!);
  return value;
}
