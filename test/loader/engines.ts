/** The same runs on the native engine and on the reference engine: differences as text. */

import type { Program } from '../../isa/index.ts';
import { compile, type NativeCode } from '../../jit/index.ts';
import { load, loadReference } from '../../loader/index.ts';
import { type VerifyOptions, verify } from '../../verifier/index.ts';
import { type Engines, loadBoth } from './compiled.ts';

const ENVIRONMENT = { time: { nanoseconds: 1_000_000, step: 10 }, random: 7, cpu: 1 };
const UNLISTED: ReadonlySet<string> = new Set(['ringbuf', 'queue', 'stack', 'prog_array']);

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

/** Entries in the order of their keys. */
export function contents(engine: Engines['native'] | Engines['reference']): readonly string[] {
  return Object.values(engine.maps)
    .filter(({ type }) => !UNLISTED.has(type))
    .flatMap((map) =>
      [...map.entries()].map(([key, value]) => `${map.name} ${hex(key)}=${hex(value)}`).sort(),
    );
}

/** What only one of two lists has. */
function differing(ours: readonly string[], theirs: readonly string[]): string[] {
  const [a, b] = [new Set(ours), new Set(theirs)];
  return [
    ...ours.filter((line) => !b.has(line)).map((line) => `native ${line}`),
    ...theirs.filter((line) => !a.has(line)).map((line) => `reference ${line}`),
  ];
}

type Report = ReturnType<Engines['native']['test']> | ReturnType<Engines['reference']['test']>;

const observed = (report: Report, engine: Engines['native'] | Engines['reference']) => [
  `r0 ${report.r0}`,
  `packet ${hex(report.packet)}`,
  `context ${hex(report.context)}`,
  `trace ${report.trace}`,
  ...contents(engine),
];

function refusal(program: Program, verifying: VerifyOptions): string[] {
  const verdict = verify(program, verifying);
  return verdict.ok ? [] : verdict.diagnostics.map(({ code, message }) => `${code}: ${message}`);
}

interface Input {
  readonly packet?: Uint8Array;
  readonly context?: Uint8Array;
}

export function compareEngines(
  program: Program,
  inputs: readonly Input[],
  verifying: VerifyOptions,
): string[] {
  const engines = loadBoth(program, { environment: ENVIRONMENT }, verifying);
  if (engines === undefined) return refusal(program, verifying);
  const { native, reference } = engines;
  const differences = inputs.flatMap((input, i) => {
    const [a, b] = [native.test(input), reference.test(input)];
    const found = differing(observed(a, native), observed(b, reference));
    if (b.outcome.kind === 'fault') found.push(b.outcome.fault.reason);
    return found.map((difference) => `input ${i}: ${difference}`);
  });
  native.close();
  return differences;
}

const MOST_LIMITS = 4;

/** Metered runs with limits from one instruction to more than it takes: where each engine stops. */
export function compareStops(program: Program, input: Input, verifying: VerifyOptions): string[] {
  const verdict = verify(program, verifying);
  if (!verdict.ok) return refusal(program, verifying);
  const code = compile(verdict.proof, { metering: 'metered' });
  const executed = runTo(code, program, input).reference;
  const step = Math.max(1, Math.floor(Number.parseInt(executed, 10) / MOST_LIMITS));
  const differences: string[] = [];
  for (let limit = 1; limit <= Number.parseInt(executed, 10) + step; limit += step) {
    const { native, reference } = runTo(code, program, input, limit);
    if (native !== reference) differences.push(`limit ${limit}: ${native} and ${reference}`);
  }
  return differences;
}

/** How many instructions both executed, how they ended, and what their maps hold then. */
function runTo(code: NativeCode, program: Program, input: Input, maxInstructions?: number) {
  using native = load(code, { lifetime: 'replaceable', environment: ENVIRONMENT });
  const reference = loadReference([program], { environment: ENVIRONMENT })[0]!;
  const a = native.runMetered(input, maxInstructions);
  const interpret = maxInstructions === undefined ? {} : { maxInstructions };
  const { outcome } = reference.test(input, { interpret });
  const kind = outcome.kind === 'exhausted' ? 'stopped' : outcome.kind;
  return {
    native: [a.executed, a.outcome, ...contents(native)].join(' '),
    reference: [outcome.executed, kind, ...contents(reference)].join(' '),
  };
}
