/** `ringfence run`, `disassemble`, `assemble`: results of both engines, and refusals. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CaptureDocument, MeteredDocument, RunDocument } from '../../cli/run-command.ts';
import { BAD_BOUNDS, CAPTURE, FIREWALL, inTemporaryFolder, PORTS, ringfence } from './support.ts';

const ENGINES = ['native', 'interpreter'] as const;
const SUM = `.type memory
.context 8
r0 = *(u32 *)(r1 + 0)
r2 = *(u32 *)(r1 + 4)
r0 += r2
*(u32 *)(r1 + 0) = r0
exit
`;

describe.each(ENGINES)('run --engine %s', (engine) => {
  it('runs a memory program and hands its buffer back', () =>
    inTemporaryFolder(async (write) => {
      const path = write('sum.s', SUM);
      const { code, out } = await ringfence(
        'run',
        path,
        '--engine',
        engine,
        '--memory',
        'hex:0100000002000000',
        '--format',
        'json',
      );
      expect(code).toBe(0);
      expect(JSON.parse(out) as RunDocument).toMatchObject({
        r0: '3',
        memory: '0300000002000000',
        runs: 1,
      });
    }));

  it('runs over a capture', async () => {
    const { code, out } = await ringfence(
      'run',
      PORTS,
      '--engine',
      engine,
      '--pcap',
      CAPTURE,
      '--maps',
      '--format',
      'json',
    );
    const document = JSON.parse(out) as CaptureDocument;
    expect(code).toBe(0);
    expect(document).toMatchObject({
      program: 'count_ports',
      packets: 4000,
      actions: { XDP_PASS: 4000 },
    });
    expect(document.maps?.services?.length).toBeGreaterThan(100);
  });

  it('fills maps from a file', () =>
    inTemporaryFolder(async (write) => {
      const blocked = write(
        'blocklist.json',
        JSON.stringify([{ key: 'cb007107', value: '00'.repeat(16) }]),
      );
      const { out } = await ringfence(
        'run',
        FIREWALL,
        '--engine',
        engine,
        '--map',
        `blocklist=${blocked}`,
        '--pcap',
        CAPTURE,
        '--maps',
        '--format',
        'json',
      );
      const [entry] = (JSON.parse(out) as CaptureDocument).maps?.blocklist ?? [];
      expect(entry?.key).toBe('cb007107');
      expect(Buffer.from(entry?.value ?? '', 'hex').readBigUInt64LE(0)).toBe(114n);
    }));

  it('never runs what is not proven', async () => {
    const { code, out } = await ringfence(
      'run',
      BAD_BOUNDS,
      '--engine',
      engine,
      '--packet',
      'hex:00',
    );
    expect(code).toBe(1);
    expect(out).toContain('error[packet-out-of-bounds]');
  });
});

describe('run', () => {
  const asm = (text: string) => (write: (name: string, content: string) => string) =>
    write('p.s', text);

  it('gives the context that is asked for', () =>
    inTemporaryFolder(async (write) => {
      const path = asm('.type sched_cls\nr0 = *(u32 *)(r1 + 8)\nexit\n')(write);
      const packet = `hex:${'00'.repeat(64)}`;
      const { out } = await ringfence('run', path, '--packet', packet, '--context', 'mark=7');
      expect(out).toContain('r0 = 0x7');
    }));

  it.each([
    ['a packet program without a packet', [], 'xdp programs run on a packet'],
    ['a field that is none', ['--packet', 'hex:00', '--context', 'colour=1'], 'colour'],
    ['a context that is no number', ['--packet', 'hex:00', '--context', 'mark=x'], 'FIELD=NUMBER'],
    ['memory for a packet program', ['--memory', 'hex:00'], '--memory is for memory programs'],
  ])('says what is wrong with %s', (_, options, message) =>
    inTemporaryFolder(async (write) => {
      const path = asm('.type xdp\nr0 = 2\nexit\n')(write);
      const { code, err } = await ringfence('run', path, ...options);
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
    }),
  );

  it('says what only a kernel can run', () =>
    inTemporaryFolder(async (write) => {
      const path = asm('.type netfilter\n.attach netfilter\nr0 = 1\nexit\n')(write);
      const { code, err } = await ringfence('run', path);
      expect({ code, err }).toEqual({ code: 4, err: expect.stringContaining('only a kernel') });
    }));

  it.each([
    ['memory of the wrong length', ['--memory', 'hex:00'], /takes exactly 8 bytes, not 1/],
    ['memory that is missing', [], /needs --memory with 8 bytes/],
    ['half a byte', ['--memory', 'hex:0'], /pairs of hexadecimal digits/],
    [
      'a map that is not there',
      ['--memory', 'hex:0000000000000000', '--map', 'm=x.json'],
      /no map is called 'm'/,
    ],
  ])('exits 2 on %s', (_, args, message) =>
    inTemporaryFolder(async (write) => {
      const { code, err } = await ringfence('run', write('sum.s', SUM), ...args);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }),
  );
});

describe('assemble and disassemble', () => {
  it('round-trip through a manifest', () =>
    inTemporaryFolder(async (write) => {
      const assembled = await ringfence('assemble', write('sum.s', SUM));
      expect(assembled.code).toBe(0);
      const manifest = write('sum.json', assembled.out);
      const { code, out } = await ringfence('disassemble', manifest);
      expect(code).toBe(0);
      expect(out).toContain('r0 += r2');
    }));

  it('place machine code under its BPF and source lines', async () => {
    const { code, out } = await ringfence('disassemble', '--native', FIREWALL);
    expect(code).toBe(0);
    expect(out).toContain('; ./firewall.bpf.c:');
    expect(out).toMatch(/call bpf_map_lookup_elem[\s\S]*call qword ptr \[helper 1\]/);
  });

  it('say where assembly is wrong', () =>
    inTemporaryFolder(async (write) => {
      const { code, err } = await ringfence('assemble', write('bad.s', 'r0 = 0\nr0 <> 1\nexit\n'));
      expect(code).toBe(2);
      expect(err).toMatch(/bad\.s:2:\d+/);
    }));
});

describe('run --lcov', () => {
  it('writes which lines of the source ran over a capture', () =>
    inTemporaryFolder(async (write) => {
      const path = write('coverage.info', '');
      const { code, out } = await ringfence('run', FIREWALL, '--pcap', CAPTURE, '--lcov', path);
      expect(code).toBe(0);
      expect(out).toContain('interpreted');
      const tracefile = readFileSync(path, 'utf8');
      expect(tracefile).toMatch(/^TN:\nSF:.*\n/);
      expect(tracefile).toContain('FNDA:4000,firewall\n');
      expect(tracefile).toMatch(/BRDA:\d+,0,1,\d+\n/);
    }));

  it('exits 2 where the file cannot be written', async () => {
    const { code, err } = await ringfence('run', FIREWALL, '--packet', 'hex:00', '--lcov', '/no/x');
    expect(code).toBe(2);
    expect(err).toContain('cannot write /no/x: ENOENT');
  });
});

describe.each(ENGINES)('run --max-instructions with --engine %s', (engine) => {
  const run = (limit: string, ...more: readonly string[]) =>
    ringfence('run', FIREWALL, '--engine', engine, '--max-instructions', limit, ...more);

  it('counts what runs execute', async () => {
    const { code, out } = await run('46', '--pcap', CAPTURE, '--format', 'json');
    const document = JSON.parse(out) as MeteredDocument;
    expect(code).toBe(0);
    expect(document).toMatchObject({ runs: 4000, stopped: 0, maxInstructions: 46 });
    expect(document.actions).toEqual({ XDP_DROP: 50, XDP_PASS: 3950 });
    expect(document.executed).toBe(131_273);
    expect(document.longest).toBeLessThanOrEqual(46);
  });

  it('exits 3 when the limit stops one', async () => {
    const { code, out } = await run('10', '--packet', `hex:${'00'.repeat(64)}`, '--maps');
    expect(code).toBe(3);
    expect(out).toContain('stopped after 10 instructions: 1\n10 instructions executed');
    expect(out).toContain('map decisions: 4 entries');
  });
});
