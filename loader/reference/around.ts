/**
 * What the host tells of a run's surroundings, looked up in its own words: routes by prefixes in text,
 * sockets by their endpoints. Granted memory lies where the host says.
 */

import type { ByteRegion } from '../../isa/index.ts';
import { endpoint } from '../../platform/index.ts';
import { encodeSocket, type HostSocket, type Route, type Surroundings } from '../surroundings.ts';
import type { Allocator } from './memory.ts';

const bitsOf = (address: Uint8Array) =>
  Array.from(address, (byte) => byte.toString(2).padStart(8, '0')).join('');
const isAny = (address: Uint8Array) => address.every((byte) => byte === 0);
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

export interface Ends {
  readonly protocol: 'tcp' | 'udp';
  readonly local: { readonly address: Uint8Array; readonly port: number };
  readonly remote: { readonly address: Uint8Array; readonly port: number };
}

export class Around {
  readonly stack: readonly bigint[];
  readonly #given: Surroundings;
  readonly #allocator: Allocator;
  readonly #sockets = new Map<HostSocket, ByteRegion>();
  readonly #granted: ByteRegion[];

  constructor(given: Surroundings, allocator: Allocator) {
    this.#given = given;
    this.#allocator = allocator;
    this.stack = (given.stack ?? []).map((entry) => BigInt.asUintN(64, BigInt(entry)));
    this.#granted = (given.memory ?? []).map(({ address, bytes }) => {
      const base = BigInt.asUintN(64, BigInt(address));
      return { name: 'granted memory', base, bytes: bytes.slice(), access: 'read' };
    });
    for (const region of this.#granted) allocator.memory.add(region);
  }

  release(): void {
    for (const region of [...this.#granted, ...this.#sockets.values()])
      this.#allocator.memory.remove(region);
  }

  routeTo(address: Uint8Array): Route | undefined {
    const bits = bitsOf(address);
    let best: { readonly route: Route; readonly length: number } | undefined;
    for (const route of this.#given.routes ?? []) {
      const [network = '', digits] = route.to.split('/');
      const prefix = endpoint(network).address;
      const length = Number(digits ?? prefix.length * 8);
      if (prefix.length !== address.length) continue;
      if (bits.slice(0, length) !== bitsOf(prefix).slice(0, length)) continue;
      if (best === undefined || length > best.length) best = { route, length };
    }
    return best?.route;
  }

  /** Address of the socket that the ends speak of, or 0. */
  socketAt(ends: Ends): bigint {
    const candidates = (this.#given.sockets ?? []).filter(({ protocol, local }) => {
      const { address, port } = endpoint(local);
      const here = same(address, ends.local.address) || isAny(address);
      return protocol === ends.protocol && port === ends.local.port && here;
    });
    const fitting = candidates.filter(
      ({ local }) => endpoint(local).address.length === ends.local.address.length,
    );
    const connected = fitting.find(({ local, remote }) => {
      if (remote === undefined || !same(endpoint(local).address, ends.local.address)) return false;
      const { address, port } = endpoint(remote);
      return port !== 0 && port === ends.remote.port && same(address, ends.remote.address);
    });
    const listens = ({ remote }: HostSocket) => remote === undefined || endpoint(remote).port === 0;
    const found = connected ?? fitting.find(listens);
    return found === undefined ? 0n : this.#place(found);
  }

  #place(socket: HostSocket): bigint {
    const known = this.#sockets.get(socket);
    if (known !== undefined) return known.base;
    const region = this.#allocator.place('socket', encodeSocket(socket), 'read');
    this.#sockets.set(socket, region);
    return region.base;
  }
}
