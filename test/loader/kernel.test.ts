/**
 * Our runs against those of the running kernel: context fields, helpers, compiled programs. What may
 * differ, and why, is in docs/test-run.md.
 */
import { describe, expect, it } from 'vitest';
import { kernelRefusal, packet } from '../../hosts/index.ts';
import {
  fieldCases,
  type KernelCase,
  LINK_CASES,
  READING_CASES,
  SKB_TYPES,
  WRITING_CASES,
  XDP_CASES,
} from '../support/kernel-cases.ts';
import { compareWithKernel, type KernelRunInput } from '../support/kernel-runs.ts';

const refusal = kernelRefusal();
if (refusal !== undefined) console.log(`runs are not compared with the kernel: ${refusal}`);

const PACKETS = [
  packet.tcp({ src: '10.0.0.1:1234', dst: '10.0.0.2:80', payload: 'hello hello hello hello' }),
  packet.udp({ src: '[2001:db8::1]:53', dst: '[2001:db8::2]:53', payload: 'x'.repeat(100) }),
  packet.arp({}),
  new Uint8Array(14),
  new Uint8Array(60).fill(1),
  packet.tcp({ dstMac: 'ff:ff:ff:ff:ff:ff', vlans: [5], dst: '10.0.0.2:80' }),
  packet.tcp({ vlans: [5, 6], dst: '10.0.0.2:80' }),
  packet.udp({ src: '1.2.3.4:5', dst: '4.3.2.1:6', tos: 2, payload: 'y'.repeat(1400) }),
];
const INPUTS: readonly KernelRunInput[] = PACKETS.map((bytes) => ({ packet: bytes }));

function context(sizeBytes: number, words: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of Object.entries(words)) view.setUint32(Number(offset), value, true);
  return bytes;
}

/** Offsets of fields that the kernel lets the caller of a test run set. */
const SKB_CONTEXTS = [
  context(192, { 8: 7, 32: 9, 36: 1, 48: 1, 52: 2, 64: 6 }),
  context(192, { 40: 1, 152: 5, 160: 1500, 164: 3, 176: 9, 184: 77 }),
];
const withContexts = (contexts: readonly Uint8Array[]): KernelRunInput[] =>
  contexts.flatMap((bytes) => PACKETS.map((each) => ({ packet: each, context: bytes })));

function compareAll(cases: readonly KernelCase[], inputs: readonly KernelRunInput[]) {
  const wrong: string[] = [];
  let runs = 0;
  for (const { name, program } of cases) {
    const result = compareWithKernel(program, inputs);
    runs += result.runs;
    if (result.skipped !== undefined) wrong.push(`${name}: ${result.skipped}`);
    wrong.push(...result.differences.map((difference) => `${name}, ${difference}`));
  }
  return { wrong, runs };
}

describe.skipIf(refusal !== undefined)('as under BPF_PROG_TEST_RUN', () => {
  it.each(SKB_TYPES)('every context field of %s', (type) => {
    const inputs = [...INPUTS, ...withContexts(SKB_CONTEXTS)];
    const { wrong, runs } = compareAll(fieldCases(type), inputs);
    expect(wrong).toEqual([]);
    expect(runs).toBeGreaterThan(300);
  });

  it('every context field of xdp, with metadata too', () => {
    const contexts = PACKETS.map((bytes) => ({
      packet: bytes,
      context: context(24, { 0: 8, 4: bytes.length, 12: 1 }),
    }));
    const { wrong } = compareAll(fieldCases('xdp'), [...INPUTS, ...contexts]);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['that read socket buffers', READING_CASES],
    ['that write and resize socket buffers', WRITING_CASES],
    ['that insert and remove headers', LINK_CASES],
    ['of xdp', XDP_CASES],
  ])('helpers %s', (_, cases) => {
    const { wrong, runs } = compareAll(cases, INPUTS);
    expect(wrong).toEqual([]);
    expect(runs).toBeGreaterThan(cases.length);
  });
});
