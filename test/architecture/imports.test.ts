/**
 * The import rules of ARCHITECTURE.md, checked: who may import whom, only through an index, and no
 * cycles between files. The formatter puts every static import at the start of a line, so a
 * line-anchored pattern finds all of them, type imports included.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Folder → folders it may import. A folder may always import itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  isa: [],
  btf: ['isa'],
  platform: ['isa', 'btf'],
  'programs/object': ['isa', 'btf', 'platform'],
  'programs/manifest': ['isa', 'btf', 'platform'],
  'programs/file': ['isa', 'btf', 'platform', 'programs/object', 'programs/manifest'],
  verifier: ['isa', 'btf', 'platform'],
  jit: ['isa', 'btf', 'platform', 'verifier'],
  loader: ['isa', 'btf', 'platform', 'jit'],
  hosts: ['isa', 'btf', 'platform', 'loader'],
  'cli/report': ['isa', 'platform', 'verifier'],
  testing: ['isa', 'btf', 'platform', 'programs/file', 'verifier', 'loader', 'hosts', 'cli/report'],
  cli: [
    'isa',
    'btf',
    'platform',
    'programs/object',
    'programs/manifest',
    'programs/file',
    'verifier',
    'jit',
    'loader',
    'hosts',
    'testing',
    'cli/report',
  ],
};

function* typescriptUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* typescriptUnder(path);
    else if (path.endsWith('.ts')) yield path;
  }
}

/** Relative imports of a file, as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = [
    ...text.matchAll(
      /^(?:import|export|\} from)\b[^;'"]*?from '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gms,
    ),
  ];
  return found.map((match) =>
    posix.join(posix.dirname(file), match[1] ?? match[2] ?? match[3] ?? ''),
  );
}

const folderOf = (file: string) =>
  Object.keys(MAY_IMPORT).find((folder) => file.startsWith(`${folder}/`));

const FILES = [
  'isa',
  'btf',
  'platform',
  'programs',
  'verifier',
  'jit',
  'loader',
  'hosts',
  'testing',
  'cli',
].flatMap((folder) => [...typescriptUnder(folder)]);

describe('imports', () => {
  it('reads a tree worth checking', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(FILES.flatMap(importsOf).length).toBeGreaterThan(200);
  });

  it('go only where the architecture allows', () => {
    const wrong = FILES.flatMap((file) => {
      const own = folderOf(file);
      const allowed = own === undefined ? [] : (MAY_IMPORT[own] ?? []);
      return importsOf(file)
        .filter((target) => folderOf(target) !== own && !allowed.includes(folderOf(target) ?? ''))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('reach other folders through their index', () => {
    const wrong = FILES.flatMap((file) =>
      importsOf(file)
        .filter((target) => folderOf(target) !== folderOf(file))
        .filter((target) => target !== `${folderOf(target)}/index.ts`)
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keep jit targets apart', () => {
    const targets = ['x64', 'arm64', 'riscv64'];
    const wrong = FILES.filter((file) => file.startsWith('jit/')).flatMap((file) => {
      const own = targets.find((target) => file.startsWith(`jit/${target}/`));
      return importsOf(file)
        .filter((target) => targets.some((t) => t !== own && target.startsWith(`jit/${t}/`)))
        .filter((target) => own !== undefined || !/^jit\/\w+\/index\.ts$/.test(target))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('have no cycles', () => {
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const target of importsOf(file))
        if (FILES.includes(target)) visit(target, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of FILES) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('load the native addon in one file only', () => {
    const loading = FILES.filter((file) =>
      /createRequire|process\.dlopen/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(loading.map((file) => relative('.', file))).toEqual(['loader/addon.ts']);
  });

  it('export nothing by default', () => {
    const wrong = FILES.filter((file) =>
      /^export default/m.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });
});
