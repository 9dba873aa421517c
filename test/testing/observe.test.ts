/** Runs under observation: the same as native ones, and everything about them is told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCapture } from '../../hosts/index.ts';
import { assembleProgram, type MapEntry } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { load } from '../../loader/index.ts';
import { programsOf } from '../../programs/file/index.ts';
import { Coverage, observe, observeFile, packet } from '../../testing/index.ts';
import { verify } from '../../verifier/index.ts';

const SAMPLES = join(import.meta.dirname, '../../programs/samples');
const path = (name: string) => join(SAMPLES, `${name}.bpf.o`);
const bytesOf = (name: string) => Uint8Array.from(readFileSync(name));

function proofOf(name: string) {
  const [program] = programsOf(bytesOf(path(name)), name);
  const verdict = verify(program!);
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  return verdict.proof;
}

/** `entry` goes into the first map. */
function assembled(text: string, entry?: MapEntry) {
  const helpers = new Map([
    ['bpf_trace_printk', 6],
    ['bpf_tail_call', 12],
    ['bpf_loop', 181],
    ['bpf_ringbuf_reserve', 131],
    ['bpf_ringbuf_submit', 132],
  ]);
  const read = assembleProgram(text, 'test.s', helpers);
  const maps = read.maps.map((map) => (entry === undefined ? map : { ...map, entries: [entry] }));
  const program = { ...read, maps, type: 'xdp', license: 'GPL' };
  const verdict = verify(program);
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  return verdict.proof;
}

const CAPTURE = readCapture(bytesOf(join(SAMPLES, 'mixed.pcap')), 'mixed.pcap');
const PACKETS = Array.from(CAPTURE.offsets.subarray(0, 250), (offset, i) =>
  CAPTURE.bytes.slice(offset, offset + CAPTURE.lengths[i]!),
);

