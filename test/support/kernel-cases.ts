/**
 * Short programs that ask one thing of the run's environment each: what a context field holds, what a
 * helper does and answers. What they learn they leave in a map, since some program types may not
 * return it.
 */
import { assembleProgram, type Program } from '../../isa/index.ts';
import { contextLayout, HELPERS, programType } from '../../platform/index.ts';

export interface KernelCase {
  readonly name: string;
  readonly program: Program;
}

export const SKB_TYPES = [
  'socket_filter',
  'sched_cls',
  'sched_act',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
] as const;

const HELPER_NUMBERS = new Map(HELPERS.map(({ id, name }) => [name, id]));
const WIDTHS: Readonly<Record<number, string>> = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' };

/** `body` finds the context in r1 and r6, two known words at r10 - 16, and leaves its answer in r0. */
function caseOf(type: string, name: string, body: string): KernelCase {
  const length = type === 'xdp' || type === 'flow_dissector' ? 'r1 = 0' : 'r1 = *(u32 *)(r6 + 0)';
  const text = `.type ${type}
.name asked
.license GPL
.map answers array key 4 value 24 entries 1
r6 = r1
*(u64 *)(r10 - 16) = 0x1234567
*(u64 *)(r10 - 8) = 0x7654321
${body}
*(u64 *)(r10 - 24) = r0
*(u32 *)(r10 - 28) = 0
r1 = map[answers] ll
r2 = r10
r2 += -28
call bpf_map_lookup_elem
if r0 == 0 goto done
r1 = *(u64 *)(r10 - 24)
*(u64 *)(r0 + 0) = r1
r1 = *(u64 *)(r10 - 16)
*(u64 *)(r0 + 8) = r1
${length}
*(u64 *)(r0 + 16) = r1
done:
r0 = ${type === 'cgroup_skb' ? 1 : 0}
exit`;
  const program = assembleProgram(text, `${type}.s`, HELPER_NUMBERS);
  return { name: `${type} ${name}`, program };
}

/** One for every scalar field that the program type may read, wherever it is attached. */
export function fieldCases(type: string): KernelCase[] {
  const layout = contextLayout(programType(type)?.context ?? '');
  return (layout?.fields ?? [])
    .filter(({ kind, name }) => kind === 'scalar' && name !== 'egress_ifindex')
    .map(({ name, offset, sizeBytes }) =>
      caseOf(type, name, `r0 = *(${WIDTHS[sizeBytes]} *)(r6 + ${offset})`),
    );
}

const product = (...lists: readonly (readonly number[])[]): number[][] =>
  lists.reduce<number[][]>(
    (rows, list) => rows.flatMap((row) => list.map((x) => [...row, x])),
    [[]],
  );

/** Calls of a helper with the context and every combination of the other arguments. */
function calls(type: string, helper: string, ...lists: readonly (readonly number[])[]) {
  return product(...lists).map((values) => {
    const set = values.map((value, i) => `r${i + 2} = ${value}`);
    const name = `${helper}(${values.join(', ')})`;
    return caseOf(type, name, [...set, `call bpf_${helper}`].join('\n'));
  });
}

/** As `calls`, for (context, offset, buffer on the stack, size, last). */
function copies(
  type: string,
  helper: string,
  offsets: readonly number[],
  sizes: readonly number[],
  lasts: readonly number[] = [],
) {
  const rows = lasts.length === 0 ? product(offsets, sizes) : product(offsets, sizes, lasts);
  return rows.map(([offset, size, last]) => {
    const set = [`r2 = ${offset}`, 'r3 = r10', 'r3 += -16', `r4 = ${size}`];
    if (last !== undefined) set.push(`r5 = ${last}`);
    const name = `${helper}(${offset}, ${size}, ${last})`;
    return caseOf(type, name, [...set, `call bpf_${helper}`].join('\n'));
  });
}

const LENGTHS = [0, 14, 20, 33, 34, 50, 64, 1000, 9000, 16000, 16064, 16065, 70000];
const OFFSETS = [0, 12, 13, 14, 40, 70, 100, 1000, -1, 0x7fffffff];
const L4_FLAGS = [0, 2, 4, 0x10, 0x12, 0x14, 0x20, 0x24, 0x30, 0x64, 0x94, 0x100, 3];

/** What reads packets only, for every program type of socket buffers. */
export const READING_CASES = SKB_TYPES.flatMap((type) => [
  ...copies(type, 'skb_load_bytes', OFFSETS, [8]),
  ...(mayLoadRelative(type)
    ? copies(type, 'skb_load_bytes_relative', [0, 12, 20, 65535, 65536], [8], [0, 1, 2])
    : []),
]);

function mayLoadRelative(type: string): boolean {
  return !type.startsWith('lwt');
}

