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
    ['an IPv4 address with a gap', { dst: '10..0.2:80' }],
    ['two gaps in an IPv6 address', { dst: '[1::2::3]:80' }],
    ['a port above 65535', { dst: '10.0.0.2:65536' }],
    ['a flag that is none', { flags: 'SX' }],
    ['a hop limit of nine bits', { ttl: 256 }],
    ['a VLAN id of 13 bits', { vlans: [4096] }],
    ['a priority of four bits', { vlans: [{ id: 1, priority: 8 }] }],
    ['more than an IPv4 packet can carry', { payload: new Uint8Array(65_536) }],
    ['TCP options of 3 bytes', { options: new Uint8Array(3) }],
    [
      'an extension header of 4 bytes',
      { dst: '[::1]:1', extensions: [{ protocol: 0, bytes: new Uint8Array(4) }] },
    ],
  ])('are refused: %s', (_, options) => {
    expect(() => packet.tcp(options)).toThrow(RangeError);
  });
});

describe('unknown options', () => {
  it('are errors that list what there is', () => {
    const wrong = { dest: '10.0.0.1:80' } as object;
    expect(() => packet.tcp(wrong)).toThrow("there is no option 'dest'; there is srcMac");
    expect(() => packet.udp({ flags: 'S' } as object)).toThrow(TypeError);
    expect(() => packet.tcp({ options: { wscale: 1 } as object })).toThrow('windowScale');
  });
});

describe('addresses', () => {
  it('are what RFC 4291 writes', () => {
    const destination = (dst: string) => hex(packet.udp({ dst }).subarray(38, 54));
    expect(destination('[::]:1')).toBe('0'.repeat(32));
    expect(destination('::1')).toBe(`${'0'.repeat(31)}1`);
    expect(destination('[::ffff:10.1.2.3]:1')).toBe(`${'0'.repeat(20)}ffff0a010203`);
    expect(destination('[1:2:3:4:5:6:7:8]:1')).toBe('00010002000300040005000600070008');
    expect(destination('[fe80::]:1')).toBe(`fe80${'0'.repeat(28)}`);
  });

  it('take the IP version from whichever end is given', () => {
    expect(hex(packet.udp({ src: '[2001:db8::7]:1' }).subarray(12, 14))).toBe('86dd');
  });
});

describe('fragments', () => {
  const payload = Uint8Array.from({ length: 50 }, (_, i) => i);
  const bytesAt = (frames: Uint8Array[], start: number) =>
    frames.flatMap((frame) => [...frame.subarray(start)]);

  it('of IPv4 carry the payload in order', () => {
    const whole = packet.udp({ payload, vlans: [3] });
    const frames = packet.fragments(whole, 24, 77);
    expect(frames.map((frame) => hex(frame.subarray(18 + 4, 18 + 8)))).toEqual([
      '004d2000',
      '004d2003',
      '004d0006',
    ]);
    expect(bytesAt(frames, 18 + 20)).toEqual([...whole.subarray(18 + 20)]);
    expect(packet.fragments(whole, 1024)).toEqual([whole]);
  });

  it('of IPv6 have the header for it', () => {
    const whole = packet.udp({ dst: '[2001:db8::2]:9', payload });
    const frames = packet.fragments(whole, 32);
    expect(frames.map((frame) => hex(frame.subarray(54, 62)))).toEqual([
      '1100000100000001',
      '1100002000000001',
    ]);
    expect(frames.map((frame) => frame[14 + 6])).toEqual([44, 44]);
    expect(bytesAt(frames, 62)).toEqual([...whole.subarray(54)]);
  });

  it('exist of IP alone', () => {
    expect(() => packet.fragments(packet.arp(), 8)).toThrow('only IPv4 and IPv6');
    expect(() => packet.fragments(packet.udp(), 7)).toThrow('a multiple of 8');
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
    'QinQ',
    packet.udp({ vlans: [{ id: 100, kind: 'service', priority: 5 }, 7], payload: 'abc' }),
    ['802.1Q-QinQ (0x88a8)', 'vlan 100, p 5', 'vlan 7', 'sum ok'],
  ],
  [
    'TCP options',
    packet.tcp({
      options: { mss: 1460, windowScale: 7, sackPermitted: true, timestamps: [1, 2] },
    }),
    ['options [mss 1460,sackOK,TS val 1 ecr 2,wscale 7,nop', '(correct)'],
  ],
  ['all TCP flags', packet.tcp({ flags: 'SFRPUEW', urgent: 9 }), ['Flags [FSRPUEW]', '(correct)']],
  [
    'the answer to an ICMP echo',
    packet.icmp({ dst: '10.0.0.9', type: 0, identifier: 5, sequence: 6 }),
    ['ICMP echo reply, id 5, seq 6'],
  ],
  [
    'an ARP reply',
    packet.arp({ src: '10.0.0.1', dst: '10.0.0.2', operation: 'reply' }),
    ['Reply 10.0.0.1 is-at 02:00:00:00:00:01'],
  ],
  [
    'IPv4 in IPv4',
    packet.tunnel({ src: '192.0.2.1', dst: '192.0.2.2' }, packet.tcp({ dst: '10.0.0.2:443' })),
    ['192.0.2.1 > 192.0.2.2', 'proto IPIP', '10.0.0.2.443', '(correct)'],
  ],
  [
    'IPv4 in IPv6',
    packet.tunnel({ dst: '2001:db8::2' }, packet.udp({ payload: 'abc' })),
    ['next-header IPIP (4)', 'udp sum ok'],
  ],
  ['a flow label', packet.udp({ ...SIX, flowLabel: 0xabcde }), ['flowlabel 0xabcde']],
  [
    'padding',
    packet.udp({ payload: 'a', minimumBytes: 60 }),
    ['length 60:', 'udp sum ok', 'UDP, length 1'],
  ],
  [
    'a whole fragment of IPv4',
    packet.fragments(packet.udp({ payload: 'a'.repeat(40) }), 24)[1]!,
    ['offset 24', 'flags [none]'],
  ],
  [
    'a fragment of IPv6',
    packet.fragments(packet.udp({ ...SIX, payload: 'a'.repeat(40) }), 24)[0]!,
    ['frag (0x00000001:0|24)'],
  ],
  ['another protocol', packet.ip({ protocol: 132, payload: new Uint8Array(12) }), ['SCTP']],
  ['another EtherType', packet.ethernet({ type: 0x88cc, payload: 'x' }), ['ethertype LLDP']],
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
