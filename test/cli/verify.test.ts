/** `ringfence verify`: documents, exit codes, and what wrong input is told. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { VerdictDocument } from '../../cli/report/index.ts';
import { BAD_BOUNDS, FIREWALL, inTemporaryFolder, ringfence } from './support.ts';

const documentOf = (out: string) => JSON.parse(out) as VerdictDocument;

describe('verify', () => {
  it('accepts a safe program with the whole record', async () => {
    const { code, out } = await ringfence('verify', '--format', 'json', FIREWALL);
    const [entry] = documentOf(out).programs;
    expect(code).toBe(0);
    expect(entry).toMatchObject({
      section: 'xdp',
      name: 'firewall',
      type: 'xdp',
      profile: 'linux-6.18',
      verdict: 'accepted',
      linux: 'accepted',
      warnings: [],
      diagnostics: [],
    });
    expect(entry?.worstCaseInstructions).toBeGreaterThan(10);
    expect(entry?.instructions).toBe(105);
  });

  it('rejects an unsafe program at its source line', async () => {
    const { code, out } = await ringfence('verify', '--format', 'json', BAD_BOUNDS);
    const [entry] = documentOf(out).programs;
    expect(code).toBe(1);
    expect(entry?.verdict).toBe('rejected');
    expect(entry?.diagnostics[0]).toMatchObject({
      code: 'packet-out-of-bounds',
      category: 'memory-safety',
      line: 9,
    });
  });

  it('takes several inputs and exits with the worst', async () => {
    const { code, out } = await ringfence('verify', '--format', 'json', FIREWALL, BAD_BOUNDS);
    expect(documentOf(out).programs.map(({ verdict }) => verdict)).toEqual([
      'accepted',
      'rejected',
    ]);
    expect(code).toBe(1);
  });

  it('prints for people: place, excerpt, reason, help', async () => {
    const { out } = await ringfence('verify', BAD_BOUNDS);
    expect(out).toContain('error[packet-out-of-bounds]');
    expect(out).toMatch(/--> .*bad-bounds\.bpf\.c:9:\d+, xdp\/drop_ipv6, instruction \d+/);
    expect(out).toContain('^^^');
    expect(out).toContain('= help:');
    expect(out).toContain('= linux: invalid access to packet');
  });

  it('reports a truncated object with its byte offset and goes on', () =>
    inTemporaryFolder(async (write) => {
      const path = write('short.o', readFileSync(FIREWALL).subarray(0, 500));
      const { code, out } = await ringfence('verify', '--format', 'json', path, FIREWALL);
      const [short, whole] = documentOf(out).programs;
      expect(code).toBe(2);
      expect(short).toMatchObject({ file: path, name: null, verdict: 'malformed' });
      expect(short?.diagnostics[0]?.offset).toBeTypeOf('number');
      expect(whole?.verdict).toBe('accepted');
    }));

  it.each([
    ['a missing file', ['verify', '/nonexistent/x.o'], /cannot read \/nonexistent\/x\.o: ENOENT/],
    ['a folder', ['verify', '/'], /cannot read \/: EISDIR/],
    ['no input', ['verify'], /missing required argument/],
    [
      'an unknown program',
      ['verify', '--program', 'nobody', FIREWALL],
      /no program is called 'nobody'/,
    ],
    ['an unknown profile', ['verify', '--profile', 'linux-1.0', FIREWALL], /linux-1\.0/],
    ['an unknown format', ['verify', '--format', 'yaml', FIREWALL], /yaml/],
    ['an unknown command', ['fry', FIREWALL], /fry/],
    ['a number that is none', ['verify', '--max-errors', 'many', FIREWALL], /whole number/],
  ])('exits 2 on %s', async (_, args, message) => {
    const { code, err } = await ringfence(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it('tells binary files from programs', () =>
    inTemporaryFolder(async (write) => {
      const { code, out } = await ringfence('verify', write('noise', Uint8Array.of(1, 2, 0, 3)));
      expect(code).toBe(2);
      expect(out).toContain('neither an ELF object');
    }));

  it('exits 4 on a program type without semantics', () =>
    inTemporaryFolder(async (write) => {
      const { code } = await ringfence(
        'verify',
        write('ops.s', '.type struct_ops\nr0 = 0\nexit\n'),
      );
      expect(code).toBe(4);
    }));
});
