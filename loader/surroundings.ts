/**
 * What lies around a run, as far as the host tells: routes for `bpf_fib_lookup`, sockets for the
 * look-ups, memory that may be read by number, a stack. Addresses are written as people write them.
 */

import { endpoint, macBytes } from '../platform/index.ts';

export interface Route {
  /** A network like `10.0.0.0/8` or `2001:db8::/32`; of several, the longest prefix counts. */
  readonly to: string;
  readonly ifindex: number;
  readonly gateway?: string;
  readonly sourceMac?: string;
  /** Of the neighbour; without it the look-up answers that there is none. */
  readonly destinationMac?: string;
  /** Bytes; the answer to a longer packet is that it would have to be cut. */
  readonly mtu?: number;
  /** Packets are refused instead, in one of these ways. */
  readonly refuses?: 'blackhole' | 'unreachable' | 'prohibit';
}

export interface HostSocket {
  readonly protocol: 'tcp' | 'udp';
  /** `10.0.0.1:443` or `[2001:db8::1]:443`; an address of zeroes: any. */
  readonly local: string;
  /** Of a connected socket; without it the socket listens. */
  readonly remote?: string;
  readonly mark?: number;
  readonly priority?: number;
  readonly ifindex?: number;
  /** As `struct bpf_sock.state` has it; default: established (1) or listening (10). */
  readonly state?: number;
}

/** Bytes that the program may read at an address that is a mere number to it. */
export interface GrantedMemory {
  readonly address: number | bigint;
  readonly bytes: Uint8Array;
}

export interface Surroundings {
  readonly routes?: readonly Route[];
  readonly sockets?: readonly HostSocket[];
  readonly memory?: readonly GrantedMemory[];
  /** Return addresses, the innermost first: what `bpf_get_stack` and `bpf_get_stackid` see. */
  readonly stack?: readonly (number | bigint)[];
}

/** Layouts of loader/native/surroundings.h. */
const HEADER_BYTES = 16;
export const ROUTE_BYTES = 56;
export const SOCKET_BYTES = 80;
const REGION_BYTES = 16;
const STACK_ENTRY_BYTES = 8;
/** AF_INET and AF_INET6. */
const FAMILIES = { 4: 2, 16: 10 } as const;
/** BPF_FIB_LKUP_RET_*, uapi/linux/bpf.h. */
const OUTCOMES = { blackhole: 1, unreachable: 2, prohibit: 3 } as const;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
/** SOCK_STREAM and SOCK_DGRAM. */
const TYPES = { tcp: 1, udp: 2 } as const;
/** TCP_ESTABLISHED and TCP_LISTEN, include/net/tcp_states.h. */
const ESTABLISHED = 1;
const LISTEN = 10;

const familyOf = ({ length }: Uint8Array) => FAMILIES[length as 4 | 16];

/** One route as `struct rf_route`. Throws RangeError on what is no network or address. */
export function encodeRoute(route: Route): Uint8Array {
  const [network = '', digits = '', more] = route.to.split('/');
  const { address } = endpoint(network);
  const bits = digits === '' ? address.length * 8 : Number(digits);
  if (!Number.isInteger(bits) || bits < 0 || bits > address.length * 8 || more !== undefined)
    throw new RangeError(`'${route.to}' is not a network like 10.0.0.0/8 or 2001:db8::/32`);
  const bytes = new Uint8Array(ROUTE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(address, 0);
  if (route.gateway !== undefined) {
    const gateway = endpoint(route.gateway).address;
    if (gateway.length !== address.length)
      throw new RangeError(`route to ${route.to}: ${route.gateway} is of another family`);
    bytes.set(gateway, 16);
  }
  bytes.set(macBytes(route.sourceMac ?? '0:0:0:0:0:0'), 32);
  bytes.set(macBytes(route.destinationMac ?? '0:0:0:0:0:0'), 38);
  view.setUint32(44, route.ifindex, true);
  view.setUint32(48, route.mtu ?? 0, true);
  const outcome = route.refuses === undefined ? 0 : OUTCOMES[route.refuses];
  bytes.set([familyOf(address), bits, route.gateway === undefined ? 0 : 1, outcome], 52);
  return bytes;
}

/** One socket as `struct bpf_sock`. Throws RangeError on what is no endpoint. */
export function encodeSocket(socket: HostSocket): Uint8Array {
  const local = endpoint(socket.local);
  const remote = socket.remote === undefined ? undefined : endpoint(socket.remote);
  if (remote !== undefined && remote.address.length !== local.address.length)
    throw new RangeError(`socket ${socket.local}: ${socket.remote} is of another family`);
  const bytes = new Uint8Array(SOCKET_BYTES);
  const view = new DataView(bytes.buffer);
  const words = [
    socket.ifindex ?? 0,
    familyOf(local.address),
    TYPES[socket.protocol],
    PROTOCOLS[socket.protocol],
    socket.mark ?? 0,
    socket.priority ?? 0,
  ];
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
  const isIpv4 = local.address.length === 4;
  bytes.set(local.address, isIpv4 ? 24 : 28);
  view.setUint32(44, local.port, true);
  view.setUint16(48, remote?.port ?? 0, false);
  if (remote !== undefined) bytes.set(remote.address, isIpv4 ? 52 : 56);
  const usual = remote === undefined && socket.protocol === 'tcp' ? LISTEN : ESTABLISHED;
  view.setUint32(72, socket.state ?? usual, true);
  view.setInt32(76, -1, true);
  return bytes;
}

/** All tables as loader/native/surroundings.c reads them; undefined: nothing is given. */
export function encodeSurroundings(given: Surroundings): Uint8Array | undefined {
  const { routes = [], sockets = [], memory = [], stack = [] } = given;
  if (routes.length + sockets.length + memory.length + stack.length === 0) return undefined;
  const regions = new DataView(new ArrayBuffer(memory.length * REGION_BYTES));
  let offset = 0;
  for (const [i, { address, bytes }] of memory.entries()) {
    regions.setBigUint64(i * REGION_BYTES, BigInt.asUintN(64, BigInt(address)), true);
    regions.setUint32(i * REGION_BYTES + 8, offset, true);
    regions.setUint32(i * REGION_BYTES + 12, bytes.length, true);
    offset += bytes.length;
  }
  const entries = new BigUint64Array(stack.map((entry) => BigInt.asUintN(64, BigInt(entry))));
  const header = Uint32Array.of(routes.length, sockets.length, memory.length, stack.length);
  const parts = [
    new Uint8Array(header.buffer),
    ...routes.map(encodeRoute),
    ...sockets.map(encodeSocket),
    new Uint8Array(regions.buffer),
    new Uint8Array(entries.buffer),
    ...memory.map(({ bytes }) => bytes),
  ];
  const tables = HEADER_BYTES + routes.length * ROUTE_BYTES + sockets.length * SOCKET_BYTES;
  const rest = memory.length * REGION_BYTES + stack.length * STACK_ENTRY_BYTES;
  const all = new Uint8Array(tables + rest + offset);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
