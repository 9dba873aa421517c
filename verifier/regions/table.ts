/** Which region each kind of pointer points into. A kind that is not listed has no bytes. */

import * as kinds from '../state/kinds.ts';
import { ALLOCATED_REGION } from './allocated.ts';
import { ARENA_REGION } from './arena.ts';
import { CONTEXT_REGION } from './context.ts';
import { KERNEL_OBJECT_REGION } from './kernel-object.ts';
import { MAP_POINTER_REGION } from './map-pointer.ts';
import { MAP_VALUE_REGION } from './map-value.ts';
import { MEMORY_REGION } from './memory.ts';
import { FLOW_KEYS_REGION, SOCKET_REGION } from './object.ts';
import { PACKET_REGION } from './packet.ts';
import type { Region } from './region.ts';
import { STACK_REGION } from './stack.ts';
import { TRACE_BUFFER_REGION } from './trace-buffer.ts';

const BY_KIND: Readonly<Record<number, Region>> = {
  [kinds.CONTEXT]: CONTEXT_REGION,
  [kinds.STACK]: STACK_REGION,
  [kinds.PACKET]: PACKET_REGION,
  [kinds.PACKET_META]: PACKET_REGION,
  [kinds.MAP]: MAP_POINTER_REGION,
  [kinds.MAP_VALUE]: MAP_VALUE_REGION,
  [kinds.MEMORY]: MEMORY_REGION,
  [kinds.SOCKET]: SOCKET_REGION,
  [kinds.SOCK_COMMON]: SOCKET_REGION,
  [kinds.TCP_SOCKET]: SOCKET_REGION,
  [kinds.XDP_SOCKET]: SOCKET_REGION,
  [kinds.FLOW_KEYS]: FLOW_KEYS_REGION,
  [kinds.BTF_OBJECT]: KERNEL_OBJECT_REGION,
  [kinds.ALLOCATED]: ALLOCATED_REGION,
  [kinds.ARENA]: ARENA_REGION,
  [kinds.TRACE_BUFFER]: TRACE_BUFFER_REGION,
};

/** Indexed by kind. */
export const REGIONS: readonly (Region | undefined)[] = Object.freeze(
  kinds.KINDS.map((_, kind) => BY_KIND[kind]),
);
