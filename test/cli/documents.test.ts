/**
 * What the documents tell people to type must work. Commands of `sh` blocks run from the project's
 * root; a block with a file name after its language is that file. `# exit N` after a command is the
 * exit code that it promises.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BAD_BOUNDS, FIREWALL, inTemporaryFolder, ringfence } from './support.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const documents = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (document: string) => readFileSync(join(ROOT, document), 'utf8');

interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

const blocksOf = (document: string): Block[] =>
  [...read(document).matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(
    ([, language = '', file, text = '']) => ({ language, file, text }),
  );

interface Command {
  readonly line: string;
  readonly words: readonly string[];
  readonly exit: number;
}

const commandsOf = (document: string): Command[] =>
  blocksOf(document)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.startsWith('npx ringfence '))
    .map((line) => ({
      line,
      words: line.replace(/#.*/, '').trim().split(/\s+/).slice(2),
      exit: Number(/# exit (\d+)/.exec(line)?.[1] ?? 0),
    }));

/** A word with a star in its last part, as a shell spells it out. */
function expand(word: string): string[] {
  if (!word.includes('*')) return [word];
  const [start = '', end = ''] = basename(word).split('*');
  return readdirSync(join(ROOT, dirname(word)))
    .filter((name) => name.startsWith(start) && name.endsWith(end))
    .map((name) => join(dirname(word), name));
}

describe.each(documents.filter((document) => commandsOf(document).length > 0))('%s', (document) => {
  it.each(commandsOf(document))('$line', ({ words, exit }) =>
    inTemporaryFolder(async (write) => {
      const files = new Map(
        blocksOf(document).flatMap(({ file, text }) =>
          file === undefined ? [] : [[file, write(file, text)] as const],
        ),
      );
      const place = (word: string) => {
        const [name, value] = word.split('=', 2) as [string, string | undefined];
        if (value !== undefined) return `${name}=${files.get(value) ?? value}`;
        return files.get(word) ?? (word.startsWith('programs/') ? join(ROOT, word) : word);
      };
      const { code, out, err } = await ringfence(...words.flatMap(expand).map(place));
      expect({ code, err }).toEqual({ code: exit, err: '' });
      expect(out).not.toBe('');
    }),
  );
});

describe('docs/formats.md', () => {
  it('describes every field of a verdict', async () => {
    const { out } = await ringfence('verify', '--format', 'json', FIREWALL, BAD_BOUNDS);
    const { programs } = JSON.parse(out) as { programs: { diagnostics: object[] }[] };
    const printed = programs.flatMap((entry) => [
      ...Object.keys(entry),
      ...entry.diagnostics.flatMap(Object.keys),
    ]);
    expect(printed.filter((field) => !read('docs/formats.md').includes(`\`${field}\``))).toEqual(
      [],
    );
  });

  it('describes every field of a manifest', () => {
    const schema = JSON.parse(read('programs/manifest/schema.json'));
    const { map, program } = schema.definitions;
    const known = [map, program, schema].flatMap(({ properties }) => Object.keys(properties));
    expect(known.filter((field) => !read('docs/formats.md').includes(`\`${field}\``))).toEqual([]);
  });
});
