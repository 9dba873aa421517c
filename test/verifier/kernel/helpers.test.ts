/**
 * Calls of every helper by every program type that may make them, to the verifier and to the running
 * kernel: as the contract wants them, and with each argument replaced by something else.
 */
import { describe, expect, test } from 'vitest';
import {
  attachTypeOf,
  HELPERS,
  type HelperRow,
  helperFor,
  mayCall,
  PROGRAM_TYPES,
  programType,
} from '../../../platform/index.ts';
import { callOf, mapOf, mapTypesToTry, readOnlyArray } from '../../support/helper-calls.ts';
import {
  addTo,
  call,
  copy,
  loadMap,
  loadValue,
  move,
  refusal,
  slot,
} from '../../support/kernel-probe.ts';
import { disagreement, type Kind } from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`helper calls are not compared with the kernel: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

/** One in 40; all of them: FUZZ_SCALE=40. */
const SHARE = Math.max(1, Math.round(40 / Number(process.env.FUZZ_SCALE ?? 1)));
const UNASKED = new Set(['memory', 'struct_ops', 'ext', 'lsm', 'lirc_mode2', 'tracing']);
/** Open or closed by the kernel's configuration. */
const CONFIGURED = new Set(['bpf_probe_write_user', 'bpf_override_return']);
const RANDOM = 7;

const kinds = (): Kind[] => [
  ...PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).map(({ name, attachTypes }): Kind => {
    const attachType = attachTypeOf({ type: name }) ?? attachTypes?.at(-1);
    return { type: name, ...(attachType && { attachType }), sleepable: name === 'syscall' };
  }),
  { type: 'tracing', attachType: 'trace_raw_tp', attachTarget: 'sched_switch' },
];

interface Case {
  readonly row: HelperRow;
  readonly kind: Kind;
}

let known: readonly Case[] | undefined;

function cases(): readonly Case[] {
  known ??= kinds().flatMap((kind) =>
    HELPERS.flatMap(({ id }) => {
      const row = helperFor(id, kind.type);
      if (!row || CONFIGURED.has(row.name)) return [];
      if (!mayCall(row, kind.type, kind.attachType)) return [];
      return targetCall({ row, kind }) === undefined ? [] : [{ row, kind }];
    }),
  );
  return known;
}

function targetCall({ row, kind }: Case, options: Parameters<typeof callOf>[2] = {}) {
  const id = programType(kind.type)?.id ?? 0;
  return callOf(row, { ...kind, id }, options);
}

/** What may stand in the place of an argument, by what it is. */
const SPOILS: Readonly<Record<string, (register: number) => readonly Buffer[]>> = {
  nothing: () => [],
  zero: (r) => [move(r, 0)],
  'a small number': (r) => [move(r, 1)],
  'a negative number': (r) => [move(r, -1)],
  'a huge number': (r) => [move(r, 1 << 30)],
  'the context': (r) => [copy(r, 6)],
  'a moved context': (r) => [copy(r, 6), addTo(r, 8)],
  'the frame pointer': (r) => [copy(r, 10)],
  'a few bytes of stack': (r) => [copy(r, 10), addTo(r, -4)],
  'stack space': (r) => [copy(r, 10), addTo(r, -128)],
  'misaligned stack space': (r) => [copy(r, 10), addTo(r, -127)],
  'space below the stack': (r) => [copy(r, 10), addTo(r, -520)],
  'a constant map value': (r) => loadValue(r, readOnlyArray()),
  'a map': (r) => loadMap(r, mapOf('hash')),
  'an unknown number': (r) => [slot(0x79, r, 10, -256, 0)],
  'a bounded number': (r) => [slot(0x79, r, 10, -256, 0), slot(0x57, r, 0, 0, 63)],
};

kernel('helpers', () => {
  test('are called as the kernel lets them be called', () => {
    const all = cases();
    const names = Object.keys(SPOILS);
    const differences: string[] = [];
    let round = 0;
    for (const each of all) {
      const arity = each.row.arguments.length;
      for (let index = -1; index < arity; index++) {
        for (const name of index < 0 ? ['itself'] : names) {
          if (round++ % SHARE !== 0) continue;
          const own = index < 0 ? undefined : SPOILS[name]?.(index + 1);
          const spoil = own ? { spoil: new Map([[index, own]]) } : {};
          const code = targetCall(each, spoil);
          const problem = code && disagreement(each.kind, code);
          if (problem) differences.push(`${each.row.name} ${index + 1} ${name}: ${problem}`);
        }
      }
    }
    expect(differences).toEqual([]);
    expect(all.length).toBeGreaterThan(HELPERS.length);
  }, 600_000);

  test('take the maps that the kernel lets them take', () => {
    const differences: string[] = [];
    let round = 0;
    for (const each of cases()) {
      if (!each.row.arguments.some(({ kind }) => kind === 'map')) continue;
      for (const map of mapTypesToTry) {
        if (round++ % SHARE !== 0) continue;
        const code = targetCall(each, { map });
        const problem = code && disagreement(each.kind, code);
        if (problem) differences.push(`${each.row.name} with ${map}: ${problem}`);
      }
    }
    expect(differences).toEqual([]);
  }, 600_000);

  test('that the program type may not call are refused', () => {
    const differences: string[] = [];
    for (const kind of kinds()) {
      for (const row of HELPERS) {
        if (mayCall(row, kind.type, attachTypeOf(kind)) || CONFIGURED.has(row.name)) continue;
        const problem = disagreement(kind, [call(RANDOM), call(row.id), move(0, 1), slot(0x95)]);
        if (problem) differences.push(`${row.name}: ${problem}`);
      }
    }
    expect(differences).toEqual([]);
  });
});
