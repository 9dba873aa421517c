/** `ringfence run`: verify, then run on a packet, a capture or a buffer, natively or interpreted. */
import { writeFileSync } from 'node:fs';
import { type Capture, LINK_ETHERNET, readCapture } from '../hosts/index.ts';
import type { Program } from '../isa/index.ts';
import { compile } from '../jit/index.ts';
import {
  type Extension,
  load,
  loadReference,
  Recorder,
  ReferenceExtension,
  type RunInput,
} from '../loader/index.ts';
import { coverageOf } from '../testing/index.ts';
import { type Accepted, type Privilege, verify } from '../verifier/index.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import { kernelBtfSource, readBytes, readPrograms } from './input.ts';
import { fillMap, type MapDocument, mapContents, type OpenMap } from './map-file.ts';
import { render, verdictDocument, verdictEntry } from './report/index.ts';
import { blameInput, inputOf } from './run-input.ts';
import { exitOf, type Output, profileOf } from './verify-command.ts';

export interface RunOptions {
  readonly program?: string;
  readonly packet?: string;
  readonly pcap?: string;
  readonly memory?: string;
  readonly context?: string;
  readonly map?: readonly string[];
  readonly maps?: boolean;
  readonly repeat: number;
  readonly engine: 'native' | 'interpreter';
  readonly lcov?: string;
  readonly maxInstructions?: number;
  readonly linkOffset?: 'mac' | 'network';
  readonly profile?: string;
  readonly privilege?: Privilege;
  readonly kernelBtf?: string;
  readonly format: 'text' | 'json';
}

/** What both engines offer. */
type Engine = Extension | ReferenceExtension;

/** The document that `--format json` prints for a single input. */
export interface RunDocument {
  readonly program: string;
  /** Lower-case hexadecimal, no padding. */
  readonly r0: string;
  readonly action?: string;
  /** Hexadecimal, when the program changed the packet or the memory. */
  readonly packet?: string;
  readonly memory?: string;
  readonly trace?: string;
  readonly maps?: MapDocument;
  readonly runs: number;
  readonly nanosecondsPerRun: number;
  /** How the code is protected; null for the interpreter, which has none. */
  readonly seal: Extension['seal'] | null;
}

/** The document for a capture. */
export interface CaptureDocument {
  readonly program: string;
  readonly packets: number;
  /** How often each action, or each r0 in hexadecimal, was returned. */
  readonly actions: Readonly<Record<string, number>>;
  readonly maps?: MapDocument;
  readonly runs: number;
  readonly nanosecondsPerRun: number;
  readonly seal: Extension['seal'] | null;
}

