/** Built packets: layout by hand, and what tcpdump, which shares no code with us, says of them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packet, writeCapture } from '../../../hosts/packet/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('layout', () => {
  it('is Ethernet, IPv4 and TCP', () => {
    const frame = packet.tcp({ src: '10.0.0.1:40000', dst: '10.0.0.2:80', flags: 'SA' });
    expect(frame.length).toBe(14 + 20 + 20);
    expect(hex(frame.subarray(0, 14))).toBe('0200000000020200000000010800');
    expect(hex(frame.subarray(14, 20))).toBe('450000280000');
    expect(hex(frame.subarray(26, 38))).toBe('0a0000010a0000029c400050');
    expect(frame[47]).toBe(0x12);
  });

  it('puts VLAN tags outermost first', () => {
    const frame = packet.udp({ vlans: [100, 7], payload: 'x' });
    expect(hex(frame.subarray(12, 24))).toBe('8100006481000007' + '08004500');
  });

  it('chains IPv6 extension headers', () => {
    const option = { protocol: 0, bytes: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) };
    const fragment = { protocol: 44, bytes: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 9) };
    const frame = packet.udp({ dst: '[2001:db8::2]:53', extensions: [option, fragment] });
    expect([frame[14 + 6], frame[54], frame[62]]).toEqual([0, 44, 17]);
    expect((frame[18]! << 8) | frame[19]!).toBe(frame.length - 54);
  });

  it('changes nothing that it was given', () => {
    const bytes = Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0);
    packet.udp({ dst: '[::1]:53', extensions: [{ protocol: 0, bytes }] });
    expect([...bytes]).toEqual([0, 0, 1, 4, 0, 0, 0, 0]);
  });
});

describe('bad options', () => {
  it.each([
    ['an endpoint that is none', { dst: 'example.org:80' }],
    ['a byte above 255', { dst: '10.0.0.256:80' }],
    ['three bytes', { dst: '10.0.1:80' }],
    ['an IPv6 address of seven words', { dst: '[1:2:3:4:5:6:7]:80' }],
    ['two IP versions', { src: '10.0.0.1:1', dst: '[::1]:80' }],
    ['a MAC address of five bytes', { srcMac: '02:00:00:00:01' }],
    ['options of three bytes', { ipOptions: new Uint8Array(3) }],
    ['options of 44 bytes', { ipOptions: new Uint8Array(44) }],
  ])('are refused: %s', (_, options) => {
    expect(() => packet.tcp(options)).toThrow(RangeError);
  });
});

const found = spawnSync('tcpdump', ['--version']).status === 0;
if (!found) console.log('packets are not compared with tcpdump: it is not installed');

const SIX = { src: '[2001:db8::1]:5000', dst: '[2001:db8::2]:443' };
const hopByHop = { protocol: 0, bytes: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) };
/** Each with what tcpdump must say of it. */
const CASES: readonly [string, Uint8Array, readonly string[]][] = [
  [
    'TCP with a payload of odd length',
    packet.tcp({ src: '10.0.0.1:5000', dst: '10.0.0.2:443', flags: 'PA', payload: 'hello' }),
    ['10.0.0.1.5000 > 10.0.0.2.443: Flags [P.], cksum', '(correct)', 'length 5'],
  ],
  [
    'TCP with numbers',
    packet.tcp({ sequence: 77, acknowledgement: 88, window: 999, flags: 'A', ttl: 3, tos: 0xb8 }),
    ['tos 0xb8', 'ttl 3', 'seq 77', 'ack 88', 'win 999', '(correct)'],
  ],
  [
    'IPv4 options',
    packet.tcp({ ipOptions: Uint8Array.of(0x94, 4, 0, 0) }),
    ['options (RA)', '(correct)'],
  ],
  ['UDP', packet.udp({ dst: '10.9.8.7:4000', payload: 'abc' }), ['udp sum ok', 'UDP, length 3']],
  ['ICMP', packet.icmp({ dst: '10.0.0.9', payload: 'abcd' }), ['ICMP echo request', 'length 12']],
  [
    'ARP',
    packet.arp({ src: '10.0.0.1', dst: '10.0.0.2' }),
    ['Request who-has 10.0.0.2 tell 10.0.0.1'],
  ],
  ['VLAN tags', packet.udp({ vlans: [100, 7], payload: 'abc' }), ['vlan 100', 'vlan 7', 'sum ok']],
  [
    'TCP over IPv6',
    packet.tcp({ ...SIX, payload: 'hello!' }),
    ['2001:db8::1.5000 > 2001:db8::2.443', '(correct)', 'length 6'],
  ],
  ['UDP over IPv6', packet.udp({ ...SIX, payload: 'odd' }), ['udp sum ok']],
  ['ICMPv6', packet.icmp({ ...SIX, payload: 'ping' }), ['[icmp6 sum ok]', 'echo request']],
  [
    'extension headers',
    packet.udp({ ...SIX, extensions: [hopByHop] }),
    ['HBH (padn)', '[udp sum ok]'],
  ],
  [
    'a first fragment',
    packet.udp({ fragment: 0x2000, id: 5, payload: 'abcdefgh' }),
    ['id 5', 'flags [+]'],
  ],
];

describe.skipIf(!found)('tcpdump', () => {
  it.each(CASES)('reads %s', (_, frame, phrases) => {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
    try {
      const file = join(folder, 'packet.pcap');
      writeFileSync(file, writeCapture([{ bytes: frame }]));
      const { stdout } = spawnSync('tcpdump', ['-nnvve', '-r', file], { encoding: 'utf8' });
      for (const phrase of phrases) expect(stdout).toContain(phrase);
      expect(stdout).not.toMatch(/bad|incorrect|invalid|truncated|wrong/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
