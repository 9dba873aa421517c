/** Helpers on text: formatting, the trace, comparison, numbers. */

import { format } from '../format.ts';
import { EINVAL } from '../maps.ts';
import { parseNumber } from '../text.ts';
import type { Call, HelperFunction } from './call.ts';

function words(bytes: Uint8Array): bigint[] | undefined {
  if (bytes.length % 8 !== 0 || bytes.length > 96) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
}

/** The text of a format up to its NUL, with the values in their places; or an error. */
function formatted(
  call: Call,
  pattern: Uint8Array,
  values: readonly bigint[] | undefined,
): string | bigint {
  const end = pattern.indexOf(0);
  if (end < 0 || values === undefined) return EINVAL;
  const text = Buffer.from(pattern.subarray(0, end)).toString('latin1');
  return format(text, values, call.machine.memory);
}

function trace(call: Call, values: readonly bigint[] | undefined): bigint {
  const line = formatted(call, call.bytes(1, call.u32(2)), values);
  if (typeof line === 'bigint') return line;
  const shown = line.slice(0, 1023);
  call.run.trace += shown.endsWith('\n') ? shown : `${shown}\n`;
  return BigInt(line.length);
}

function snprintf(call: Call): bigint {
  const out = call.bytes(1, call.u32(2), 'read-write');
  const pattern = Buffer.from(`${call.text(3, 4096)}\0`, 'latin1');
  const line = formatted(call, pattern, words(call.bytes(4, call.u32(5))));
  if (typeof line === 'bigint') return line;
  const shown = line.slice(0, Math.max(0, out.length - 1));
  if (out.length > 0) out.set([...Buffer.from(shown, 'latin1'), 0]);
  return BigInt(line.length + 1);
}

function compareText(call: Call): bigint {
  const first = call.bytes(1, call.u32(2));
  for (let i = 0; i < first.length; i++) {
    const other = call.machine.memory.load(call.u64(3) + BigInt(i), 1);
    if (other === undefined) throw call.machine.fault('access', 'string', call.u64(3));
    if (first[i] !== Number(other)) return first[i]! < Number(other) ? -1n : 1n;
    if (other === 0n) return 0n;
  }
  return 0n;
}

function convertNumber(call: Call, signed: 'signed' | 'unsigned'): bigint {
  const text = Buffer.from(call.bytes(1, Number(call.u64(2)))).toString('latin1');
  const { used, magnitude, negative } = parseNumber(text, call.u64(3));
  const out = call.bytes(4, 8, 'read-write');
  const most = signed === 'signed' ? (1n << 63n) - (negative ? 0n : 1n) : (1n << 64n) - 1n;
  let result = used;
  if (used >= 0n && signed === 'unsigned' && negative) result = EINVAL;
  else if (used >= 0n && magnitude > most) result = -34n;
  const value = result < 0n ? 0n : negative ? -magnitude : magnitude;
  new DataView(out.buffer, out.byteOffset, 8).setBigUint64(0, BigInt.asUintN(64, value), true);
  return result;
}

export const TEXT: Readonly<Record<number, HelperFunction>> = {
  6: (call) => trace(call, [call.variadic(3), call.variadic(4), call.variadic(5)]),
  105: (call) => convertNumber(call, 'signed'),
  106: (call) => convertNumber(call, 'unsigned'),
  165: snprintf,
  177: (call) => trace(call, words(call.bytes(3, call.u32(4)))),
  182: compareText,
};
