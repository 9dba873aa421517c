/** The same programs on both engines: equal results, packets, memory, maps and traces. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readObject } from '../../programs/object/index.ts';
import { readConformance } from '../support/conformance.ts';
import { type Engines, loadBoth } from './compiled.ts';

const SAMPLES = fileURLToPath(new URL('../../programs/samples/', import.meta.url));
const ENVIRONMENT = { time: { nanoseconds: 1_000_000, step: 10 }, random: 7, cpu: 1 };

/** Entries in the order of their keys. */
function contents(engine: Engines['native'] | Engines['reference']): unknown {
  return Object.fromEntries(
    Object.values(engine.maps)
      .filter(({ type }) => !['ringbuf', 'queue', 'stack', 'prog_array'].includes(type))
      .map((map) => [
        map.name,
        [...map.entries()]
          .map((pair) => pair.map((b: Uint8Array) => Buffer.from(b).toString('hex')))
          .sort(),
      ]),
  );
}

describe('samples', () => {
  const files = readdirSync(SAMPLES).filter((name) => /^(?!bad-).*\.o$/.test(name));
  it.each(files)('%s behaves the same on both engines', (name) => {
    const packets = capture();
    for (const program of readObject(readFileSync(SAMPLES + name), name)) {
      const engines = loadBoth(program, { environment: ENVIRONMENT });
      expect(engines, program.name).toBeDefined();
      const { native, reference } = engines!;
      for (const packet of packets) {
        const [a, b] = [native.test({ packet }), reference.test({ packet })];
        expect(b.outcome.kind).toBe('exit');
        expect([a.r0, a.packet, a.context, a.trace]).toEqual([b.r0, b.packet, b.context, b.trace]);
      }
      expect(contents(native)).toEqual(contents(reference));
      native.close();
    }
  });
});

/** Frames of the sample capture (classic pcap, little-endian, microseconds), and broken ones. */
function capture(): Uint8Array[] {
  const file = readFileSync(`${SAMPLES}mixed.pcap`);
  const frames: Uint8Array[] = [];
  for (let at = 24; at + 16 <= file.length && frames.length < 200; ) {
    const length = file.readUInt32LE(at + 8);
    frames.push(new Uint8Array(file.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  return [...frames, ...frames.slice(0, 20).map((frame) => frame.slice(0, 33)), new Uint8Array(14)];
}

describe('conformance cases', () => {
  const cases = readConformance();
  it('that are accepted run natively with the results that RFC 9669 demands', () => {
    const wrong: string[] = [];
    let run = 0;
    let refused = 0;
    for (const each of cases) {
      const engines = loadBoth(each.program, {}, { profile: 'memory' });
      if (engines === undefined) {
        refused++;
        continue;
      }
      for (const { memory, result, memoryAfter, line } of each.runs) {
        const given = memory.slice();
        const { r0 } = engines.native.test({ memory: given });
        run++;
        if (r0 !== result || Buffer.compare(given, memoryAfter) !== 0)
          wrong.push(
            `${each.file}:${line} ${each.name}: ${r0.toString(16)} ${Buffer.from(given).toString('hex')}`,
          );
      }
      engines.native.close();
    }
    expect(wrong).toEqual([]);
    expect(run).toBeGreaterThan(300);
    expect(refused).toBeLessThan(cases.length / 50);
  });
});
