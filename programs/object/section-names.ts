/**
 * What a program is, from the name of its section: the names that libbpf 1.x gives to SEC(), with
 * program type, expected attach type and flags. Source: the libbpf section-name table in the kernel's
 * Documentation/bpf/libbpf/program_types.rst. `memory/SIZE` is ringfence's own.
 */

interface SectionRow {
  /** `name`: exactly; `name+`: also `name/extras`; `name/`: extras are required. */
  readonly pattern: string;
  readonly type: string;
  readonly attachType?: string;
  readonly flag?: 'sleepable' | 'xdp-has-frags';
}

const row = (
  pattern: string,
  type: string,
  attachType?: string,
  flag?: SectionRow['flag'],
): SectionRow => ({ pattern, type, ...(attachType && { attachType }), ...(flag && { flag }) });

/** cgroup/NAME and its attach type, all of one program type. */
const cgroup = (type: string, names: Readonly<Record<string, string>>): SectionRow[] =>
  Object.entries(names).map(([name, attachType]) => row(`cgroup/${name}`, type, attachType));

const SECTIONS: readonly SectionRow[] = [
  row('socket', 'socket_filter'),
  row('sk_reuseport/migrate', 'sk_reuseport', 'sk_reuseport_select_or_migrate'),
  row('sk_reuseport', 'sk_reuseport', 'sk_reuseport_select'),
  row('kprobe+', 'kprobe'),
  row('uprobe+', 'kprobe'),
  row('uprobe.s+', 'kprobe', undefined, 'sleepable'),
  row('kretprobe+', 'kprobe'),
  row('uretprobe+', 'kprobe'),
  row('uretprobe.s+', 'kprobe', undefined, 'sleepable'),
  row('kprobe.multi+', 'kprobe', 'trace_kprobe_multi'),
  row('kretprobe.multi+', 'kprobe', 'trace_kprobe_multi'),
  row('kprobe.session+', 'kprobe', 'trace_kprobe_session'),
  row('uprobe.multi+', 'kprobe', 'trace_uprobe_multi'),
  row('uretprobe.multi+', 'kprobe', 'trace_uprobe_multi'),
  row('uprobe.session+', 'kprobe', 'trace_uprobe_session'),
  row('uprobe.multi.s+', 'kprobe', 'trace_uprobe_multi', 'sleepable'),
  row('uretprobe.multi.s+', 'kprobe', 'trace_uprobe_multi', 'sleepable'),
  row('uprobe.session.s+', 'kprobe', 'trace_uprobe_session', 'sleepable'),
  row('ksyscall+', 'kprobe'),
  row('kretsyscall+', 'kprobe'),
  row('usdt+', 'kprobe'),
  row('usdt.s+', 'kprobe', undefined, 'sleepable'),
  row('tc/ingress', 'sched_cls', 'tcx_ingress'),
  row('tc/egress', 'sched_cls', 'tcx_egress'),
  row('tcx/ingress', 'sched_cls', 'tcx_ingress'),
  row('tcx/egress', 'sched_cls', 'tcx_egress'),
  row('tc', 'sched_cls'),
  row('classifier', 'sched_cls'),
  row('action', 'sched_act'),
  row('netkit/primary', 'sched_cls', 'netkit_primary'),
  row('netkit/peer', 'sched_cls', 'netkit_peer'),
  row('tracepoint+', 'tracepoint'),
  row('tp+', 'tracepoint'),
  row('raw_tracepoint+', 'raw_tracepoint'),
  row('raw_tp+', 'raw_tracepoint'),
  row('raw_tracepoint.w+', 'raw_tracepoint_writable'),
  row('raw_tp.w+', 'raw_tracepoint_writable'),
  row('tp_btf+', 'tracing', 'trace_raw_tp'),
  row('fentry+', 'tracing', 'trace_fentry'),
  row('fmod_ret+', 'tracing', 'modify_return'),
  row('fexit+', 'tracing', 'trace_fexit'),
  row('fentry.s+', 'tracing', 'trace_fentry', 'sleepable'),
  row('fmod_ret.s+', 'tracing', 'modify_return', 'sleepable'),
  row('fexit.s+', 'tracing', 'trace_fexit', 'sleepable'),
  row('freplace+', 'ext'),
  row('lsm+', 'lsm', 'lsm_mac'),
  row('lsm.s+', 'lsm', 'lsm_mac', 'sleepable'),
  row('lsm_cgroup+', 'lsm', 'lsm_cgroup'),
  row('iter+', 'tracing', 'trace_iter'),
  row('iter.s+', 'tracing', 'trace_iter', 'sleepable'),
  row('syscall', 'syscall', undefined, 'sleepable'),
  row('xdp.frags/devmap', 'xdp', 'xdp_devmap', 'xdp-has-frags'),
  row('xdp/devmap', 'xdp', 'xdp_devmap'),
  row('xdp.frags/cpumap', 'xdp', 'xdp_cpumap', 'xdp-has-frags'),
  row('xdp/cpumap', 'xdp', 'xdp_cpumap'),
  row('xdp.frags', 'xdp', 'xdp', 'xdp-has-frags'),
  row('xdp', 'xdp', 'xdp'),
  row('perf_event', 'perf_event'),
  row('lwt_in', 'lwt_in'),
  row('lwt_out', 'lwt_out'),
  row('lwt_xmit', 'lwt_xmit'),
  row('lwt_seg6local', 'lwt_seg6local'),
  row('sockops', 'sock_ops', 'cgroup_sock_ops'),
  row('sk_skb/stream_parser', 'sk_skb', 'sk_skb_stream_parser'),
  row('sk_skb/stream_verdict', 'sk_skb', 'sk_skb_stream_verdict'),
  row('sk_skb/verdict', 'sk_skb', 'sk_skb_verdict'),
  row('sk_skb', 'sk_skb'),
  row('sk_msg', 'sk_msg', 'sk_msg_verdict'),
  row('lirc_mode2', 'lirc_mode2', 'lirc_mode2'),
  row('flow_dissector', 'flow_dissector', 'flow_dissector'),
  row('cgroup_skb/ingress', 'cgroup_skb', 'cgroup_inet_ingress'),
  row('cgroup_skb/egress', 'cgroup_skb', 'cgroup_inet_egress'),
  row('cgroup/skb', 'cgroup_skb'),
  ...cgroup('cgroup_sock', {
    sock_create: 'cgroup_inet_sock_create',
    sock_release: 'cgroup_inet_sock_release',
    sock: 'cgroup_inet_sock_create',
    post_bind4: 'cgroup_inet4_post_bind',
    post_bind6: 'cgroup_inet6_post_bind',
  }),
  ...cgroup('cgroup_sock_addr', {
    bind4: 'cgroup_inet4_bind',
    bind6: 'cgroup_inet6_bind',
    connect4: 'cgroup_inet4_connect',
    connect6: 'cgroup_inet6_connect',
    connect_unix: 'cgroup_unix_connect',
    sendmsg4: 'cgroup_udp4_sendmsg',
    sendmsg6: 'cgroup_udp6_sendmsg',
    sendmsg_unix: 'cgroup_unix_sendmsg',
    recvmsg4: 'cgroup_udp4_recvmsg',
    recvmsg6: 'cgroup_udp6_recvmsg',
    recvmsg_unix: 'cgroup_unix_recvmsg',
    getpeername4: 'cgroup_inet4_getpeername',
    getpeername6: 'cgroup_inet6_getpeername',
    getpeername_unix: 'cgroup_unix_getpeername',
    getsockname4: 'cgroup_inet4_getsockname',
    getsockname6: 'cgroup_inet6_getsockname',
    getsockname_unix: 'cgroup_unix_getsockname',
  }),
  row('cgroup/sysctl', 'cgroup_sysctl', 'cgroup_sysctl'),
  row('cgroup/getsockopt', 'cgroup_sockopt', 'cgroup_getsockopt'),
  row('cgroup/setsockopt', 'cgroup_sockopt', 'cgroup_setsockopt'),
  row('cgroup/dev', 'cgroup_device', 'cgroup_device'),
  row('struct_ops+', 'struct_ops', 'struct_ops'),
  row('struct_ops.s+', 'struct_ops', 'struct_ops', 'sleepable'),
  row('sk_lookup', 'sk_lookup', 'sk_lookup'),
  row('netfilter', 'netfilter', 'netfilter'),
];

