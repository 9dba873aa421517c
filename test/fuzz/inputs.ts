/** What generated programs run on: packets and map contents full of corner values, from a seed. */

import { INPUT_BYTES } from '../support/generate-memory.ts';
import { Random } from '../support/random-program.ts';

export interface FuzzInput {
  readonly packet: Uint8Array;
  /** Value of the map called `input`. */
  readonly input: Uint8Array;
  /** For `memory` programs. */
  readonly memory: Uint8Array;
}

const BYTES = [0, 1, 2, 0x7f, 0x80, 0xff];
/** BPF_PROG_TEST_RUN wants at least an Ethernet header. */
const LEAST_PACKET = 14;
const LENGTHS = [14, 15, 18, 20, 34, 42, 60, 61, 64, 100, 270];

function fill(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const mode = random.below(4);
  for (let at = 0; at < length; at++) {
    if (mode === 0) bytes[at] = random.below(256);
    else if (mode === 1) bytes[at] = random.pick(BYTES);
    // Small numbers in 8-byte words: they pass bounds checks.
    else if (mode === 2) bytes[at] = at % 8 === 0 ? random.below(70) : 0;
    else bytes[at] = random.below(3) === 0 ? random.below(256) : 0;
  }
  return bytes;
}

export function makeInputs(seed: number, count: number, memoryBytes = 0): FuzzInput[] {
  const random = new Random(Math.imul(seed, 0x85ebca6b) ^ 0x27d4eb2f);
  return Array.from({ length: count }, () => {
    const packet = fill(random, Math.max(LEAST_PACKET, random.pick(LENGTHS)));
    // An Ethernet type beyond the IEEE 802.3 lengths, none of whose headers anybody parses.
    packet.set([0x88, 0xb5], 12);
    return { packet, input: fill(random, INPUT_BYTES), memory: fill(random, memoryBytes) };
  });
}