/** The document for runs with a limit. */
export interface MeteredDocument {
  readonly program: string;
  readonly runs: number;
  /** Of the runs that ended: how often each action, or each r0 in hexadecimal, was returned. */
  readonly actions: Readonly<Record<string, number>>;
  /** Runs that the limit stopped; what they wrote to maps stays. */
  readonly stopped: number;
  /** Instructions of all runs together, and of the longest one. */
  readonly executed: number;
  readonly longest: number;
  readonly maxInstructions: number;
  readonly maps?: MapDocument;
  readonly seal: Extension['seal'] | null;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function chooseProgram(path: string, options: RunOptions, programs: readonly Program[]): Program {
  const chosen = programs.filter(
    ({ name }) => options.program === undefined || name === options.program,
  );
  const [program] = chosen;
  if (program === undefined)
    throw new UsageError(
      `${path}: no program${options.program === undefined ? ' in it' : ` is called '${options.program}'`}`,
    );
  if (chosen.length > 1) {
    throw new UsageError(
      `${path} has several programs: choose one with --program ${programs.map(({ name }) => name).join(' | ')}`,
    );
  }
  return program;
}

function readCaptureFile(path: string): Capture {
  const capture = readCapture(readBytes(path), path);
  if (capture.linkType !== LINK_ETHERNET) {
    throw new UsageError(
      `${path}: link type ${capture.linkType} is not Ethernet (${LINK_ETHERNET})`,
    );
  }
  return capture;
}

function openEngine(verdict: Accepted, options: RunOptions, recorder?: Recorder): Engine {
  const link = options.linkOffset === undefined ? {} : { linkOffset: options.linkOffset };
  if (recorder !== undefined) return loadReference([verdict.program], { ...link, recorder })[0]!;
  const metering = options.maxInstructions === undefined ? 'unmetered' : 'metered';
  return options.engine === 'native'
    ? load(compile(verdict.proof, { metering }), { lifetime: 'replaceable', ...link })
    : loadReference([verdict.program], link)[0]!;
}

/** What was covered, as a tracefile. Only the reference engine sees it, so it runs the program. */
function writeLcov(path: string, engine: Engine, { counts }: Recorder): void {
  const coverage = coverageOf(engine instanceof ReferenceExtension ? [engine] : []);
  coverage.add(counts);
  try {
    writeFileSync(path, coverage.toLcov());
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

const sealOf = (engine: Engine) => ('seal' in engine ? engine.seal : null);
const mapsOf = (engine: Engine, options: RunOptions) =>
  options.maps ? { maps: mapContents(engine.maps) } : {};

function runOnce(engine: Engine, program: Program, options: RunOptions): RunDocument {
  const input = inputOf(program, options);
  const before = (input.packet ?? input.memory)?.slice();
  const report = engine.test(input, { repeat: options.repeat });
  const after = input.packet === undefined ? report.memory : report.packet;
  const changed =
    before !== undefined && after !== undefined && Buffer.compare(before, after) !== 0;
  const bytes = changed ? { [input.packet === undefined ? 'memory' : 'packet']: hex(after) } : {};
  return {
    program: program.name,
    r0: report.r0.toString(16),
    ...(report.action === undefined ? {} : { action: report.action }),
    ...bytes,
    ...(report.trace === '' ? {} : { trace: report.trace }),
    ...mapsOf(engine, options),
    runs: report.runs,
    nanosecondsPerRun: report.nanosecondsPerRun,
    seal: sealOf(engine),
  };
}

function runCapture(
  engine: Engine,
  program: Program,
  options: RunOptions,
  path: string,
): CaptureDocument {
  const { bytes, offsets, lengths } = readCaptureFile(path);
  const actions: Record<string, number> = {};
  let nanoseconds = 0;
  for (let round = 0; round < options.repeat; round++) {
    for (const r0 of engine.runBatch(bytes, offsets, lengths)) {
      const name = engine.actionName(r0) ?? r0.toString(16);
      actions[name] = (actions[name] ?? 0) + 1;
    }
    nanoseconds += engine.nanoseconds;
  }
  const runs = offsets.length * options.repeat;
  return {
    program: program.name,
    packets: offsets.length,
    actions,
    ...mapsOf(engine, options),
    runs,
    nanosecondsPerRun: runs === 0 ? 0 : nanoseconds / runs,
    seal: sealOf(engine),
  };
}

function mapNamed(maps: Readonly<Record<string, OpenMap>>, name: string): OpenMap {
  const map = maps[name];
  if (map === undefined)
    throw new UsageError(
      `no map is called '${name}'; there is ${Object.keys(maps).join(', ') || 'none'}`,
    );
  return map;
}

/** Verifies, runs, prints; a program that is not proven is never run. Throws UsageError, InputError. */
export function runCommand(path: string, options: RunOptions, output: Output): ExitCode {
  const kernelBtf = kernelBtfSource(options.kernelBtf);
  const program = chooseProgram(path, options, readPrograms(path, kernelBtf));
  const verdict = verify(program, {
    profile: profileOf(program, options.profile),
    kernelBtf,
    ...(options.privilege === undefined ? {} : { privilege: options.privilege }),
  });
  const json = options.format === 'json';
  const print = (document: object) => output.out(`${JSON.stringify(document, null, 2)}\n`);
  if (!verdict.ok) {
    if (json) print(verdictDocument([verdictEntry(verdict)]));
    else output.out(`${render(verdict, output.style)}\n`);
    return exitOf(verdict, false);
  }
  const recorder = options.lcov === undefined ? undefined : new Recorder('counts');
  const engine = openEngine(verdict, options, recorder);
  try {
    for (const assignment of options.map ?? []) {
      const [, name, file] = /^([^=]+)=(.+)$/s.exec(assignment) ?? [];
      if (name === undefined || file === undefined)
        throw new UsageError(`--map: '${assignment}' is not NAME=FILE`);
      fillMap(mapNamed(engine.maps, name), file);
    }
    const document = blameInput(() => runAsAsked(engine, program, options));
    if (recorder !== undefined) writeLcov(options.lcov!, engine, recorder);
    if (json) print(document);
    else output.out(`${describeRun(document)}\n`);
    return 'stopped' in document && document.stopped > 0 ? EXIT.limit : EXIT.proven;
  } finally {
    engine.close();
  }
}

function runAsAsked(
  engine: Engine,
  program: Program,
  options: RunOptions,
): RunDocument | CaptureDocument | MeteredDocument {
  if (options.maxInstructions !== undefined)
    return runLimited(engine, program, options, options.maxInstructions);
  if (options.pcap === undefined) return runOnce(engine, program, options);
  return runCapture(engine, program, options, options.pcap);
}

/** Every run on its own, since each has the limit for itself. */
function runLimited(
  engine: Engine,
  program: Program,
  options: RunOptions,
  maxInstructions: number,
): MeteredDocument {
  const inputs = options.pcap === undefined ? [inputOf(program, options)] : packetsOf(options.pcap);
  const actions: Record<string, number> = {};
  let [runs, executed, longest, stopped] = [0, 0, 0, 0];
  for (let round = 0; round < options.repeat; round++)
    for (const input of inputs) {
      const run = engine.runMetered(input, maxInstructions);
      runs++;
      executed += run.executed;
      longest = Math.max(longest, run.executed);
      if (run.outcome === 'stopped') stopped++;
      const name = engine.actionName(run.r0) ?? run.r0.toString(16);
      if (run.outcome === 'exit') actions[name] = (actions[name] ?? 0) + 1;
    }
  const maps = mapsOf(engine, options);
  return {
    program: program.name,
    ...{ runs, actions, stopped, executed, longest, maxInstructions },
    ...maps,
    seal: sealOf(engine),
  };
}

function packetsOf(path: string): RunInput[] {
  const { bytes, offsets, lengths } = readCaptureFile(path);
  return Array.from(offsets, (offset, i) => ({
    packet: bytes.slice(offset, offset + lengths[i]!),
  }));
}

function describeLimited(document: MeteredDocument): string[] {
  const { stopped, maxInstructions, executed, longest } = document;
  return [
    ...Object.entries(document.actions).map(([name, count]) => `  ${name}: ${count}`),
    ...(stopped === 0 ? [] : [`  stopped after ${maxInstructions} instructions: ${stopped}`]),
    `${executed} instructions executed, at most ${longest} in a run`,
  ];
}

/** The same document, for people. */
function describeRun(document: RunDocument | CaptureDocument | MeteredDocument): string {
  const maps = Object.entries(document.maps ?? {}).flatMap(([name, entries]) => [
    `map ${name}: ${entries.length} entries`,
    ...entries.map(({ key, value }) => `  ${key} → ${value}`),
  ]);
  if ('executed' in document)
    return [`${document.runs} runs`, ...describeLimited(document), ...maps].join('\n');
  const result =
    'packets' in document
      ? [
          `${document.packets} packets`,
          ...Object.entries(document.actions).map(([name, count]) => `  ${name}: ${count}`),
        ]
      : [`r0 = 0x${document.r0}${document.action === undefined ? '' : ` (${document.action})`}`];
  const bytes = 'r0' in document ? (document.packet ?? document.memory) : undefined;
  const trace =
    'trace' in document && document.trace !== undefined ? [document.trace.trimEnd()] : [];
  return [
    ...result,
    ...(bytes === undefined ? [] : [`bytes afterwards: ${bytes}`]),
    ...trace,
    ...maps,
    `${document.runs} runs, ${document.nanosecondsPerRun.toFixed(1)} ns each${document.seal === null ? ', interpreted' : `, ${document.seal.method}`}`,
  ].join('\n');
}
