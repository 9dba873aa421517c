/**
 * Programs that call kernel functions and use what comes with them, on both engines and on the running
 * kernel: equal answers, packets and maps.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { kernelRefusal, packet } from '../../hosts/index.ts';
import type { Program } from '../../isa/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { compileSource, installedBuilds, REFERENCE_BUILD } from '../support/corpus.ts';
import { runningBtf } from '../support/corpus-report.ts';
import { compareWithKernel, type KernelRunInput } from '../support/kernel-runs.ts';
import { compareEngines, compareStops } from './engines.ts';

const FOLDER = fileURLToPath(new URL('programs', import.meta.url));
const OUTPUT = fileURLToPath(new URL('../../build/corpus', import.meta.url));

const kernelBtf = runningBtf();
const isReady =
  kernelBtf !== undefined && installedBuilds().some(({ name }) => name === REFERENCE_BUILD.name);

function programsOf(name: string): Program[] {
  const source = { name, path: `${FOLDER}/${name}.bpf.c`, cpu: 3, clang: 19, programs: [] };
  const object = compileSource(source, REFERENCE_BUILD, OUTPUT);
  return readObject(readFileSync(object), name, kernelBtf === undefined ? {} : { kernelBtf });
}

const PACKETS = [
  packet.tcp({ src: '10.0.0.1:1234', dst: '10.0.0.2:80', payload: 'hello hello hello hello' }),
  packet.udp({ src: '[2001:db8::1]:53', dst: '[2001:db8::2]:53', payload: 'x'.repeat(100) }),
];

/** Bytes of a linear congruence (Knuth's MMIX): the same in every run. */
const RANDOM_PACKETS = Array.from({ length: 60 }, (_, seed) => {
  let state = BigInt(seed);
  return Uint8Array.from({ length: 30 + 3 * seed }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 56n);
  });
});

/** What BPF_PROG_TEST_RUN takes for the program's type. */
function inputsFor({ name, type }: Program): KernelRunInput[] {
  if (type === 'syscall') return [{ context: new Uint8Array(16) }, { context: new Uint8Array(16) }];
  if (type === 'raw_tracepoint') return [{ context: new Uint8Array(96) }];
  const packets = name === 'tree_by_packet' ? RANDOM_PACKETS : PACKETS;
  return packets.map((bytes) => ({ packet: bytes }));
}

const options = kernelBtf === undefined ? {} : { kernelBtf };

describe.skipIf(!isReady).each(['functions', 'objects', 'exceptions', 'text'])('%s', (name) => {
  const programs = isReady ? programsOf(name) : [];
  it.each(programs.map((program) => [program.name, program] as const))('%s', (_, program) => {
    const inputs = inputsFor(program);
    expect(compareEngines(program, inputs, options)).toEqual([]);
    expect(compareStops(program, inputs[0]!, options)).toEqual([]);
    if (kernelRefusal() !== undefined) return;
    const { skipped, differences, runs } = compareWithKernel(program, inputs, options);
    expect(skipped).toBeUndefined();
    expect(differences).toEqual([]);
    expect(runs).toBe(inputs.length);
  });
});
