/**
 * The kinds of abstract value, and what is generally true of each. A kind's memory rules live in
 * `regions/`; its name for people, and whether arithmetic is defined on it, here.
 */

export const UNINITIALISED = 0;
export const SCALAR = 1;
export const CONTEXT = 2;
export const STACK = 3;
export const PACKET = 4;
export const PACKET_META = 5;
export const PACKET_END = 6;
export const MAP = 7;
export const MAP_VALUE = 8;
export const MAP_KEY = 9;
export const MEMORY = 10;
export const SOCKET = 11;
export const SOCK_COMMON = 12;
export const TCP_SOCKET = 13;
export const XDP_SOCKET = 14;
export const BTF_OBJECT = 15;
export const FUNCTION = 16;
export const FLOW_KEYS = 17;
export const DYNPTR = 18;
export const ARENA = 19;
export const MEMORY_END = 20;
export const TRACE_BUFFER = 21;
/** An object that the program allocated, of a type of its own. */
export const ALLOCATED = 22;

/**
 * `constant`: only by numbers known exactly; `variable`: by any bounded number; `free`: any operation
 * with anything, since every result can be dereferenced.
 */
export type Arithmetic = 'none' | 'constant' | 'variable' | 'free';

export interface KindRow {
  /** For people: `packet pointer`. */
  readonly name: string;
  /** What the kernel's log calls it, from its own messages (`pkt`, `fp`, `map_value`). */
  readonly linux: string;
  readonly arithmetic: Arithmetic;
}

const row = (name: string, linux: string, arithmetic: Arithmetic): KindRow =>
  Object.freeze({ name, linux, arithmetic });

/** Indexed by kind. */
export const KINDS: readonly KindRow[] = Object.freeze([
  row('uninitialised value', '?', 'none'),
  row('number', 'scalar', 'variable'),
  row('context pointer', 'ctx', 'variable'),
  row('stack pointer', 'fp', 'variable'),
  row('packet pointer', 'pkt', 'variable'),
  row('packet metadata pointer', 'pkt_meta', 'variable'),
  row('packet end pointer', 'pkt_end', 'none'),
  row('map pointer', 'map_ptr', 'none'),
  row('map value pointer', 'map_value', 'variable'),
  row('map key pointer', 'map_key', 'variable'),
  row('memory pointer', 'mem', 'variable'),
  row('socket pointer', 'sock', 'none'),
  row('socket pointer', 'sock_common', 'none'),
  row('TCP socket pointer', 'tcp_sock', 'none'),
  row('XDP socket pointer', 'xdp_sock', 'none'),
  row('kernel object pointer', 'ptr_', 'variable'),
  row('function pointer', 'func', 'variable'),
  row('flow keys pointer', 'flow_keys', 'constant'),
  row('dynptr pointer', 'dynptr_ptr', 'none'),
  row('arena pointer', 'arena', 'free'),
  row('buffer end pointer', 'pkt_end', 'none'),
  row('trace buffer pointer', 'tp_buffer', 'variable'),
  row('allocated object pointer', 'ptr_', 'variable'),
]);

export const isPointer = (kind: number): boolean => kind > SCALAR;
export const isPacketKind = (kind: number): boolean => kind === PACKET || kind === PACKET_META;
