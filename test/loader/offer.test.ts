/**
 * docs/helpers.md says of every helper and kernel function whether it runs here, and if not, why. It is
 * written from the tables with BLESS=1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { addon } from '../../loader/index.ts';
import { NOTES, refusalOf } from '../../loader/refusals.ts';
import { HELPERS, KFUNCS } from '../../platform/index.ts';

const PAGE = fileURLToPath(new URL('../../docs/helpers.md', import.meta.url));

interface Offered {
  readonly id: string;
  readonly name: string;
  readonly runs: boolean;
}

function offered(): { readonly helpers: readonly Offered[]; readonly kfuncs: readonly Offered[] } {
  const names = new Set(addon().kfuncNames());
  return {
    helpers: HELPERS.map(({ id, name }) => ({ id: `${id}`, name, runs: addon().hasHelper(id) })),
    kfuncs: KFUNCS.map(({ name }) => ({ id: '', name, runs: names.has(name) })),
  };
}

const table = (rows: readonly Offered[]) =>
  rows
    .map(({ id, name, runs }) => {
      const said = runs ? (NOTES[name] ?? 'runs') : `refused: ${refusalOf(name)}`;
      return `| ${id === '' ? '' : `${id} | `}\`${name}\` | ${said} |`;
    })
    .join('\n');

function page(): string {
  const { helpers, kfuncs } = offered();
  const count = (rows: readonly Offered[]) => rows.filter(({ runs }) => runs).length;
  return `# Helpers and kernel functions

What a program may call when it runs here: ${count(helpers)} of ${helpers.length} helpers and ${count(kfuncs)} of ${kfuncs.length} kernel functions of Linux 6.18.
They do as in \`BPF_PROG_TEST_RUN\`, error codes included, unless the table says what is different. All of them can
be verified; what is refused is refused by name when a program that calls it is loaded, with the reason below.

The *environment* is what \`load(code, { environment })\` or \`extension.fix(environment)\` gives. Everything that runs
natively runs on the reference engine too, which shares no code with it (\`test/loader/doubles.test.ts\`).

## Helpers

| number | helper | here |
| --- | --- | --- |
${table(helpers)}

## Kernel functions

| function | here |
| --- | --- |
${table(kfuncs)}
`;
}

it('docs/helpers.md says what runs', () => {
  const text = page();
  if (process.env.BLESS === '1') writeFileSync(PAGE, text);
  expect(readFileSync(PAGE, 'utf8')).toBe(text);
});

it('every refusal has a reason, and nothing that runs has one', () => {
  const { helpers, kfuncs } = offered();
  const all = [...helpers, ...kfuncs];
  const silent = all.filter(({ name, runs }) => !runs && refusalOf(name) === undefined);
  expect(silent.map(({ name }) => name)).toEqual([]);
  const spoken = all.filter(({ name, runs }) => runs && refusalOf(name) !== undefined);
  expect(spoken.map(({ name }) => name)).toEqual([]);
  const known = new Set(all.map(({ name }) => name));
  expect(Object.keys(NOTES).filter((name) => !known.has(name))).toEqual([]);
});
