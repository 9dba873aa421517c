/** Sets of program types that several helpers share. */

export const TRAFFIC_CONTROL = ['sched_cls', 'sched_act'];
export const TC_AND_XDP = [...TRAFFIC_CONTROL, 'xdp'];
/** Those that may rewrite an outgoing sk_buff. */
export const TRANSMIT = [...TRAFFIC_CONTROL, 'lwt_xmit'];
export const LIGHTWEIGHT_TUNNELS = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'];
export const TC_AND_TUNNELS = [...TRAFFIC_CONTROL, ...LIGHTWEIGHT_TUNNELS];
/** Those that may change the length of an sk_buff. */
export const RESIZE = [...TRANSMIT, 'sk_skb'];
/** Those that see a whole sk_buff on its way through a cgroup or a queue. */
export const TC_AND_CGROUP = [...TRAFFIC_CONTROL, 'cgroup_skb'];
/** Programs that observe the kernel. */
export const PROBES = [
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
];
/** Programs that have the helpers of BTF-typed tracing. */
export const BTF_TRACING = ['tracing', 'lsm', 'syscall'];
/** All that have the helpers of tracing. */
export const OBSERVERS = [...PROBES, ...BTF_TRACING];
/** The hooks through which the kernel reaches a tracing program by a trampoline. */
export const TRAMPOLINES = {
  tracing: ['trace_fentry', 'trace_fexit', 'modify_return'],
  lsm: ['lsm_mac'],
};
/** The cgroup hooks whose result becomes a system call's: they may look at it and change it. */
export const RESULT_HOOKS = {
  programTypes: [
    'cgroup_sock',
    'cgroup_device',
    'cgroup_sysctl',
    'cgroup_sockopt',
    'cgroup_sock_addr',
    'lsm',
  ],
  attachTypes: {
    cgroup_sock_addr: [
      'cgroup_inet4_bind',
      'cgroup_inet6_bind',
      'cgroup_inet4_connect',
      'cgroup_inet6_connect',
      'cgroup_unix_connect',
      'cgroup_udp4_sendmsg',
      'cgroup_udp6_sendmsg',
      'cgroup_unix_sendmsg',
    ],
    lsm: ['lsm_cgroup'],
  },
};
