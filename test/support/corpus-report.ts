/**
 * `node scripts/agreement.js`: the table of agreement with the running kernel by category, and each
 * disagreement with what both sides said.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Btf, parseBtf } from '../../btf/index.ts';
import { kernelRefusal, kernelRelease } from '../../hosts/index.ts';
import { CATEGORIES, corpusSources, installedBuilds } from './corpus.ts';
import { type Comparison, compareSource, disagreement, type Oracle } from './corpus-agreement.ts';

const HELP = `Usage: node scripts/agreement.js [options]

  --only NAMES    only sources or programs with one of these names, separated by commas
  --builds TEXT   only builds whose name contains TEXT ("clang-19 v3 -O2")
  --json          print every comparison as JSON instead of the table
  --all           list programs on which both agree, too
  --help

Example: node scripts/agreement.js --only conntrack --builds "v3 -O2" --all
`;

const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** Types of the running kernel, when readable. */
export function runningBtf(): Btf | undefined {
  try {
    return parseBtf(readFileSync(KERNEL_BTF), KERNEL_BTF);
  } catch {
    return undefined;
  }
}

const say = (text: string) => process.stdout.write(`${text}\n`);

interface Options {
  readonly only?: string | undefined;
  readonly builds: string;
}

function compareAll(root: string, options: Options, oracle: Oracle): Comparison[] {
  const names = options.only?.split(',');
  const builds = installedBuilds().filter(({ name }) => name.includes(options.builds));
  const output = join(root, 'build/corpus');
  const rows: Comparison[] = [];
  for (const source of corpusSources(join(root, 'test/corpus'))) {
    const wanted = source.programs.filter(
      ({ name }) => !names || names.includes(name) || names.includes(source.name),
    );
    if (wanted.length === 0) continue;
    for (const build of builds)
      rows.push(...compareSource({ ...source, programs: wanted }, build, output, oracle));
  }
  return rows;
}

const percent = (part: number, whole: number) =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;

/** One line of the table: how often each side says what. */
function tableRow(name: string, rows: readonly Comparison[]): string {
  const count = (test: (row: Comparison) => boolean) => rows.filter(test).length;
  const columns = [
    rows.length,
    count((row) => row.kernel?.accepted === true),
    count((row) => row.kernel?.accepted === false),
    count((row) => disagreement(row) === 'unsafe accept'),
    count((row) => disagreement(row) === 'beyond Linux'),
    count((row) => disagreement(row) === 'refused here'),
    count((row) => disagreement(row) === 'unsupported here'),
    count((row) => disagreement(row) === 'wrong prediction'),
    percent(
      count((row) => disagreement(row) === undefined),
      rows.length,
    ),
  ];
  return name.padEnd(18) + columns.map((column) => String(column).padStart(12)).join('');
}

function table(rows: readonly Comparison[]): string {
  const titles = [
    'programs',
    'Linux yes',
    'Linux no',
    'unsafe',
    'beyond',
    'refused',
    'unsupported',
    'mispredict',
    'agreement',
  ];
  const head = 'category'.padEnd(18) + titles.map((title) => title.padStart(12)).join('');
  const lines = CATEGORIES.map((category) =>
    tableRow(
      category,
      rows.filter((row) => row.category === category),
    ),
  );
  return [head, ...lines, tableRow('total', rows)].join('\n');
}

/** Differences of one program, over its builds. */
function describe(rows: readonly Comparison[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const builds = rows.map((row) => row.build.replace('clang-', '').replaceAll(' ', '/')).join(' ');
  return [
    `${disagreement(first) ?? 'agree'}: ${first.source} ${first.program} [${first.category}] (${builds})`,
    ...(first.kernel?.reason ?? []).map((line) => `    linux: ${line}`),
    ...first.diagnostics.map((line) => `    ringfence: ${line}`),
  ].join('\n');
}

function listed(rows: readonly Comparison[]): string[] {
  const groups = new Map<string, Comparison[]>();
  for (const row of rows) {
    const codes = row.diagnostics.map((text) => text.split(':')[0]).join();
    const key = `${row.source}/${row.program}/${disagreement(row)}/${codes}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map(describe);
}

/** Programs of the reference build on which Linux does not do what their source states. */
function misstated(rows: readonly Comparison[]): string[] {
  return rows
    .filter((row) => row.isReference && row.kernel !== undefined)
    .filter((row) => row.kernel?.accepted !== (row.expected === 'accepted'))
    .map((row) => {
      const said = row.kernel?.accepted ? 'accepts' : 'rejects';
      const reason = (row.kernel?.reason ?? []).map((line) => `\n    linux: ${line}`).join('');
      return `source says '${row.expected}', Linux ${said}: ${row.source} ${row.program}${reason}`;
    });
}

/** Returns the exit code: 1 where something that Linux refuses was proven and predicted accepted. */
export function main(root: string): number {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      builds: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(HELP);
    return 0;
  }
  const refusal = kernelRefusal();
  const kernelBtf = runningBtf();
  const rows = compareAll(root, values, { kernel: refusal === undefined, kernelBtf });
  const differing = rows.filter((row) => disagreement(row) !== undefined);
  if (values.json) say(JSON.stringify(rows, null, 1));
  else {
    for (const text of misstated(rows)) say(text);
    for (const text of listed(values.all ? rows : differing)) say(text);
    say(`\nkernel ${refusal ?? kernelRelease()}`);
    say(table(rows));
  }
  return differing.some((row) => disagreement(row) === 'unsafe accept') ? 1 : 0;
}
