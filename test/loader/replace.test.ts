/**
 * Hot replacement while other threads run: every run is of one version from beginning to end, no
 * thread goes back to an older one, and maps keep what all versions wrote.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { type Extension, load } from '../../loader/index.ts';
import { verify } from '../../verifier/index.ts';
import type { Seen } from './replace-worker.ts';

const ROOT = join(import.meta.dirname, '../..');
const HELPERS = new Map([['bpf_map_lookup_elem', 1]]);
const REPLACEABLE = { lifetime: 'replaceable' } as const;

/** Adds its version to a map and returns it. */
function version(number: number, more = '', metering: 'metered' | 'unmetered' = 'unmetered') {
  const text = `.type memory
    .map total array key 4 value 8 entries 1
    ${more}
    *(u32 *)(r10 - 4) = 0
    r1 = map[total] ll
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r1 = ${number}
    lock *(u64 *)(r0 + 0) += r1
  out:
    r0 = ${number}
    exit
  `;
  const verdict = verify(assembleProgram(text, `version${number}.s`, HELPERS));
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  return compile(verdict.proof, { metering });
}

const total = (extension: Extension) =>
  Number(new DataView(extension.maps.total!.get(new Uint8Array(4))!.buffer).getBigUint64(0, true));

describe('replace', () => {
  it('keeps maps and tells the new bound', () => {
    using extension = load(version(1), REPLACEABLE);
    const before = extension.worstCaseInstructions!;
    expect(extension.run({})).toBe(1);
    extension.replace(version(2, 'r3 = 0\nr3 += 1\n'), REPLACEABLE);
    expect(extension.run({})).toBe(2);
    expect(total(extension)).toBe(3);
    expect(extension.worstCaseInstructions).toBe(before + 2);
  });

  it('brings maps that the old code did not have', () => {
    using extension = load(version(1), REPLACEABLE);
    extension.run({});
    extension.replace(version(2, '.map more hash key 4 value 8 entries 3\n'), REPLACEABLE);
    expect(Object.keys(extension.maps)).toEqual(['total', 'more']);
    extension.replace(version(3), REPLACEABLE);
    expect(extension.run({})).toBe(3);
    expect(total(extension)).toBe(4);
    extension.maps.more!.set(new Uint8Array(4), new Uint8Array(8));
  });

  it('refuses what is of another kind, and goes on with the old code', () => {
    using extension = load(version(1), REPLACEABLE);
    expect(() => extension.replace(version(2, '', 'metered'), REPLACEABLE)).toThrow(
      'cannot replace',
    );
    const other = version(2, '.map extra array key 4 value 16 entries 1\n');
    extension.replace(other, REPLACEABLE);
    expect(() =>
      extension.replace(version(3, '.map extra array key 4 value 8 entries 1\n'), REPLACEABLE),
    ).toThrow(/extra differs .* valueSize is 16, not 8/);
    expect(() => extension.replace({} as never)).toThrow('takes what compile() made');
    expect(extension.run({})).toBe(2);
  });

  it('is atomic for workers that run meanwhile', async () => {
    const outfile = join(ROOT, 'build/test-replace/worker.mjs');
    const entry = join(import.meta.dirname, 'replace-worker.ts');
    await build({
      ...{ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' },
      ...{ target: 'node20', packages: 'external', logLevel: 'error' },
    });
    using extension = load(version(1), REPLACEABLE);
    const flags = new Int32Array(new SharedArrayBuffer(8));
    const workers = [1, 2].map(() => {
      const worker = new Worker(pathToFileURL(outfile), {
        workerData: { shared: extension.share(), flags },
      });
      return new Promise<Seen>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    });
    while (Atomics.load(flags, 1) < workers.length) await new Promise((go) => setTimeout(go, 5));
    let own = 0;
    for (let number = 2; number <= 150; number++) {
      extension.replace(version(number), REPLACEABLE);
      own += extension.run({});
      await new Promise((go) => setImmediate(go));
    }
    Atomics.store(flags, 0, 1);
    const seen = await Promise.all(workers);
    for (const { versions, runs } of seen) {
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(versions.length).toBeGreaterThan(2);
      expect(runs).toBeGreaterThan(1000);
    }
    expect(total(extension)).toBe(own + seen.reduce((sum, each) => sum + each.sum, 0));
  });
});
