/** The packet of each benchmark program: one on which it does its full work, the same every time. */
import { packet } from '../hosts/index.ts';

/** xorshift32, seeded: bytes without a pattern that a compiler or predictor could know. */
function noise(length: number): Uint8Array {
  let state = 0x2545_f491;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

const NOISE = noise(1024);
const QINQ = 0x88a8;
const extension = (protocol: number, bytes: number) => ({
  protocol,
  bytes: Uint8Array.from({ length: bytes }, (_, i) => (i === 1 ? bytes / 8 - 1 : 0)),
});

function taggedIpv6(): Uint8Array {
  const frame = packet.tcp({
    dst: '[2001:db8::2]:443',
    vlans: [100, 7],
    extensions: [extension(0, 8), extension(60, 24), extension(43, 24), extension(60, 8)],
    payload: noise(64),
  });
  frame.set([QINQ >> 8, QINQ & 0xff], 12);
  return frame;
}

const PACKETS: Readonly<Record<string, Uint8Array>> = {
  filter: packet.tcp({ src: '10.1.2.3:40000', dst: '10.0.0.2:443', payload: noise(400) }),
  mix: packet.tcp({ src: '10.1.2.3:40000', dst: '10.0.0.2:443', payload: noise(400) }),
  parser: taggedIpv6(),
};

export function packetFor(name: string): Uint8Array {
  return PACKETS[name] ?? NOISE;
}
