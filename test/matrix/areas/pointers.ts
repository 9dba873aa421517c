/**
 * Pointers of every kind: what may be computed with them, compared, stored where, accessed how.
 */

import type { Area } from '../compare.ts';
import { withMaps } from './maps.ts';

/** Each kind of pointer, made in r1, with the context in r6. r9 may be anything afterwards. */
const MAKERS: Readonly<Record<string, string>> = {
  context: 'r1 = r6',
  stack: '*(u64 *)(r10 - 8) = 0\n*(u64 *)(r10 - 16) = 0\nr1 = r10\nr1 += -16',
  packet: 'r1 = *(u32 *)(r6 + 76)\nr2 = *(u32 *)(r6 + 80)\nr3 = r1\nr3 += 16\nif r3 > r2 goto out',
  packetStart: 'r1 = *(u32 *)(r6 + 76)',
  packetEnd: 'r1 = *(u32 *)(r6 + 80)',
  packetMeta: 'r1 = *(u32 *)(r6 + 140)',
  map: 'r1 = map[values] ll',
  value: 'r1 = map[values][0] + 0 ll',
  found:
    '*(u32 *)(r10 - 24) = 0\nr2 = r10\nr2 += -24\nr1 = map[table] ll\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = r0',
  nullable:
    '*(u32 *)(r10 - 24) = 0\nr2 = r10\nr2 += -24\nr1 = map[table] ll\ncall bpf_map_lookup_elem\nr1 = r0',
  socket: 'r1 = *(u64 *)(r6 + 168)\nif r1 == 0 goto out',
  socketNullable: 'r1 = *(u64 *)(r6 + 168)',
  fullsock:
    'r1 = *(u64 *)(r6 + 168)\nif r1 == 0 goto out\ncall bpf_sk_fullsock\nif r0 == 0 goto out\nr1 = r0',
  tcpsock:
    'r1 = *(u64 *)(r6 + 168)\nif r1 == 0 goto out\ncall bpf_tcp_sock\nif r0 == 0 goto out\nr1 = r0',
  record:
    'r1 = map[ring] ll\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto out\nr7 = r0\nr1 = r0',
  function: 'r1 = func[f]',
  number: 'r1 = *(u32 *)(r6 + 0)',
  zero: 'r1 = 0',
};

const HEAD = `.type sched_cls
r6 = r1
r7 = 0`;

/** Ends the program; records are given back, and the function that may be named exists. */
const END = (maker: string): string =>
  [
    maker === 'record' ? 'r1 = r7\nr2 = 0\ncall bpf_ringbuf_discard' : '',
    'out:\nr0 = 0\nexit',
    maker === 'function' ? 'f:\nr0 = 0\nexit' : '',
  ].join('\n');

function* withPointers(bodies: readonly string[]): Generator<string> {
  for (const [maker, code] of Object.entries(MAKERS)) {
    for (const body of bodies) {
      const end = END(maker);
      yield withMaps([HEAD, code, body, end].join('\n'));
    }
  }
}

const OPERATIONS = [
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  's/=',
  's%=',
  '&=',
  '|=',
  '^=',
  '<<=',
  '>>=',
  's>>=',
];
const NUMBERS = [
  '2',
  '0',
  '-1',
  '8',
  '-8',
  '0x7fffffff',
  '-0x80000000',
  '536870912',
  '536870911',
  '-536870912',
];
const OPERANDS = [
  'r8 = *(u32 *)(r6 + 0)',
  'r8 = *(u32 *)(r6 + 0)\nr8 &= 7',
  'r8 = 4',
  'r8 = -4',
  'r8 = r10',
  'r8 = r6',
  'r8 = r1',
  'r8 = *(u32 *)(r6 + 0)\nr8 <<= 31',
  'r8 = 0x40000000',
  'r8 = 0x8000000000000000 ll',
];
const READS = [
  '',
  'r0 = *(u8 *)(r1 + 0)',
  'r0 = *(u32 *)(r1 + 0)',
  'r0 = *(u64 *)(r1 + 8)',
  '*(u32 *)(r1 + 0) = 0',
];

