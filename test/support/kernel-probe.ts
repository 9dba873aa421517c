/**
 * Asks the running kernel about single instructions: raw programs to BPF_PROG_LOAD, thousands a
 * second, with nothing in between that could share a mistake with the tables under test.
 */
import { readFileSync } from 'node:fs';
import { addon } from '../../loader/index.ts';

const MAP_CREATE = 0;
const PROGRAM_LOAD = 5;
const MAP_FREEZE = 22;
const ATTRIBUTE_BYTES = 144;
const LOG_BYTES = 1 << 16;
const GPL = Buffer.from('GPL\0');
const PROPRIETARY = Buffer.from('Proprietary\0');
const log = new Uint8Array(LOG_BYTES);

/** The release whose answers the tables state. */
export const RELEASE = '6.18';

export interface Target {
  /** Program type by name and number. */
  readonly type: string;
  readonly id: number;
  readonly attachType?: string;
  readonly attachId?: number;
  readonly sleepable?: boolean;
  readonly btfId?: number;
}

export interface Answer {
  readonly accepted: boolean;
  readonly errno: number;
  readonly log: string;
  /** The last line of the log that says something. */
  readonly reason: string;
}

/** One 8-byte instruction. */
export function slot(code: number, dst = 0, src = 0, off = 0, imm = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(dst | (src << 4), 1);
  bytes.writeInt16LE(off, 2);
  bytes.writeInt32LE(imm | 0, 4);
  return bytes;
}

export const move = (dst: number, imm: number) => slot(0xb7, dst, 0, 0, imm);
export const copy = (dst: number, src: number) => slot(0xbf, dst, src);
export const addTo = (dst: number, imm: number) => slot(0x07, dst, 0, 0, imm);
export const call = (helper: number) => slot(0x85, 0, 0, 0, helper);
export const callKfunc = (btfId: number) => slot(0x85, 0, 2, 0, btfId);
export const EXIT = slot(0x95);
const LOAD = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 } as const;
const STORE = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b } as const;
export type Size = 1 | 2 | 4 | 8;
export const SIZES: readonly Size[] = [1, 2, 4, 8];
export const load = (size: Size, dst: number, src: number, off: number) =>
  slot(LOAD[size], dst, src, off);
export const store = (size: Size, dst: number, src: number, off: number) =>
  slot(STORE[size], dst, src, off);
export const storeZero = (dst: number, off: number) => slot(0x7a, dst, 0, off, 0);
/** Returns 1 unless r`register` is not 0. */
export const unlessNull = (register: number) => [slot(0x55, register, 0, 2, 0), move(0, 1), EXIT];
export const loadMap = (dst: number, descriptor: number) => [
  slot(0x18, dst, 1, 0, descriptor),
  slot(0),
];
/** Address of the only value of an array map. */
export const loadValue = (dst: number, descriptor: number) => [
  slot(0x18, dst, 2, 0, descriptor),
  slot(0),
];

/** Loads the program, closes it again, and says what the kernel said. */
export function ask(
  target: Target,
  code: readonly Buffer[],
  license: 'GPL' | 'none' = 'GPL',
): Answer {
  const bytes = Buffer.concat(code);
  const attribute = Buffer.alloc(ATTRIBUTE_BYTES);
  attribute.writeUInt32LE(target.id, 0);
  attribute.writeUInt32LE(bytes.length / 8, 4);
  attribute.writeUInt32LE(1, 24);
  attribute.writeUInt32LE(LOG_BYTES, 28);
  attribute.writeUInt32LE(target.sleepable ? 1 << 4 : 0, 44);
  attribute.writeUInt32LE(target.attachId ?? 0, 68);
  attribute.writeUInt32LE(target.btfId ?? 0, 108);
  log[0] = 0;
  const descriptor = addon().bpfSyscall(PROGRAM_LOAD, attribute, [
    [8, bytes],
    [16, license === 'GPL' ? GPL : PROPRIETARY],
    [32, log],
  ]);
  if (descriptor >= 0) addon().closeDescriptor(descriptor);
  const text = Buffer.from(log.subarray(0, log.indexOf(0))).toString('latin1');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('processed'));
  return {
    accepted: descriptor >= 0,
    errno: descriptor >= 0 ? 0 : -descriptor,
    log: text,
    reason: lines.at(-1) ?? '',
  };
}

export interface ProbeMap {
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  readonly frozen?: boolean;
}

const made = new Map<number, ProbeMap>();

/** What a map that was made here is. */
export const probeMap = (descriptor: number): ProbeMap | undefined => made.get(descriptor);

/** Descriptor of a new map. Throws when the kernel refuses it. */
export function createProbeMap(map: ProbeMap): number {
  const attribute = Buffer.alloc(ATTRIBUTE_BYTES);
  attribute.writeUInt32LE(map.id, 0);
  attribute.writeUInt32LE(map.keySize, 4);
  attribute.writeUInt32LE(map.valueSize, 8);
  attribute.writeUInt32LE(map.maxEntries, 12);
  attribute.writeUInt32LE(map.flags ?? 0, 16);
  const descriptor = addon().bpfSyscall(MAP_CREATE, attribute, []);
  if (descriptor < 0) throw new Error(`map type ${map.id} is refused with errno ${-descriptor}`);
  made.set(descriptor, map);
  return descriptor;
}

export function freeze(descriptor: number): void {
  const attribute = Buffer.alloc(ATTRIBUTE_BYTES);
  attribute.writeUInt32LE(descriptor, 0);
  addon().bpfSyscall(MAP_FREEZE, attribute, []);
  const map = made.get(descriptor);
  if (map) made.set(descriptor, { ...map, frozen: true });
}

/** Why the kernel cannot be asked here, or undefined. */
export function refusal(): string | undefined {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  if (!release.startsWith(`${RELEASE}.`)) return `the kernel is ${release}, not ${RELEASE}`;
  try {
    const answer = ask({ type: 'socket_filter', id: 1 }, [move(0, 0), EXIT]);
    return answer.accepted ? undefined : `bpf(2) is refused with errno ${answer.errno}`;
  } catch (error) {
    return `the addon is not there: ${(error as Error).message}`;
  }
}
