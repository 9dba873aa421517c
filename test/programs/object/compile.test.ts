/** The same source through other compilers and instruction-set versions links to the same shape. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseBtf } from '../../../btf/index.ts';
import { readObject } from '../../../programs/object/index.ts';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const kernelBtf = parseBtf(readFileSync(join(fixtures, 'kernel.btf')), 'kernel.btf');
const kconfig = new Map([['CONFIG_MISSING', '1']]);

/** Programs of the fixture as this compiler builds it. */
function compile(compiler: string, cpu: string, name: string) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-object-'));
  try {
    const output = join(folder, `${name}.bpf.o`);
    const flags = ['-O2', '-g', '-target', 'bpf', `-mcpu=${cpu}`, '-c', '-o', output];
    const run = spawnSync(compiler, [...flags, join(fixtures, `${name}.bpf.c`)]);
    if (run.status !== 0) throw new Error(run.stderr.toString());
    const options = name === 'core' ? { kernelBtf, kconfig } : { kconfig };
    return readObject(readFileSync(output), `${name}.bpf.o`, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const compiler of ['clang-14', 'clang-19']) {
  const missing = spawnSync(compiler, ['--version']).status !== 0;
  if (missing) console.log(`${compiler} is not installed: its objects are not tested`);
  describe.skipIf(missing)(compiler, () => {
    for (const cpu of ['v1', 'v2', 'v3'])
      it(`links what -mcpu=${cpu} writes`, () => {
        const programs = compile(compiler, cpu, 'linked');
        expect(programs.map(({ name }) => name)).toEqual([
          'next',
          'classify',
          'settings',
          'missing_setting',
          'kernel_functions',
          'unknown',
        ]);
        const [next, classify] = programs;
        expect(classify!.functions.map(({ name }) => name)).toEqual([
          'classify',
          'middle',
          'leaf',
          'global_function',
          'hidden_function',
          'callback',
        ]);
        expect(next!.maps.map(({ name }) => name).sort()).toEqual([
          '.rodata.text',
          'first',
          'flows',
          'jumps',
          'linked.bss',
          'linked.data',
          'linked.kconfig',
          'linked.rodata',
          'outer',
          'second',
        ]);
        expect(programs.slice(0, 5).every(({ unresolved }) => unresolved === undefined)).toBe(true);
      });
  });
}

describe.skipIf(spawnSync('clang-19', ['--version']).status !== 0)('clang-19', () => {
  it('relocates the same fields at every version', () => {
    const bytes = (cpu: string) =>
      compile('clang-19', cpu, 'core').map(({ name, unresolved }) => [
        name,
        unresolved?.[0]?.reason,
      ]);
    expect(bytes('v1')).toEqual(bytes('v3'));
  });
});
