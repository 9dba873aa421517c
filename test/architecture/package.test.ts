/** What the package offers: entry points that are compiled, with types, and nothing internal by name. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as main from '../../index.ts';
import * as testing from '../../testing/index.ts';
import * as withMatchers from '../../testing/vitest.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));

describe('the package', () => {
  const {
    exports: entries,
    files,
    peerDependenciesMeta,
  } = read('package.json') as {
    exports: Record<string, { types: string; default: string }>;
    files: string[];
    peerDependenciesMeta: Record<string, { optional: boolean }>;
  };

  it.each(Object.entries(entries))('has a source for %s', (_, { types, default: code }) => {
    expect(types).toBe(code.replace('.js', '.d.ts'));
    const source = code.replace('./dist/', '').replace('.js', '.ts');
    expect(existsSync(join(ROOT, source))).toBe(true);
    const [folder] = source.split('/');
    const { include } = read('tsconfig.build.json') as { include: string[] };
    expect(include).toContain(folder);
  });

  it('ships what it needs, and vitest only where it is there', () => {
    expect(files).toContain('dist');
    expect(files).toContain('loader/native');
    expect(peerDependenciesMeta.vitest?.optional).toBe(true);
  });
});

describe('the entry points', () => {
  it('export what their documents name', () => {
    const names = { ...main, ...testing };
    const documents = ['README.md', 'docs/testing.md', 'docs/embedding.md'];
    const imported = documents.flatMap((document) =>
      [
        ...readFileSync(join(ROOT, document), 'utf8').matchAll(
          /import \{ ([^}]+) \} from 'ringfence/g,
        ),
      ].flatMap(([, list = '']) => list.split(/,\s*/)),
    );
    expect(imported.length).toBeGreaterThan(10);
    for (const name of imported) expect(names).toHaveProperty(name);
  });

  it('keep to themselves what makes tokens and opens them', () => {
    const hidden = /^(mint|adopt|partsOf|handleOf|programOf|mapsOf|loadCodes|addon|Recorder)/;
    for (const entry of [main, testing, withMatchers])
      expect(Object.keys(entry).filter((name) => hidden.test(name))).toEqual([]);
  });

  it('are the same, whichever of them tests import', () => {
    expect(Object.keys(withMatchers).sort()).toEqual(Object.keys(testing).sort());
  });
});