describe('an observed run', () => {
  it.each(['balancer', 'dns', 'firewall', 'headers', 'ports', 'remark'])(
    'of %s is the native run',
    (name) => {
      const proof = proofOf(name);
      const environment = { time: { nanoseconds: 5, step: 7 }, random: 3, cpu: 2 };
      using native = load(compile(proof), { lifetime: 'replaceable', environment });
      using observed = observe(proof, { environment });
      for (const bytes of PACKETS) {
        const { r0, action, packet, trace, redirect, context, changes } = native.test(
          { packet: bytes },
          { observe: 'maps' },
        );
        const wanted = { r0, action, packet, trace, redirect, context, changes };
        expect(observed.test({ packet: bytes })).toMatchObject(wanted);
      }
      for (const [map, content] of Object.entries(native.maps)) {
        const entries = [...content.typedEntries()];
        const sorted = (list: readonly unknown[]) =>
          list.map((each) => JSON.stringify(each)).sort();
        expect(sorted([...observed.maps[map]!.entries()])).toEqual(sorted(entries));
      }
    },
  );

  it('tells what changed in maps, typed', async () => {
    const { firewall } = await observeFile(path('firewall'));
    firewall!.maps.blocklist!.set(0x0100000a, { packets: 0, bytes: 0 });
    const hit = firewall!.test({ packet: packet.tcp({ src: '10.0.0.1:1', dst: '10.0.0.2:80' }) });
    expect(hit.action).toBe('XDP_DROP');
    expect(hit.changes).toEqual({
      blocklist: [
        {
          key: 0x0100000a,
          before: { packets: 0, bytes: 0 },
          after: { packets: 1, bytes: 54 },
        },
      ],
      decisions: [{ key: 2, before: 0, after: 1 }],
    });
    const other = firewall!.test({ packet: packet.tcp({ src: '10.0.0.9:1' }) });
    expect(other.changes).toEqual({ decisions: [{ key: 0, before: 0, after: 1 }] });
    expect(firewall!.worstCaseInstructions).toBe(46);
    expect(other.executed).toBeLessThanOrEqual(46);
  });

  it('tells the calls with their arguments', async () => {
    const { firewall } = await observeFile(path('firewall'));
    const { calls } = firewall!.test({ packet: packet.tcp({ src: '10.0.0.9:1' }) });
    expect(calls).toMatchObject([
      {
        name: 'bpf_map_lookup_elem',
        program: 'firewall',
        arguments: [{ map: 'blocklist' }, Uint8Array.of(10, 0, 0, 9)],
        result: null,
      },
      {
        name: 'bpf_map_lookup_elem',
        arguments: [{ map: 'decisions' }, new Uint8Array(4)],
        result: new Uint8Array(8),
      },
    ]);
  });

  it('tells the trace, and stops at a limit', () => {
    const proof = assembled(`
      r1 = 0x216968
      *(u64 *)(r10 - 8) = r1
      r1 = r10
      r1 += -8
      r2 = 4
      call bpf_trace_printk
      r0 = 0
      exit`);
    const extension = observe(proof);
    const run = extension.test({ packet: packet.tcp() });
    expect(run).toMatchObject({ outcome: 'exit', trace: 'hi!\n', executed: 8 });
    expect(run.calls).toMatchObject([
      { name: 'bpf_trace_printk', arguments: [Uint8Array.of(104, 105, 33, 0), 4n], result: 3n },
    ]);
    expect(extension.test({ packet: packet.tcp() }, { maxInstructions: 3 })).toMatchObject({
      outcome: 'stopped',
      stoppedAt: { program: 'main', instruction: 3 },
      executed: 3,
      r0: 0n,
      trace: '',
    });
    expect(() => extension.test({ packet: packet.tcp() }, { maxInstructions: 0 })).toThrow(
      RangeError,
    );
  });

  it('follows tail calls and callbacks into the code that they reach', () => {
    const caller = assembled(
      `.name caller
      .type xdp
      .map jump prog_array key 4 value 4 entries 1
      r2 = map[jump] ll
      r3 = 0
      call bpf_tail_call
      r0 = 1
      exit`,
      { key: new Uint8Array(4), value: 'target' },
    );
    const target = assembled(`.name target
      .type xdp
      r1 = 3
      r2 = pass ll
      r3 = 0
      r4 = 0
      call bpf_loop
      r0 = 2
      exit
    pass:
      r0 = 0
      if r1 == 5 goto out
      r0 = 0
    out:
      exit`);
    const [first] = observe([caller, target]);
    const run = first!.test({ packet: packet.tcp() });
    expect(run).toMatchObject({ r0: 2n, tailCalls: 1, executed: 3 + 7 + 3 * 4 });
    expect(run.calls.map(({ name, program }) => `${program}: ${name}`)).toEqual([
      'caller: bpf_tail_call',
      'target: bpf_loop',
    ]);
    expect(run.calls[0]!.arguments.slice(1)).toEqual([{ map: 'jump' }, 0n]);
    expect(run.calls[1]!.result).toBe(3n);
  });

  it('gives back what it held when it is stopped', () => {
    const text = `.type xdp
      .map ring ringbuf key 0 value 0 entries 4096
      r1 = map[ring] ll
      r2 = 8
      r3 = 0
      call bpf_ringbuf_reserve
      if r0 == 0 goto out
      *(u64 *)(r0 + 0) = 5
      r1 = r0
      r2 = 0
      call bpf_ringbuf_submit
    out:
      r0 = 2
      exit`;
    const extension = observe(assembled(text));
    const input = { packet: packet.tcp() };
    expect(extension.test(input, { maxInstructions: 6 })).toMatchObject({ records: {} });
    const { records } = extension.test(input);
    expect(records).toEqual({ ring: [Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0)] });
    expect(extension.maps.ring!.consume()).toEqual(records.ring![0]);
  });

  it('takes proofs only', () => {
    expect(() => observe({ program: 1 } as never)).toThrow('takes a proof made by verify()');
  });
});

describe('observeFile', () => {
  it('shows the diagnostics of what is refused', async () => {
    await expect(observeFile(path('bad-bounds'))).rejects.toThrow(/error\[packet-out-of-bounds\]/);
    await expect(observeFile(path('firewall'), { programs: ['firewal'] })).rejects.toThrow(
      'did you mean firewall?',
    );
  });
});

/** A reader of tracefiles as strict as their consumers. */
function readLcov(text: string) {
  const records = text.split('end_of_record\n');
  expect(records.pop()).toBe('');
  return records.map((record) => {
    const rows = record
      .trimEnd()
      .split('\n')
      .map((row) => /^([A-Z]+):(.*)$/.exec(row)!);
    const all = (tag: string) =>
      rows.filter(([, name]) => name === tag).map(([, , value]) => value!);
    const number = (tag: string) => Number(all(tag)[0]);
    const lines = all('DA').map((value) => value.split(',').map(Number));
    const functions = new Map(
      all('FNDA').map((value) => [value.split(',')[1]!, Number.parseInt(value, 10)]),
    );
    const branches = all('BRDA').map((value) => value.split(','));
    expect(rows[0]![1]).toBe('TN');
    expect(rows[1]![1]).toBe('SF');
    expect(number('LF')).toBe(lines.length);
    expect(number('LH')).toBe(lines.filter(([, hits]) => hits! > 0).length);
    expect(number('FNF')).toBe(functions.size);
    expect(number('BRF')).toBe(branches.length);
    expect(number('BRH')).toBe(branches.filter(([, , , hits]) => Number(hits) > 0).length);
    expect(new Set(branches.map((each) => each.slice(0, 3).join())).size).toBe(branches.length);
    expect(lines).toEqual([...lines].sort((a, b) => a[0]! - b[0]!));
    expect(new Set(lines.map(([line]) => line)).size).toBe(lines.length);
    return {
      file: all('SF')[0]!,
      lines: new Map(lines as [number, number][]),
      functions,
      branches,
    };
  });
}

