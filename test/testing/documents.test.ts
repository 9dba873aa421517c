/**
 * The TypeScript that documents show, run as it stands: files of `ts` blocks, the package's names
 * standing for the sources here. Files of tests add their tests to this one.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES: Readonly<Record<string, string>> = {
  ringfence: join(ROOT, 'index.ts'),
  'ringfence/testing': join(ROOT, 'testing/index.ts'),
  'ringfence/vitest': join(ROOT, 'testing/vitest.ts'),
};
const PLUGIN = join(ROOT, 'test/loader/defined/admission.bpf.o');

/** Writes the files of a document below build/; their paths. */
function filesOf(document: string): string[] {
  const folder = join(ROOT, 'build/documents', document);
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)].map(([, name = '', block = '']) => {
    const path = join(folder, name);
    const own = block
      .replace(/from '(ringfence[^']*)'/g, (_, specifier) => `from '${SOURCES[specifier]}'`)
      .replace("readFile('admission.bpf.o')", `readFile('${PLUGIN}')`);
    writeFileSync(path, own);
    return path;
  });
}

for (const document of ['README.md', 'docs/testing.md', 'docs/embedding.md']) {
  const files = filesOf(document);
  for (const path of files.filter((each) => each.endsWith('.test.ts')))
    await describe(document, async () => {
      await import(path);
    });
  describe(document, () => {
    it.each(files.filter((path) => !path.endsWith('.test.ts')))('%s', async (path) => {
      expect(await import(path)).toBeDefined();
    });
    it('shows code that runs', () => expect(files.length).toBeGreaterThan(0));
  });
}
