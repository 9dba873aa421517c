/**
 * Writes programs/samples/mixed.pcap: a capture with a realistic mix of traffic, the same bytes
 * every time (a seeded generator decides everything).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.js';

await setUp();
const { packet, writeCapture } = await import(
  pathToFileURL(join(root, 'dist/hosts/packet/index.js')).href
);

const PACKETS = 4000;
const START = 1_767_225_600_000_000_000n; // 2026-01-01T00:00:00Z

/** xorshift32: small, seeded, good enough to choose packets. */
let state = 0x5eed_1234;
function random(bound) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % bound;
}
const pick = (list) => list[random(list.length)];

const CLIENTS = Array.from({ length: 48 }, (_, i) => `192.168.${1 + (i % 3)}.${10 + i}`);
/** Sources that the firewall's tour blocks. */
const ATTACKERS = ['203.0.113.7', '203.0.113.66', '198.51.100.23'];
const SERVERS = ['10.0.0.80', '10.0.0.81', '10.0.0.82'];
const CLIENTS6 = Array.from({ length: 16 }, (_, i) => `2001:db8:1::${(16 + i).toString(16)}`);
const SERVER6 = '2001:db8:2::80';
const TCP_PORTS = [443, 443, 443, 443, 80, 80, 22, 25, 5432, 8080];

const noise = (bytes) => Uint8Array.from({ length: bytes }, () => random(256));
const clientPort = () => 32768 + random(28000);
const lengths = [0, 0, 0, 12, 40, 120, 120, 300, 512, 1200];

function tcp(source, options = {}) {
  const flags = pick(['S', 'SA', 'A', 'A', 'PA', 'PA', 'PA', 'FA', 'R']);
  const payload = flags.includes('P') ? noise(pick(lengths)) : undefined;
  return packet.tcp({
    src: `${source}:${clientPort()}`,
    dst: `${pick(SERVERS)}:${pick(TCP_PORTS)}`,
    flags,
    sequence: random(2 ** 31),
    acknowledgement: random(2 ** 31),
    id: random(65536),
    ttl: 40 + random(24),
    ...(payload ? { payload } : {}),
    ...options,
  });
}

function dns(response) {
  const client = `${pick(CLIENTS)}:${clientPort()}`;
  const server = '10.0.0.53:53';
  const header = Uint8Array.of(
    random(256),
    random(256),
    response ? 0x81 : 0x01,
    0x00,
    0,
    1,
    0,
    response,
    0,
    0,
    0,
    0,
  );
  const question = new TextEncoder().encode('\x03www\x07example\x03org\x00\x00\x01\x00\x01');
  const payload = new Uint8Array([...header, ...question]);
  return packet.udp(
    response ? { src: server, dst: client, payload } : { src: client, dst: server, payload },
  );
}

function six() {
  const src = `[${pick(CLIENTS6)}]:${clientPort()}`;
  const dst = `[${SERVER6}]:${pick([443, 53, 80])}`;
  const option = { protocol: 0, bytes: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) };
  const fragment = { protocol: 44, bytes: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 9) };
  const padding = { protocol: 60, bytes: new Uint8Array(24) };
  padding.bytes.set([0, 2, 1, 20]);
  const extensions = pick([
    [],
    [],
    [],
    [],
    [option],
    [option, fragment],
    [padding],
    [option, padding, fragment],
    Array.from({ length: 7 }, () => ({
      protocol: 60,
      bytes: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0),
    })),
  ]);
  const common = { src, dst, extensions, payload: noise(pick(lengths)) };
  return pick([
    () => packet.tcp({ ...common, flags: 'PA' }),
    () => packet.udp(common),
    () => packet.icmp(common),
  ])();
}

/** Kinds of traffic with their share of a thousand. */
const MIX = [
  [520, () => tcp(pick(CLIENTS))],
  [90, () => tcp(pick(ATTACKERS), { flags: 'S' })],
  [60, () => dns(0)],
  [55, () => dns(1)],
  [110, six],
  [30, () => packet.icmp({ src: pick(CLIENTS), dst: pick(SERVERS), payload: noise(56) })],
  [25, () => packet.arp({ src: pick(CLIENTS), dst: '192.168.1.1' })],
  [40, () => tcp(pick(CLIENTS), { vlans: [100 + random(4)] })],
  [10, () => tcp(pick(CLIENTS), { vlans: [100, 200 + random(4)] })],
  [20, () => tcp(pick(CLIENTS), { fragment: pick([0x2000, 0x00b9, 0x20b9]) })],
  [20, () => tcp(pick(CLIENTS), { ipOptions: Uint8Array.of(0x94, 4, 0, 0, 1, 1, 1, 0) })],
];

function choose() {
  let at = random(MIX.reduce((sum, [share]) => sum + share, 0));
  for (const [share, make] of MIX) {
    if (at < share) return make();
    at -= share;
  }
  throw new Error('the shares do not add up');
}

const packets = [];
for (let i = 0; i < PACKETS; i++) {
  const whole = choose();
  // One in fifty was cut by the capture, some inside a header.
  const cut =
    random(50) === 0
      ? Math.max(14, Math.min(whole.length, pick([14, 16, 20, 30, 36, 60])))
      : whole.length;
  packets.push({
    bytes: whole.subarray(0, cut),
    originalLength: whole.length,
    timestamp: START + BigInt(i) * 250_000n + BigInt(random(200_000)),
  });
}
const bytes = writeCapture(packets);
writeFileSync(join(root, 'programs/samples/mixed.pcap'), bytes);
console.log(`mixed.pcap: ${packets.length} packets, ${bytes.length} bytes`);
