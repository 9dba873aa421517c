/**
 * Sealing is real: every way to change loaded code fails, and no mapping of the process is ever
 * writable and executable. Each method of sealing is tried, not only the best one.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arenaTotals, type Extension, type SealMethod } from '../../loader/index.ts';
import { loadCodes } from '../../loader/load.ts';
import type { LoadOptions } from '../../loader/options.ts';
import { machineCode, movEax, ret } from './machine-code.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const packet = new Uint8Array(60);
const PASS = machineCode([movEax(2), ret]);

let attack: (name: string, address: number, bytes: number) => number;
beforeAll(() => {
  const script = [
    'scripts/build-addon.js',
    '--sources',
    'test/loader/native',
    '--output',
    'build/attack.node',
  ];
  execFileSync(process.execPath, script, { cwd: ROOT });
  attack = createRequire(import.meta.url)(`${ROOT}/build/attack.node`).attack;
});

const open = (options: LoadOptions = {}) => loadCodes([PASS], options)[0]!;

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly protection: string;
}

function mappings(): Mapping[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [, low, high, protection] = /^(\w+)-(\w+) (\S+)/.exec(line)!;
      return {
        start: Number.parseInt(low!, 16),
        end: Number.parseInt(high!, 16),
        protection: protection!,
      };
    });
}

function codeOf(extension: Extension): Mapping {
  const start = Number.parseInt(extension.seal.mapsLine, 16);
  return mappings().find((mapping) => mapping.start === start)!;
}

const WRITES = [
  'mprotect-write',
  'mprotect-all',
  'proc-mem',
  'memfd-write',
  'memfd-truncate',
  'memfd-seal',
  'memfd-map',
];
const MOVES = ['mprotect-none', 'mmap-fixed', 'munmap', 'mremap'];

describe('sealed code', () => {
  it('withstands every attack when permanent', () => {
    const extension = open();
    const { seal } = extension;
    expect(seal).toMatchObject({
      method: 'memfd',
      writeSealed: true,
      mappingSealed: true,
      unwritable: true,
    });
    const { start, end } = codeOf(extension);
    for (const name of [...WRITES, ...MOVES])
      expect([name, attack(name, start, end - start)]).toEqual([
        name,
        expect.toSatisfy((n) => n < 0),
      ]);
    expect(extension.run({ packet })).toBe(2);
  });

  it('has guard pages that are sealed too', () => {
    const { start, end } = codeOf(open());
    const guards = mappings().filter((m) => m.end === start || m.start === end);
    expect(guards.map(({ protection }) => protection)).toEqual(['---p', '---p']);
    for (const at of [start - 4096, end])
      for (const name of ['mprotect-write', 'mmap-fixed', 'munmap'])
        expect(attack(name, at, 4096)).toBeLessThan(0);
  });

  it.each<SealMethod>(['memfd', 'memfd-future-write'])(
    'cannot be written when replaceable (%s)',
    (onlySeal) => {
      using extension = open({ lifetime: 'replaceable', onlySeal });
      expect(extension.seal).toMatchObject({
        method: onlySeal,
        writeSealed: true,
        mappingSealed: false,
        unwritable: true,
      });
      const { start, end } = codeOf(extension);
      for (const name of WRITES)
        expect([name, attack(name, start, end - start) < 0]).toEqual([name, true]);
      expect(extension.run({ packet })).toBe(2);
    },
  );

  it('says what the last resort lacks, and refuses it on demand', () => {
    using extension = open({ lifetime: 'replaceable', onlySeal: 'mprotect' });
    expect(extension.seal).toMatchObject({
      method: 'mprotect',
      writeSealed: false,
      unwritable: false,
    });
    expect(extension.run({ packet })).toBe(2);
    const { start, end } = codeOf(extension);
    expect(attack('proc-mem', start, end - start)).toBe(0);
  });

  it('is never writable and executable, not even while it is loaded', () => {
    const script = `${ROOT}/test/loader/writable-executable.js`;
    const addonPath = process.env.RINGFENCE_ADDON ?? `${ROOT}/build/ringfence.node`;
    const output = execFileSync(process.execPath, ['--jitless', script, addonPath], {
      encoding: 'utf8',
    });
    const { ran, looks, seen, now } = JSON.parse(output);
    expect({ ran, seen, now }).toEqual({ ran: 180, seen: [], now: [] });
    expect(looks).toBeGreaterThan(3);
  });

  it('goes away with replaceable extensions and stays with permanent ones', () => {
    const before = arenaTotals();
    for (let i = 0; i < 3000; i++) open({ lifetime: 'replaceable' }).close();
    expect(arenaTotals()).toEqual(before);
    open().close();
    expect(arenaTotals().permanent).toBe(before.permanent + 1);
    expect(arenaTotals().arenas).toBe(before.arenas + 1);
  });

  it('shares one arena among the programs of a call', () => {
    const before = arenaTotals().arenas;
    const codes = Array.from({ length: 50 }, (_, i) => machineCode([movEax(i), ret]));
    const extensions = loadCodes(codes, { lifetime: 'replaceable' });
    expect(arenaTotals().arenas).toBe(before + 1);
    expect(extensions.map((extension) => extension.run({ packet }))).toEqual(
      codes.map((_, i) => i),
    );
    for (const extension of extensions) extension.close();
    expect(arenaTotals().arenas).toBe(before);
  });
});

afterAll(() => {
  expect(arenaTotals().arenas).toBeLessThan(arenaTotals().maxArenas);
});
