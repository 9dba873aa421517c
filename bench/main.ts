/** `npm run bench`: how fast is the generated code, and how long does each stage take? */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kernelRefusal, kernelRelease } from '../hosts/index.ts';
import {
  buildCrossing,
  buildHarness,
  buildObjects,
  describeCompiler,
  findCompiler,
} from './build.ts';
import { type CallRow, callTable, measureCalls } from './calls.ts';
import { EMPTY, measureProgram, type SpeedRow } from './code-speed.ts';
import { type Engine, interpreter, kernel, native, ringfence } from './engine.ts';
import { Harness } from './harness.ts';
import { type MapRow, mapTable, measureMaps } from './maps.ts';
import { type SpeedReport, speedReport, speedTable, stageTable } from './report.ts';
import { measureStages, type StageRow } from './stages.ts';
import { measureVerification, verificationTable } from './verification.ts';
import { packetFor } from './workloads.ts';

const HELP = `Usage: npm run bench -- [options]

  --only NAMES     only these programs, separated by commas
  --engines NAMES  of native, ringfence, kernel, interpreter (default: all)
  --rounds N       turns of each engine (default 21)
  --cpu VERSION    instruction set of the BPF objects, v1 to v4 (default v3)
  --code           the generated code alone, without the stages around it
  --calls          only what entering native code costs
  --verify         only verification, of the object files named behind the options
  --json FILE      write the results there too
  --help

Example: npm run bench -- --only fnv,crc --engines native,ringfence --rounds 51
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    verify: { type: 'boolean', default: false },
    only: { type: 'string' },
    engines: { type: 'string', default: 'native,ringfence,kernel,interpreter' },
    rounds: { type: 'string', default: '21' },
    cpu: { type: 'string', default: 'v3' },
    code: { type: 'boolean', default: false },
    calls: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stdout.write(`${text}\n`);

function chooseEngines(harness: Harness): Engine[] {
  const wanted = options.engines.split(',');
  const makers: Record<string, () => Engine> = {
    native: () => native(harness),
    ringfence: () => ringfence(harness),
    kernel,
    interpreter,
  };
  const engines = ['native', ...wanted.filter((name) => name !== 'native')].map((name) => {
    const make = makers[name];
    if (make === undefined) throw new RangeError(`no engine is called '${name}'`);
    return make();
  });
  for (const { name, refusal } of engines)
    if (refusal !== undefined) say(`${name} does not take part: ${refusal}`);
  return engines.filter(({ refusal }) => refusal === undefined);
}

function roundsWanted(): number {
  const rounds = Number(options.rounds);
  if (Number.isInteger(rounds) && rounds > 0) return rounds;
  throw new RangeError(`--rounds: '${options.rounds}' is not a whole number of at least 1`);
}

async function benchCode(root: string): Promise<SpeedReport | undefined> {
  const compiler = findCompiler();
  if (compiler === undefined) {
    say('generated code: not measured, no clang that builds for BPF was found');
    return undefined;
  }
  const sources = join(root, 'bench');
  const output = join(root, 'build/bench');
  const programs = buildObjects(sources, output, compiler, options.cpu);
  const harness = new Harness(buildHarness(sources, output, compiler));
  const engines = chooseEngines(harness);
  const only = options.only?.split(',');
  const rounds = roundsWanted();
  const rows: SpeedRow[] = [];
  for (const [name, program] of programs) {
    if (only !== undefined && name !== EMPTY && !only.includes(name)) continue;
    await harness.setPacket(packetFor(name));
    rows.push(await measureProgram(name, program, engines, rounds));
  }
  harness.close();
  const report = speedReport(rows, engines);
  say(`\n## Generated code\n\n${describeMachine(compiler)}\n`);
  say(speedTable(report));
  say("\nMedian nanoseconds a run; the kernel's without what it spends around an empty program.");
  for (const refusal of rows.flatMap((row) => row.refusals)) say(`\n${refusal}`);
  return report;
}

function describeMachine(compiler: string): string {
  const kernelName = kernelRefusal() === undefined ? `, Linux ${kernelRelease()}` : '';
  return `${describeCompiler(compiler)}, -mcpu=${options.cpu}, Node ${process.version}${kernelName}, ${cpus()[0]?.model}`;
}

function benchStages(root: string): StageRow[] {
  const rows = measureStages(root);
  say('\n## Stages\n');
  say(stageTable(rows));
  const refusal = kernelRefusal();
  if (refusal !== undefined) say(`\nThe kernel does not take part: ${refusal}`);
  return rows;
}

function benchCalls(root: string): CallRow[] {
  const calls = measureCalls(buildCrossing(join(root, 'bench'), join(root, 'build/bench')));
  say(`\n## Calls\n\n${callTable(calls)}`);
  say('\nBest of the rounds.');
  return calls;
}

function benchMaps(): MapRow[] {
  const maps = measureMaps();
  say(`\n## Maps\n\n${mapTable(maps)}`);
  say('\nBest of the rounds; nanoseconds a run, choosing a key included.');
  return maps;
}

/** `root`: the checkout. */
export async function main(root: string): Promise<void> {
  if (options.help) {
    say(HELP);
    return;
  }
  if (options.verify) {
    say(verificationTable(measureVerification(positionals)));
    return;
  }
  if (options.calls) {
    benchCalls(root);
    return;
  }
  const speed = await benchCode(root);
  const stages = options.code ? undefined : benchStages(root);
  const calls = options.code ? undefined : benchCalls(root);
  const maps = options.code ? undefined : benchMaps();
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ speed, stages, calls, maps }, null, 2)}\n`);
}