describe('coverage', () => {
  const source = readFileSync(join(SAMPLES, 'firewall.bpf.c'), 'utf8').split('\n');
  const lineOf = (text: string) => source.findIndex((line) => line.includes(text)) + 1;

  it('counts lines and branches, and accumulates', async () => {
    const { firewall } = await observeFile(path('firewall'));
    const extension = firewall!;
    const plain = packet.tcp({ src: '10.0.0.9:1' });
    const hitsOf = (coverage: Coverage, text: string) => {
      const file = coverage.files.find((each) => each.file.endsWith('firewall.bpf.c'));
      return file?.lines.find(({ line }) => line === lineOf(text))?.hits;
    };
    expect(hitsOf(extension.coverage, '__be32 source')).toBe(0);
    const first = extension.test({ packet: plain });
    extension.test({ packet: plain });
    extension.test({ packet: packet.arp() });
    expect(hitsOf(first.coverage, '__be32 source')).toBe(1);
    expect(hitsOf(extension.coverage, '__be32 source')).toBe(2);
    expect(hitsOf(extension.coverage, 'if (type == bpf_htons(ETHERTYPE_VLAN))')).toBe(3);
    expect(hitsOf(extension.coverage, 'type = vlan->type')).toBe(0);
    const { totals } = extension.coverage;
    expect(totals.lines.hit).toBeGreaterThan(totals.lines.found / 3);
    expect(totals.lines.hit).toBeLessThan(totals.lines.found);
    expect(totals.functions).toEqual({ found: 1, hit: 1 });
  });

  it('is all there once every way was taken', async () => {
    const { firewall } = await observeFile(path('firewall'));
    const extension = firewall!;
    extension.maps.blocklist!.set(0x0100000a, { packets: 0, bytes: 0 });
    const blocked = packet.tcp({ src: '10.0.0.1:1' });
    const corrupt = blocked.slice();
    corrupt[14] = 0x65;
    for (const bytes of [
      blocked,
      corrupt,
      packet.tcp({ src: '10.0.0.9:1', vlans: [4] }),
      packet.arp(),
      blocked.subarray(0, 20),
      blocked.subarray(0, 10),
      packet.tcp({ vlans: [4] }).subarray(0, 15),
    ])
      extension.run({ packet: bytes });
    const { lines } = extension.coverage.totals;
    expect(lines.hit).toBe(lines.found);
  });

  it('is written as lcov', async () => {
    const { firewall } = await observeFile(path('firewall'));
    firewall!.run({ packet: packet.tcp() });
    const files = readLcov(firewall!.coverage.toLcov({ testName: 'a test' }));
    const main = files.find(({ file }) => file.endsWith('firewall.bpf.c'))!;
    expect(main.functions).toEqual(new Map([['firewall', 1]]));
    expect(main.lines.get(lineOf('__be32 source'))).toBe(1);
    expect(main.branches.some(([, , , hits]) => hits === '-')).toBe(true);
    expect(files.map(({ file }) => file.replace(/^.*\//, ''))).toContain('packet.h');
  });

  it('of several loads of one program is one', async () => {
    const together = new Coverage();
    for (const bytes of [packet.tcp(), packet.arp()]) {
      const { firewall } = await observeFile(path('firewall'));
      firewall!.run({ packet: bytes });
      together.merge(firewall!.coverage);
    }
    const main = readLcov(together.toLcov()).find(({ file }) => file.endsWith('firewall.bpf.c'))!;
    expect(main.functions).toEqual(new Map([['firewall', 2]]));
    expect(main.lines.get(lineOf('if (type == bpf_htons(ETHERTYPE_VLAN))'))).toBe(2);
    expect(new Coverage().toLcov()).toBe('');
  });
});
