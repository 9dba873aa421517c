/** Sets of program types that several helpers share. */

export const TRAFFIC_CONTROL = ['sched_cls', 'sched_act'];
export const TC_AND_XDP = [...TRAFFIC_CONTROL, 'xdp'];
/** Those that may rewrite an outgoing sk_buff. */
export const TRANSMIT = [...TRAFFIC_CONTROL, 'lwt_xmit'];
export const LIGHTWEIGHT_TUNNELS = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'];
export const TC_AND_TUNNELS = [...TRAFFIC_CONTROL, ...LIGHTWEIGHT_TUNNELS];
/** Those that may change the length of an sk_buff. */
export const RESIZE = [...TRANSMIT, 'sk_skb'];
/** Programs that observe the kernel. */
export const PROBES = [
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
];
/** Programs whose helpers are those of tracing, among them syscall and lsm. */
export const BTF_TRACING = ['tracing', 'lsm', 'syscall'];
