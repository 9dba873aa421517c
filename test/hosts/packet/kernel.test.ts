/**
 * Built packets, judged by the kernel: a datagram reaches a socket only where lengths and checksums of
 * all its headers are right. In a network namespace of its own.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packet } from '../../../hosts/packet/index.ts';

const FOUR = { src: '10.0.0.1:5000', dst: '10.0.0.2:4000' };
const SIX = { src: '[2001:db8::1]:5000', dst: '[2001:db8::2]:4000' };
const LONG = 'long '.repeat(300);
const hopByHop = { protocol: 0, bytes: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) };

/** What is sent, and what must arrive; null: nothing. */
const CASES: readonly [name: string, frames: readonly Uint8Array[], payload: string | null][] = [
  ['UDP', [packet.udp({ ...FOUR, payload: 'four' })], 'four'],
  ['UDP over IPv6', [packet.udp({ ...SIX, payload: 'sixth' })], 'sixth'],
  ['a wrong checksum', [packet.udp({ ...FOUR, payload: 'x', checksum: 0xdead })], null],
  ['a wrong checksum over IPv6', [packet.udp({ ...SIX, payload: 'x', checksum: 0xdead })], null],
  ['padding', [packet.udp({ ...FOUR, payload: 'p', minimumBytes: 60 })], 'p'],
  [
    'IPv4 options',
    [packet.udp({ ...FOUR, payload: 'o', ipOptions: Uint8Array.of(1, 1, 1, 0) })],
    'o',
  ],
  ['extension headers', [packet.udp({ ...SIX, payload: 'e', extensions: [hopByHop] })], 'e'],
  ['fragments', packet.fragments(packet.udp({ ...FOUR, payload: LONG }), 400, 7), LONG],
  ['fragments of IPv6', packet.fragments(packet.udp({ ...SIX, payload: LONG }), 400, 7), LONG],
];

const namespace = (...words: readonly string[]) =>
  spawnSync('unshare', ['--net', ...words], {
    encoding: 'utf8',
    input: CASES.map(([, frames]) =>
      frames.map((f) => Buffer.from(f).toString('hex')).join(' '),
    ).join('\n'),
  });

const usable = ['python3', 'ip'].every(
  (tool) => namespace('sh', '-c', `command -v ${tool}`).status === 0,
);
if (!usable)
  console.log('packets are not sent to the kernel: it takes unshare, ip and python3, as root');

it.skipIf(!usable)('the kernel takes what is right, and nothing else', () => {
  const { stdout, stderr } = namespace('python3', join(import.meta.dirname, 'kernel-receiver.py'));
  expect(stderr).toBe('');
  const arrived = stdout
    .trim()
    .split('\n')
    .map((line) => (line === 'nothing' ? null : Buffer.from(line, 'hex').toString()));
  expect(CASES.map(([name], i) => [name, arrived[i]])).toEqual(
    CASES.map(([name, , payload]) => [name, payload]),
  );
});