export const WRITING_CASES = ['sched_cls', 'lwt_xmit'].flatMap((type) => [
  ...copies(type, 'skb_store_bytes', [0, 14, 20, 60, 100], [8], [0, 1, 2, 4]),
  ...calls(type, 'skb_change_tail', LENGTHS, [0]),
  ...calls(type, 'skb_change_head', LENGTHS, [0]),
  ...calls(type, 'skb_pull_data', LENGTHS),
  ...calls(type, 'skb_change_tail', [50], [1]),
  ...calls(type, 'skb_change_head', [5], [1]),
  ...calls(type, 'l3_csum_replace', [0, 24, 25, 1000], [0, 0x1234], [0x4321], [0, 2, 4, 3, 16]),
  ...calls(type, 'l4_csum_replace', [40, 50, 1000], [0, 0x1234], [0, 0x4321], L4_FLAGS),
  ...calls(type, 'csum_level', [0, 1, 2, 3, 4]),
  ...calls(type, 'csum_update', [0x1234]),
]);

/** Ethernet types in network byte order. */
const [VLAN, QINQ, IPV4, IPV6, ARP] = [0x0081, 0xa888, 0x0008, 0xdd86, 0x0608];
const push = (type: number, tag: number) =>
  `r1 = r6\nr2 = ${type}\nr3 = ${tag}\ncall bpf_skb_vlan_push`;
const pop = 'r1 = r6\ncall bpf_skb_vlan_pop';
const tagFields = [16, 20, 24, 28].map((at) => `r1 = *(u32 *)(r6 + ${at})\nr0 *= 31\nr0 += r1`);
const ROOM_CHANGES = [-100, -40, -20, -4, 0, 4, 20, 40, 100, 2000, 5000];
const ROOM_FLAGS = [0, 1, 2, 4, 6, 8, 16, 26, 32, 66, 128, 256, 384, 512];

export const LINK_CASES = [
  ...calls('sched_cls', 'skb_change_type', [0, 1, 2, 3, 4, 7]),
  ...calls('sched_cls', 'skb_vlan_push', [VLAN, QINQ, 0], [0, 5, 0x2005]),
  ...calls('sched_cls', 'skb_vlan_pop'),
  caseOf('sched_cls', 'vlan push, push', [push(VLAN, 5), push(VLAN, 6)].join('\n')),
  caseOf('sched_cls', 'vlan push, pop', [push(VLAN, 5), pop].join('\n')),
  caseOf('sched_cls', 'vlan push, push, pop', [push(VLAN, 5), push(QINQ, 6), pop].join('\n')),
  caseOf('sched_cls', 'vlan pop, pop', [pop, pop].join('\n')),
  caseOf('sched_cls', 'vlan fields', [push(QINQ, 5), ...tagFields].join('\n')),
  caseOf('sched_cls', 'vlan fields after pop', [pop, ...tagFields].join('\n')),
  ...calls('sched_cls', 'skb_change_proto', [IPV4, IPV6, ARP, 0], [0]),
  ...calls('sched_cls', 'skb_change_proto', [IPV6], [1]),
  ...calls('sched_cls', 'skb_adjust_room', ROOM_CHANGES, [0, 1, 2], ROOM_FLAGS),
  ...calls('sched_cls', 'skb_ecn_set_ce'),
  ...calls('sched_cls', 'skb_set_tstamp', [0, 1], [0, 1, 2, 3]),
  ...calls('sched_cls', 'get_cgroup_classid'),
  ...calls('sched_cls', 'get_route_realm'),
  ...calls('sched_cls', 'get_socket_uid'),
  ...calls('sched_cls', 'skb_cgroup_id'),
  ...calls('sched_cls', 'skb_ancestor_cgroup_id', [0, 1]),
];

const MTU = product([0, 100], [0, 2000, 70000], [0, 1, 2]);
const mtuCase = (type: string, [length, change, flags]: readonly number[]) =>
  caseOf(
    type,
    `check_mtu(${length}, ${change}, ${flags})`,
    `*(u32 *)(r10 - 16) = ${length}
r2 = 1
r3 = r10
r3 += -16
r4 = ${change}
r5 = ${flags}
call bpf_check_mtu`,
  );

export const XDP_CASES = [
  ...calls('xdp', 'xdp_adjust_head', [-300, -256, -216, -215, -8, 0, 14, 46, 60, 100]),
  ...calls('xdp', 'xdp_adjust_tail', [-100, -60, -46, -1, 0, 1, 1000, 3400, 3520, 4000]),
  ...calls('xdp', 'xdp_adjust_meta', [-300, -256, -252, -216, -36, -32, -8, -5, -4, 0, 4]),
  ...[-100, -210].map((change) =>
    caseOf(
      'xdp',
      `meta and head ${change}`,
      `r2 = -8\ncall bpf_xdp_adjust_meta\nr1 = r6\nr2 = ${change}\ncall bpf_xdp_adjust_head`,
    ),
  ),
  ...copies('xdp', 'xdp_load_bytes', [0, 12, 40, 60, 65535, 65536, -1], [1, 8, 16]),
  ...copies('xdp', 'xdp_store_bytes', [0, 12, 40, 60, 65535, 65536, -1], [1, 8, 16]),
  ...calls('xdp', 'xdp_get_buff_len'),
  ...MTU.flatMap((row) => [mtuCase('xdp', row), mtuCase('sched_cls', row)]),
];