/**
 * libbpf before 1.0 took any name that began with one of these (`xdp_prog`, `socket1`,
 * `classifier/ingress`), and much code still has such names. Longest first.
 */
const LOOSE_PREFIXES: readonly string[] = [
  'sk_reuseport',
  'cgroup/skb',
  'classifier',
  'perf_event',
  'sockops',
  'sk_lookup',
  'sk_skb',
  'sk_msg',
  'socket',
  'action',
  'xdp',
  'tc',
];

export interface SectionMeaning {
  /** 'unspec' when nothing is known by that name. */
  readonly type: string;
  readonly attachType?: string;
  readonly attachTarget?: string;
  readonly flags: readonly string[];
  readonly contextSize?: number;
}

const EXACT = new Map(SECTIONS.map((each) => [each.pattern.replace(/\+$/, ''), each]));
const WITH_EXTRAS = new Map(
  SECTIONS.filter((each) => each.pattern.endsWith('+')).map((each) => [
    each.pattern.slice(0, -1),
    each,
  ]),
);

/** Largest `memory` context, 1 GiB: sizes are int32 in the verifier's offsets. */
const MAX_CONTEXT_BYTES = 0x4000_0000;

/** The meaning of a section name; a leading `?` (not loaded by default) changes nothing. */
export function sectionMeaning(sectionName: string): SectionMeaning {
  const name = sectionName.replace(/^\?/, '');
  const memory = /^memory\/(\d{1,10})$/.exec(name);
  if (memory && Number(memory[1]) <= MAX_CONTEXT_BYTES)
    return { type: 'memory', flags: [], contextSize: Number(memory[1]) };
  const exact = EXACT.get(name);
  if (exact) return meaningOf(exact, undefined);
  const slash = name.indexOf('/');
  const row = slash < 0 ? undefined : WITH_EXTRAS.get(name.slice(0, slash));
  if (row) return meaningOf(row, name.slice(slash + 1));
  const loose = LOOSE_PREFIXES.find(
    (prefix) => name.startsWith(prefix) && /^[^a-z]/i.test(name.slice(prefix.length)),
  );
  const meant = loose === undefined ? undefined : EXACT.get(loose);
  return meant ? meaningOf(meant, undefined) : { type: 'unspec', flags: [] };
}

function meaningOf(row: SectionRow, extras: string | undefined): SectionMeaning {
  return {
    type: row.type,
    ...(row.attachType !== undefined && { attachType: row.attachType }),
    ...(extras && { attachTarget: extras }),
    flags: row.flag === undefined ? [] : [row.flag],
  };
}
