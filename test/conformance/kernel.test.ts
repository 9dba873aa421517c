/**
 * The conformance cases on the running kernel, so that the expectations are checked by an
 * implementation that is not ours. Each case becomes the subprogram of a tc classifier whose packet
 * is 8 bytes for the result and then the case's memory. Atomics are not allowed on packets: those
 * cases work on a copy on the stack.
 */

import { describe, expect, test } from 'vitest';
import { kernelRefusal, loadIntoKernel } from '../../hosts/kernel/index.ts';
import { assemble, encode, type Program } from '../../isa/index.ts';
import {
  type ConformanceCase,
  type ConformanceRun,
  readConformance,
} from '../support/conformance.ts';

const reason = kernelRefusal();
if (reason) console.log(`skipped: ${reason}`);

const RESULT_BYTES = 8;
/** BPF_PROG_TEST_RUN wants an Ethernet header; the rest is a multiple of a word. */
const MIN_PACKET_BYTES = 24;
const packetSize = (memory: number): number =>
  Math.max(MIN_PACKET_BYTES, RESULT_BYTES + Math.ceil(memory / 8) * 8);

/** Offsets of data and data_end in struct __sk_buff. */
const ENTRY = `
  r7 = *(u32 *)(r1 + 76)
  r8 = *(u32 *)(r1 + 80)
  r0 = 0
  r2 = r7
  r2 += SIZE
  if r2 > r8 goto end
  BEFORE
  r2 = MEMORY
  call body
  *(u64 *)(r7 + 0) = r0
  AFTER
  r0 = 0
end:
  exit
body:`;

function wrapped({ name, program, group }: ConformanceCase): Program {
  const memory = program.contextSize!;
  const words = Array.from({ length: Math.ceil(memory / 8) }, (_, word) => word * 8);
  const copies = group.startsWith('atomic') || group === 'linux';
  const before = words.map(
    (at) => `r2 = *(u64 *)(r7 + ${at + 8})\n*(u64 *)(r10 - ${64 - at}) = r2`,
  );
  const after = words.map((at) => `r2 = *(u64 *)(r10 - ${64 - at})\n*(u64 *)(r7 + ${at + 8}) = r2`);
  const onStack = `${before.join('\n')}\nr1 = r10\nr1 += -64`;
  const entry = ENTRY.replace('SIZE', `${packetSize(memory)}`)
    .replace('MEMORY', `${memory}`)
    .replace('BEFORE', copies ? onStack : `r1 = r7\nr1 += ${RESULT_BYTES}`)
    .replace('AFTER', copies ? after.join('\n') : '');
  // The `call body` needs the label's slot only, so a placeholder stands for the body.
  const prologue = encode(assemble(`${entry} exit`).instructions).slice(0, -8);
  const code = new Uint8Array([...prologue, ...program.code]);
  const { contextSize: _, ...rest } = program;
  return { ...rest, name: name.replace(/\W/g, '_').slice(0, 15), type: 'sched_cls', code };
}

function packetOf(run: ConformanceRun): Uint8Array {
  const packet = new Uint8Array(packetSize(run.memory.length));
  packet.set(run.memory, RESULT_BYTES);
  return packet;
}

/**
 * What Linux refuses on purpose, by its words; the last because an index, even a masked one, proves
 * nothing about where a packet ends.
 */
const REFUSALS =
  /invalid shift|div by zero|unknown opcode 8d|the call stack of 9 frames|outside of the packet/;
/** Linux bounds may_goto by time. */
const TIMED = 'may_goto ends a loop after 8388608 rounds';

interface Tally {
  accepted: number;
  refused: number;
}

function compare(one: ConformanceCase, tally: Tally): void {
  const verdict = loadIntoKernel(wrapped(one), { logLevel: 1 });
  const place = `${one.file}: ${one.name}`;
  if (!verdict.accepted) {
    expect(verdict.log, place).toMatch(REFUSALS);
    tally.refused++;
    return;
  }
  tally.accepted++;
  try {
    for (const run of one.runs) {
      const { packet } = verdict.program.testRun({ packet: packetOf(run) });
      const expected = packetOf({ ...run, memory: run.memoryAfter });
      new DataView(expected.buffer).setBigUint64(0, run.result, true);
      if (Buffer.compare(packet, expected) !== 0) {
        const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
        expect(hex(packet), `${place}, line ${run.line}`).toBe(hex(expected));
      }
    }
  } finally {
    verdict.program.close();
  }
}

describe.skipIf(reason)('the running kernel agrees', () => {
  const cases = readConformance().filter((one) => one.name !== TIMED);
  test.each([...new Set(cases.map((one) => one.file))])('%s', { timeout: 60_000 }, (file) => {
    const tally = { accepted: 0, refused: 0 };
    for (const one of cases.filter((candidate) => candidate.file === file)) compare(one, tally);
    console.log(`${file}: ${tally.accepted} programs run, ${tally.refused} refused by the kernel`);
    expect(tally.accepted).toBeGreaterThan(tally.refused * 5);
  });
});
