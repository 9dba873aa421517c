/** Results as Markdown tables and as JSON. */
import { calibrated, EMPTY, geometricMean, type SpeedRow } from './code-speed.ts';
import type { Engine } from './engine.ts';
import type { StageRow } from './stages.ts';

export interface SpeedEntry {
  readonly engine: string;
  readonly nanoseconds: number | undefined;
  /** Against native code; undefined where it cannot be told. */
  readonly ratio: number | undefined;
}

export interface SpeedReport {
  readonly rows: readonly { readonly program: string; readonly engines: readonly SpeedEntry[] }[];
  /** Geometric means of the ratios, by engine. */
  readonly means: Readonly<Record<string, number>>;
}

/** The first engine is the one that the others are compared with. */
export function speedReport(rows: readonly SpeedRow[], engines: readonly Engine[]): SpeedReport {
  const base = engines[0]!;
  const empty = rows.find(({ program }) => program === EMPTY)!;
  const entriesOf = (row: SpeedRow): SpeedEntry[] =>
    engines.map((engine) => {
      const nanoseconds = calibrated(row, empty, engine, base);
      const native = row.nanoseconds.get(base);
      const ratio =
        nanoseconds === undefined || native === undefined ? undefined : nanoseconds / native;
      return { engine: engine.name, nanoseconds, ratio };
    });
  const all = rows
    .filter((row) => row !== empty)
    .map((row) => ({ program: row.program, engines: entriesOf(row) }));
  const means = Object.fromEntries(
    engines.map(({ name }) => {
      const ratios = all.flatMap(({ engines: entries }) =>
        entries.flatMap((entry) =>
          entry.engine === name && entry.ratio !== undefined ? [entry.ratio] : [],
        ),
      );
      return [name, geometricMean(ratios)];
    }),
  );
  return { rows: all, means };
}

/** Columns padded, so that the source reads as a table too; numbers to the right. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, 3, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Three significant digits, without an exponent. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function speedTable({ rows, means }: SpeedReport): string {
  const names = Object.keys(means);
  const head = [
    'program',
    ...names.map((name) => `${name}, ns`),
    ...names.slice(1).map((name) => `${name} / native`),
  ];
  const cells = rows.map(({ program, engines }) => [
    program,
    ...engines.map(({ nanoseconds }) => figure(nanoseconds)),
    ...engines.slice(1).map(({ ratio }) => figure(ratio)),
  ]);
  const mean = [
    'geometric mean',
    ...names.map(() => ''),
    ...names.slice(1).map((name) => figure(means[name])),
  ];
  return markdownTable(head, [...cells, mean]);
}

/** A time in the unit that suits it. */
function time(nanoseconds: number): string {
  if (nanoseconds >= 1e6) return `${figure(nanoseconds / 1e6)} ms`;
  return nanoseconds >= 1e3 ? `${figure(nanoseconds / 1e3)} µs` : `${figure(nanoseconds)} ns`;
}

export function stageTable(rows: readonly StageRow[]): string {
  return markdownTable(
    ['stage', 'subject', 'time', 'beside', 'its time', 'ratio'],
    rows.map(({ stage, subject, nanoseconds, peer, peerNanoseconds }) => [
      stage,
      subject,
      time(nanoseconds),
      peer,
      peerNanoseconds === undefined ? '-' : time(peerNanoseconds),
      figure(peerNanoseconds === undefined ? undefined : nanoseconds / peerNanoseconds),
    ]),
  );
}
