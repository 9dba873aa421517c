/** printf as the kernel offers it to programs, by regular expressions; see loader/native/format.c. */

import type { AddressSpace } from '../../isa/index.ts';
import { EINVAL, ENOSPC } from './maps.ts';

/** MAX_BPRINTF_BIN_ARGS, include/linux/bpf.h: what all arguments may take together. */
const ARGUMENT_BYTES_MAX = 512;
/** FIELD_WIDTH_MAX, lib/vsprintf.c */
const WIDTH_MAX = (1 << 23) - 1;

/** A directive behind its percent sign. What ends a string or plain pointer is looked at, not taken. */
const DIRECTIVE =
  /^(?<flags>[-+ 0]*)(?<width>\d*)(?:(?<text>s|pks|pus)(?![A-Za-z0-9])|p(?<address>[iI][46])|p(?<symbol>[sSB])|p(?<number>[Kx])|(?<plain>p)(?![A-Za-z0-9])|(?<character>c)|(?<longs>l{0,2})(?<integer>[diuxX]))/;

/** How much room for arguments is left; each takes its part. */
class Room {
  #left = ARGUMENT_BYTES_MAX;

  get left(): number {
    return this.#left;
  }
  /** False: it does not suffice. */
  take(sizeBytes: number, alignBytes = 1): boolean {
    const left = this.#left - (this.#left % alignBytes) - sizeBytes;
    if (left < 0) return false;
    this.#left = left;
    return true;
  }
}

/** The whole text, or the error with which the kernel refuses it. */
export function format(
  pattern: string,
  values: readonly bigint[],
  memory: AddressSpace,
): string | bigint {
  if (/[^\x20-\x7e\t-\r]/.test(pattern)) return EINVAL;
  const room = new Room();
  let next = 0;
  let text = '';
  for (let rest = pattern; rest !== ''; ) {
    const plain = /^(?:[^%]|%%)+/.exec(rest)?.[0];
    if (plain !== undefined) {
      text += plain.replaceAll('%%', '%');
      rest = rest.slice(plain.length);
      continue;
    }
    const match = DIRECTIVE.exec(rest.slice(1));
    const value = values[next++];
    if (match === null || value === undefined) return EINVAL;
    const shown = show(match.groups ?? {}, value, memory, room);
    if (shown === undefined) return ENOSPC;
    text += shown;
    rest = rest.slice(1 + match[0].length);
  }
  return text;
}

type Groups = Readonly<Record<string, string | undefined>>;

/** One value in its field; undefined: the arguments take too much. */
function show(groups: Groups, value: bigint, memory: AddressSpace, room: Room): string | undefined {
  const { flags = '', width = '' } = groups;
  const body = bodyOf(groups, value, memory, room);
  if (body === undefined) return undefined;
  if (groups.address !== undefined || groups.symbol === 'B') return body;
  const size = Math.min(Number(width), WIDTH_MAX);
  if (flags.includes('-')) return body.padEnd(size);
  const isNumber = groups.text === undefined && !groups.symbol && !groups.character;
  if (!isNumber || !flags.includes('0')) return body.padStart(size);
  const sign = /^[+\- ]/.exec(body)?.[0] ?? '';
  return sign + body.slice(sign.length).padStart(size - sign.length, '0');
}

function bodyOf(
  groups: Groups,
  value: bigint,
  memory: AddressSpace,
  room: Room,
): string | undefined {
  const { flags = '', longs = '', address, integer } = groups;
  if (groups.text !== undefined) return stringAt(value, memory, room);
  if (groups.character !== undefined)
    return room.take(1) ? String.fromCharCode(Number(value & 0xffn)) : undefined;
  if (address !== undefined) return addressAt(address, value, memory, room);
  if (integer !== undefined)
    return room.take(longs === '' ? 4 : 8, 4)
      ? digits(integer, flags, longs === '' ? 32 : 64, value)
      : undefined;
  if (!room.take(8, 4)) return undefined;
  if (groups.symbol !== undefined) return `0x${value.toString(16)}`;
  return value.toString(16).padStart(groups.width === '' ? 16 : 1, '0');
}

function digits(conversion: string, flags: string, bits: 32 | 64, value: bigint): string {
  if (conversion === 'd' || conversion === 'i') {
    const number = BigInt.asIntN(bits, value);
    const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
    return `${number < 0n ? '' : sign}${number}`;
  }
  const number = BigInt.asUintN(bits, value);
  if (conversion === 'u') return `${number}`;
  return conversion === 'x' ? number.toString(16) : number.toString(16).toUpperCase();
}

/** As much of a string as there is room for; nothing where a part of it cannot be read. */
function stringAt(address: bigint, memory: AddressSpace, room: Room): string | undefined {
  if (room.left === 0) return undefined;
  let text = '';
  while (text.length + 1 < room.left) {
    const byte = memory.load(address + BigInt(text.length), 1);
    if (byte === undefined) text = '';
    if (byte === undefined || byte === 0n) break;
    text += String.fromCharCode(Number(byte));
  }
  room.take(text.length + 1);
  return text;
}

function addressAt(
  kind: string,
  address: bigint,
  memory: AddressSpace,
  room: Room,
): string | undefined {
  const sizeBytes = kind.endsWith('4') ? 4 : 16;
  if (room.left < sizeBytes) return undefined;
  const bytes = [...(memory.view(address, sizeBytes, 'read') ?? new Uint8Array(sizeBytes))];
  const pairs = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const texts: Readonly<Record<string, string>> = {
    I4: bytes.join('.'),
    i4: bytes.map((byte) => `${byte}`.padStart(3, '0')).join('.'),
    I6: (pairs.match(/.{4}/g) ?? []).join(':'),
    i6: pairs,
  };
  const text = texts[kind] ?? '';
  return room.take(text.length + 1) ? text : undefined;
}
