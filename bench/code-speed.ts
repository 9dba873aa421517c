/**
 * How good is the generated code? Every engine runs the same program on the same packet, in turns:
 * whatever disturbs the machine disturbs all of them, and the median of the rounds is taken. All
 * must return the same result.
 */
import type { Program } from '../isa/index.ts';
import type { Engine, Runner } from './engine.ts';
import { packetFor } from './workloads.ts';

/** A round of one engine lasts about this long: short against a scheduler's time slice. */
const ROUND_NANOSECONDS = 1_500_000;
/** The program that does nothing; what it costs is the cost of entering an engine. */
export const EMPTY = 'empty';

export interface SpeedRow {
  readonly program: string;
  /** Medians in nanoseconds a run, by engine; an engine that refused the program is missing. */
  readonly nanoseconds: ReadonlyMap<Engine, number>;
  readonly refusals: readonly string[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** exp(mean(log)): the mean of ratios. NaN when there are none. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

interface Entrant {
  readonly engine: Engine;
  readonly runner: Runner;
  readonly count: number;
  readonly samples: number[];
}

/** How many runs fill a round. */
async function calibrate(runner: Runner): Promise<number> {
  for (let count = 1; ; count *= 4) {
    const { nanoseconds } = await runner.run(count);
    if (nanoseconds > ROUND_NANOSECONDS / 4)
      return Math.max(1, Math.round((count * ROUND_NANOSECONDS) / nanoseconds));
  }
}

async function enter(engine: Engine, name: string, program: Program): Promise<Entrant> {
  const runner = await engine.open(name, program, packetFor(name));
  await runner.run(1);
  return { engine, runner, count: await calibrate(runner), samples: [] };
}

async function playRound(name: string, entrants: readonly Entrant[], round: number): Promise<void> {
  let agreed: { engine: Engine; r0: number } | undefined;
  for (let i = 0; i < entrants.length; i++) {
    const { engine, runner, count, samples } = entrants[(i + round) % entrants.length]!;
    const { nanoseconds, r0 } = await runner.run(count);
    samples.push(nanoseconds / count);
    agreed ??= { engine, r0 };
    if (agreed.r0 !== r0)
      throw new Error(
        `${name}: ${agreed.engine.name} returns ${agreed.r0}, ${engine.name} returns ${r0}`,
      );
  }
}

/** Measures one program on all engines. Throws when two of them disagree on its result. */
export async function measureProgram(
  name: string,
  program: Program,
  engines: readonly Engine[],
  rounds: number,
): Promise<SpeedRow> {
  const entrants: Entrant[] = [];
  const refusals: string[] = [];
  for (const engine of engines) {
    try {
      entrants.push(await enter(engine, name, program));
    } catch (error) {
      refusals.push(`${name}: ${(error as Error).message}`);
    }
  }
  for (let round = 0; round < rounds; round++) await playRound(name, entrants, round);
  for (const { runner } of entrants) runner.close();
  const nanoseconds = new Map(
    entrants.map(({ engine, samples }) => [engine, median(samples)] as const),
  );
  return { program: name, nanoseconds, refusals };
}

/**
 * `row`'s time with the engine's own cost of a call replaced by native code's, so that only the code
 * is compared. Undefined when too little is left to tell.
 */
export function calibrated(row: SpeedRow, empty: SpeedRow, engine: Engine, base: Engine) {
  const time = row.nanoseconds.get(engine);
  if (time === undefined || engine.entry === 'measured') return time;
  const own = (empty.nanoseconds.get(engine) ?? 0) - (empty.nanoseconds.get(base) ?? 0);
  const left = time - own;
  return left > 0 ? left : undefined;
}
