/**
 * Helpers on maps, ring buffers included. Contracts: bpf-helpers(7) and what the running kernel
 * (6.18) says when it refuses an argument; first releases: kernel release notes.
 */

import type { HelperRow } from '../types.ts';
import {
  ANYTHING,
  CONSTANT_SIZE,
  CONTEXT,
  MAP,
  MAP_KEY,
  MAP_VALUE,
  MAP_VALUE_OUT,
  MEMORY,
  row,
  SCALAR,
  SIZE_OR_ZERO,
  VALUE_OR_NULL,
  VOID,
} from './contract.ts';

const RECORD = { kind: 'ringbuf-record', releases: true } as const;
const NULLABLE_STACK = { kind: 'stack', nullable: true } as const;

export const MAP_HELPERS: readonly HelperRow[] = [
  row(1, 'map_lookup_elem', '3.19', [MAP, MAP_KEY], VALUE_OR_NULL, { packetAccess: true }),
  row(2, 'map_update_elem', '3.19', [MAP, MAP_KEY, MAP_VALUE, ANYTHING], SCALAR, {
    packetAccess: true,
  }),
  row(3, 'map_delete_elem', '3.19', [MAP, MAP_KEY], SCALAR, { packetAccess: true }),
  row(12, 'tail_call', '4.2', [CONTEXT, MAP, ANYTHING], { kind: 'never' }),
  row(87, 'map_push_elem', '4.20', [MAP, MAP_VALUE, ANYTHING], SCALAR, { packetAccess: true }),
  row(88, 'map_pop_elem', '4.20', [MAP, MAP_VALUE_OUT], SCALAR),
  row(89, 'map_peek_elem', '4.20', [MAP, MAP_VALUE_OUT], SCALAR),
  row(130, 'ringbuf_output', '5.8', [MAP, MEMORY, SIZE_OR_ZERO, ANYTHING], SCALAR),
  row(131, 'ringbuf_reserve', '5.8', [MAP, CONSTANT_SIZE, ANYTHING], {
    kind: 'memory',
    nullable: true,
    acquires: true,
  }),
  row(132, 'ringbuf_submit', '5.8', [RECORD, ANYTHING], VOID),
  row(133, 'ringbuf_discard', '5.8', [RECORD, ANYTHING], VOID),
  row(134, 'ringbuf_query', '5.8', [MAP, ANYTHING], SCALAR),
  row(
    164,
    'for_each_map_elem',
    '5.13',
    [MAP, { kind: 'callback', callback: 'for-each-map' }, NULLABLE_STACK, ANYTHING],
    SCALAR,
  ),
  row(
    181,
    'loop',
    '5.17',
    [ANYTHING, { kind: 'callback', callback: 'loop' }, NULLABLE_STACK, ANYTHING],
    SCALAR,
  ),
];
