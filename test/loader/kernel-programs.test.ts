/** Compiled programs of the corpus, on the running kernel and on ours, over the packets of a capture. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { kernelRefusal, readCapture } from '../../hosts/index.ts';
import type { Program } from '../../isa/index.ts';
import { readObject } from '../../programs/object/index.ts';
import {
  compileSource,
  corpusSources,
  installedBuilds,
  REFERENCE_BUILD,
} from '../support/corpus.ts';
import { compareWithKernel } from '../support/kernel-runs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Those that BPF_PROG_TEST_RUN runs on a packet. */
const TYPES: ReadonlySet<string> = new Set([
  'xdp',
  'sched_cls',
  'sched_act',
  'socket_filter',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'flow_dissector',
]);
/** One adds the address of a map to a counter; the other runs until the kernel's patience ends. */
const INCOMPARABLE: ReadonlySet<string> = new Set(['add_address', 'may_go_forever']);
const PACKETS = 40;

const compiler = installedBuilds().some(({ name }) => name === REFERENCE_BUILD.name);
const refusal =
  kernelRefusal() ?? (compiler ? undefined : `there is no clang-${REFERENCE_BUILD.clang}`);
if (refusal !== undefined) console.log(`compiled programs are not compared: ${refusal}`);

function capture(): { packet: Uint8Array }[] {
  const path = join(ROOT, 'programs/samples/mixed.pcap');
  const { bytes, offsets, lengths } = readCapture(readFileSync(path), path);
  const packets = Array.from(offsets, (at, i) => bytes.slice(at, at + lengths[i]!));
  return packets.slice(0, PACKETS).map((packet) => ({ packet }));
}

function acceptedPrograms(): Program[] {
  return corpusSources(join(ROOT, 'test/corpus')).flatMap((source) => {
    const object = compileSource(source, REFERENCE_BUILD, join(ROOT, 'build/corpus'));
    const accepted = source.programs.filter(({ expected }) => expected === 'accepted');
    const names = new Set(accepted.map(({ name }) => name));
    return readObject(readFileSync(object), source.name).filter(
      ({ name, type }) => names.has(name) && TYPES.has(type) && !INCOMPARABLE.has(name),
    );
  });
}

it.skipIf(refusal !== undefined)('compiled programs run as on the kernel', () => {
  const packets = capture();
  const differences: string[] = [];
  let compared = 0;
  for (const program of acceptedPrograms()) {
    const result = compareWithKernel(program, packets);
    if (result.skipped === undefined) compared++;
    differences.push(...result.differences.map((each) => `${program.name}, ${each}`));
  }
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThanOrEqual(90);
});
