/** programs/samples/expect.json: what each sample must yield, and what its maps hold before. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Capture, readCapture } from '../../../hosts/packet/index.ts';
import type { Program } from '../../../isa/index.ts';
import { readObject } from '../../../programs/object/index.ts';

export const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../../programs/samples');
const FILE = join(FOLDER, 'expect.json');

export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** Entries; or the values of an array from index 0 on, all in one. */
export type Content = readonly Entry[] | string;

export interface Outcome {
  /** How many packets had each result, by the action's name or in decimal. */
  readonly results: Readonly<Record<string, number>>;
  readonly changedPackets: number;
  /** SHA-256 over all packets as they came out, each after its length (32 bits, little-endian). */
  readonly packetsDigest: string;
  /** Maps afterwards; keys in order. */
  readonly maps: Readonly<Record<string, readonly Entry[]>>;
}

export interface AcceptedSample {
  readonly object: string;
  readonly program: string;
  readonly verdict: 'accepted';
  /** By map, before the first packet. */
  readonly initial?: Readonly<Record<string, Content>>;
  /** Over every packet of the capture in turn. */
  readonly outcome: Outcome;
}

export interface RejectedSample {
  readonly object: string;
  readonly program: string;
  readonly verdict: 'rejected';
  /** Of the first diagnostic. */
  readonly code: string;
  /** What Linux prints, in part. */
  readonly linux: string;
}

export interface Expectations {
  readonly capture: string;
  readonly samples: readonly (AcceptedSample | RejectedSample)[];
}

export function readExpectations(): Expectations {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Expectations;
}

export function writeExpectations(expectations: Expectations): void {
  writeFileSync(FILE, `${JSON.stringify(expectations, null, 2)}\n`);
}

export function readSample({ object, program }: AcceptedSample | RejectedSample): Program {
  const found = readObject(readFileSync(join(FOLDER, object)), object).find(
    ({ name }) => name === program,
  );
  if (found === undefined) throw new Error(`${object} has no program ${program}`);
  return found;
}

export function readPackets({ capture }: Expectations): Uint8Array[] {
  const { bytes, offsets, lengths }: Capture = readCapture(
    readFileSync(join(FOLDER, capture)),
    capture,
  );
  return Array.from(offsets, (offset, i) => bytes.subarray(offset, offset + lengths[i]!));
}

/** `content` as entries, values of `valueSize` bytes. */
export function entriesOf(content: Content, valueSize: number): Entry[] {
  if (typeof content !== 'string') return [...content];
  const digits = 2 * valueSize;
  return Array.from({ length: content.length / digits }, (_, index) => ({
    key: Buffer.from(Uint32Array.of(index).buffer).toString('hex'),
    value: content.slice(index * digits, (index + 1) * digits),
  }));
}

export const sortEntries = (entries: readonly Entry[]): Entry[] =>
  [...entries].sort((a, b) => (a.key < b.key ? -1 : 1));

/** The digest of `Outcome.packetsDigest`, fed packet by packet. */
export class PacketsDigest {
  readonly #hash = createHash('sha256');

  add(packet: Uint8Array): void {
    this.#hash.update(new Uint8Array(Uint32Array.of(packet.length).buffer)).update(packet);
  }

  text(): string {
    return this.#hash.digest('hex');
  }
}