export const pointerArithmetic: Area = () =>
  withPointers([
    ...OPERATIONS.flatMap((op) =>
      NUMBERS.flatMap((n) => READS.slice(0, 2).map((read) => `r1 ${op} ${n}\n${read}`)),
    ),
    ...OPERATIONS.flatMap((op) =>
      OPERANDS.flatMap((operand) => READS.map((read) => `${operand}\nr1 ${op} r8\n${read}`)),
    ),
    ...OPERATIONS.flatMap((op) =>
      OPERANDS.slice(0, 4).flatMap((operand) =>
        READS.map((read) => `${operand}\nr8 ${op} r1\n${read.replaceAll('r1', 'r8')}`),
      ),
    ),
    ...OPERATIONS.map((op) => `w1 ${op} 4\nr0 = r1`),
    ...[
      'r1 = -r1',
      'w1 = w1',
      'r1 = (s32)r1',
      'r1 = be64 r1',
      'r1 = bswap64 r1',
      'r1 = le64 r1',
      'w1 = -w1',
      'r1 = (s8)r1',
      'w1 = (s8)w1',
    ].flatMap((op) => READS.map((read) => `${op}\n${read}`)),
    ...[
      'r1 += 4\nr1 -= 4',
      'r1 -= 4\nr1 += 4',
      'r8 = r1\nr8 += 4\nr8 -= r1\nr1 = r10\nr1 += -16\nr1 += r8',
    ].flatMap((op) => READS.map((read) => `${op}\n${read}`)),
  ]);

const CONDITIONS = ['==', '!=', '<', '<=', '>', '>=', 's<', 's<=', 's>', 's>=', '&'];

export const pointerComparisons: Area = () =>
  withPointers(
    CONDITIONS.flatMap((c) =>
      ['0', '1', '-1', 'r8', 'r10', 'r6', 'r1', 'r9'].flatMap((right) =>
        ['', 'r0 = *(u8 *)(r1 + 0)'].flatMap((read) => [
          `r8 = 0\nr9 = *(u32 *)(r6 + 0)\nif r1 ${c} ${right} goto out\n${read}`,
          `r8 = 0\nr9 = *(u32 *)(r6 + 0)\nif w1 ${c} ${right.replace('r', 'w')} goto out\n${read}`,
          `r8 = 0\nr9 = *(u32 *)(r6 + 0)\nif r1 ${c} ${right} goto in\ngoto out\nin:\n${read}`,
          ...(right.startsWith('r')
            ? [`r8 = 0\nr9 = *(u32 *)(r6 + 0)\nif ${right} ${c} r1 goto out\n${read}`]
            : []),
        ]),
      ),
    ).map((body) => `${body}${body.includes('goto out') ? '' : ''}`),
  );

/** Where the pointer is stored. */
const TARGETS: readonly string[] = [
  '*(u64 *)(r10 - 64) = r1',
  '*(u32 *)(r10 - 64) = r1',
  '*(u64 *)(r10 - 60) = r1',
  'r2 = map[values][0] + 0 ll\n*(u64 *)(r2 + 0) = r1',
  'r2 = map[values][0] + 0 ll\n*(u32 *)(r2 + 0) = r1',
  '*(u64 *)(r6 + 48) = r1',
  '*(u32 *)(r6 + 48) = r1',
  'r2 = *(u32 *)(r6 + 76)\nr3 = *(u32 *)(r6 + 80)\nr4 = r2\nr4 += 8\nif r4 > r3 goto skip\n*(u64 *)(r2 + 0) = r1\nskip:',
  'r2 = map[values][0] + 0 ll\nlock *(u64 *)(r2 + 0) += r1',
  'r2 = map[values][0] + 0 ll\nr1 = xchg_64(r2 + 0, r1)',
  'r2 = map[values][0] + 0 ll\nr0 = 0\nr0 = cmpxchg_64(r2 + 0, r0, r1)',
  'r2 = map[values][0] + 0 ll\nr0 = r1\nr3 = 0\nr0 = cmpxchg_64(r2 + 0, r0, r3)',
  '*(u64 *)(r10 - 64) = 0\nlock *(u64 *)(r10 - 64) += r1',
  'store_release((u64 *)(r10 - 64), r1)',
  'store_release((u64 *)(r10 - 64), r1)\nr2 = *(u64 *)(r10 - 64)\nr0 = *(u8 *)(r2 + 0)',
  'store_release((u32 *)(r10 - 64), r1)',
  '*(u64 *)(r10 - 64) = r1\nr2 = load_acquire((u64 *)(r10 - 64))\nr0 = *(u8 *)(r2 + 0)',
  '*(u64 *)(r10 - 64) = r1\nr2 = 0\nlock *(u64 *)(r10 - 64) += r2\nr2 = *(u64 *)(r10 - 64)\nr0 = *(u8 *)(r2 + 0)',
  '*(u64 *)(r10 - 64) = r1\nr2 = 0\nr2 = xchg_64(r10 - 64, r2)\nr0 = *(u8 *)(r2 + 0)',
  '*(u64 *)(r10 - 64) = r1\nr0 = 0\nr0 = cmpxchg_64(r10 - 64, r0, r0)',
  'r2 = map[values][0] + 0 ll\nstore_release((u64 *)(r2 + 0), r1)',
  'r0 = r1\nexit',
  'call g',
  'r2 = 0\nr3 = 0\nr4 = 0\nr5 = 0\ncall bpf_get_prandom_u32',
];

