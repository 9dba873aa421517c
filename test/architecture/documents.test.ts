/** What the documents name must exist: files, folders, npm scripts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FOLDERS = 'isa|btf|platform|programs|verifier|jit|loader|hosts|cli|bench|test|scripts|docs';

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'verifier/README.md',
  'jit/README.md',
  'loader/README.md',
  ...(existsSync(join(ROOT, 'docs'))
    ? readdirSync(join(ROOT, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`)
    : []),
];
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('names files that exist', () => {
    const names = [
      ...text.matchAll(new RegExp(`(?<=[\`\\s(])((?:${FOLDERS})/[\\w./-]*[\\w/])`, 'g')),
    ]
      .map((match) => match[1] ?? '')
      .filter((name) => !name.includes('*'));
    const base = dirname(document);
    const missing = names.filter(
      (name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, base, name)),
    );
    expect(missing).toEqual([]);
  });

  it('links to files that exist', () => {
    const targets = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? '');
    const missing = targets.filter((name) => !existsSync(join(ROOT, dirname(document), name)));
    expect(missing).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:--\S+ )*([\w-]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});