export const pointerStores: Area = function* () {
  for (const [maker, code] of Object.entries(MAKERS)) {
    for (const body of TARGETS) {
      const g = body.includes('call g') ? '\ng:\nr0 = r1\nexit' : '';
      yield withMaps([HEAD, code, body, END(maker) + g].join('\n'));
    }
  }
};

const SIZES = [8, 16, 32, 64];

export const accesses: Area = () =>
  withPointers(
    SIZES.flatMap((bits) =>
      [0, 1, 4, 8, 12, 15, -1, -8, 16, 60, 64].flatMap((offset) => {
        const at = `(r1 ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
        const inner = at.slice(1, -1);
        return [
          `r0 = *(u${bits} *)${at}`,
          `*(u${bits} *)${at} = 1`,
          `r8 = 1\n*(u${bits} *)${at} = r8`,
          ...(bits < 64 ? [`r0 = *(s${bits} *)${at}`] : []),
          `r8 = load_acquire((u${bits} *)${at})`,
          `r8 = 1\nstore_release((u${bits} *)${at}, r8)`,
          ...(bits >= 32
            ? [
                `r8 = 1\nlock *(u${bits} *)${at} += r8`,
                `r8 = 1\nlock *(u${bits} *)${at} &= r8`,
                `r8 = 1\nr8 = atomic_fetch_or((u${bits} *)${at}, r8)`,
                `r8 = 1\n${bits === 64 ? `r8 = xchg_64(${inner}, r8)` : `w8 = xchg32_32(${inner}, w8)`}`,
                `r8 = 1\nr0 = 0\n${bits === 64 ? `r0 = cmpxchg_64(${inner}, r0, r8)` : `w0 = cmpxchg32_32(${inner}, w0, w8)`}`,
                `r1 = atomic_fetch_add((u${bits} *)${at}, r1)`,
                `r8 = 1\nr10 = atomic_fetch_add((u${bits} *)${at}, r10)`,
              ]
            : []),
        ];
      }),
    ),
  );

/** What helpers take each kind for. */
export const pointerArguments: Area = () =>
  withPointers([
    'r2 = r10\nr2 += -24\n*(u32 *)(r10 - 24) = 0\ncall bpf_map_lookup_elem',
    'r2 = r1\nr1 = map[values] ll\ncall bpf_map_lookup_elem',
    'r2 = r1\nr3 = r1\nr1 = map[table] ll\nr4 = 0\ncall bpf_map_update_elem',
    'r4 = 4\nr3 = r1\nr2 = 0\nr1 = r6\ncall bpf_skb_load_bytes',
    'r4 = 4\nr3 = r1\nr2 = 0\nr1 = r6\nr5 = 0\ncall bpf_skb_store_bytes',
    'r2 = 4\ncall bpf_skb_pull_data',
    'r2 = 4\ncall bpf_trace_printk',
    'call bpf_sk_fullsock',
    'call bpf_tcp_sock',
    'call bpf_sk_release',
    'r2 = 0\ncall bpf_ringbuf_submit',
    'r2 = r1\nr1 = r6\nr3 = 4\nr4 = 0\nr5 = 0\ncall bpf_skb_set_tunnel_key',
    'call bpf_spin_lock',
    'r2 = map[values] ll\nr3 = 0\ncall bpf_tail_call',
    'r2 = r1\nr1 = 4\nr3 = 0\nr4 = 0\ncall bpf_loop',
    'r2 = 4\nr3 = 0\nr4 = r10\nr4 += -8\ncall bpf_strtol',
    'r4 = r1\nr1 = r10\nr1 += -8\n*(u64 *)(r10 - 8) = 0\nr2 = 4\nr3 = 0\ncall bpf_strtol',
    'call bpf_get_socket_cookie',
    'call bpf_csum_update',
    'call bpf_ktime_get_ns',
    'r2 = r10\nr2 += -8\n*(u64 *)(r10 - 8) = 0\nr3 = 8\ncall bpf_ringbuf_output',
    'r2 = 0\nr3 = 4\nr5 = r1\nr4 = 0\nr1 = r6\ncall bpf_skb_load_bytes_relative',
  ]);
