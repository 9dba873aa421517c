/**
 * What the kernel passes to the programs of its BTF-typed hooks, beyond what the types say: which
 * tracepoints pass null, what iterators guarantee of their elements. BTF has none of it: the
 * kernel keeps lists.
 *
 * Sources: the running kernel's (6.18) answers for every argument of every tracepoint and iterator
 * of its BTF, checked by test/verifier/kernel/hooks.test.ts.
 */

/** Tracepoint → indexes of the arguments that may be null. */
export const NULLABLE_TRACEPOINT_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  break_lease_block: [1],
  break_lease_noblock: [1],
  break_lease_unblock: [1],
  ext4_mballoc_discard: [1],
  ext4_mballoc_free: [1],
  fcntl_setlk: [1],
  fib_table_lookup: [2],
  flock_lock_inode: [1],
  folio_wait_writeback: [1],
  generic_delete_lease: [1],
  hugetlbfs_alloc_inode: [1],
  kfree_skb: [3],
  locks_remove_posix: [1],
  mm_collapse_huge_page_isolate: [0],
  mm_khugepaged_collapse_file: [1],
  mm_khugepaged_scan_file: [1],
  mm_khugepaged_scan_pmd: [1],
  mm_page_alloc: [0],
  mm_page_alloc_zone_locked: [0],
  mm_page_pcpu_drain: [0],
  posix_lock_inode: [1],
  qdisc_dequeue: [3],
  sched_pi_setprio: [1],
  sched_stick_numa: [2],
  sched_swap_numa: [2],
  tcp_send_reset: [0, 1],
  tcp_sendmsg_locked: [2],
  time_out_leases: [1],
  tmigr_update_events: [0],
  writeback_dirty_folio: [1],
  xfs_blockgc_flush_all: [0],
  xfs_blockgc_free_space: [1],
  xfs_blockgc_start: [0],
  xfs_blockgc_stop: [0],
  xfs_blockgc_worker: [0],
  xfs_btree_overlapped_query_range: [2],
  xfs_btree_updkeys: [2],
  xfs_defer_add_item: [0],
  xfs_defer_cancel_item: [0],
  xfs_defer_cancel_list: [0],
  xfs_defer_create_intent: [0],
  xfs_defer_finish_item: [0],
  xfs_defer_isolate_paused: [0],
  xfs_defer_item_pause: [0],
  xfs_defer_item_unpause: [0],
  xfs_defer_pending_abort: [0],
  xfs_defer_pending_finish: [0],
  xfs_defer_relog_intent: [0],
  xfs_fs_sync_fs: [0],
  xfs_inodegc_flush: [0],
  xfs_inodegc_push: [0],
  xfs_inodegc_queue: [0],
  xfs_inodegc_start: [0],
  xfs_inodegc_stop: [0],
  xfs_inodegc_throttle: [0],
  xfs_ioc_free_eofblocks: [1],
  xfs_map_blocks_alloc: [4],
  xfs_map_blocks_found: [4],
};

/** How an iterator passes an argument: object of its parameter's type, or bytes of unstated size. */
export interface IteratorArgument {
  readonly name: string;
  readonly kind: 'object' | 'bytes';
  readonly nullable: boolean;
  /** Proven valid: the program may pass it to kernel functions. */
  readonly trusted: boolean;
  readonly readOnly: boolean;
}

type Row = readonly [
  name: string,
  how?: 'trusted' | 'trusted-or-null' | 'bytes' | 'read-only-bytes',
];

function argument([name, how]: Row): IteratorArgument {
  const bytes = how === 'bytes' || how === 'read-only-bytes';
  return {
    name,
    kind: bytes ? 'bytes' : 'object',
    nullable: how !== 'trusted',
    trusted: how === 'trusted' || how === 'trusted-or-null',
    readOnly: how === 'read-only-bytes',
  };
}

/** Every iterator's first argument. */
const META: Row = ['meta', 'trusted'];

const iterator = (...rows: readonly Row[]): readonly IteratorArgument[] =>
  [META, ...rows].map(argument);

/** Iterator → its pointer arguments; the others are numbers. */
export const ITERATORS: Readonly<Record<string, readonly IteratorArgument[]>> = {
  bpf_link: iterator(['link']),
  bpf_map: iterator(['map', 'trusted-or-null']),
  bpf_map_elem: iterator(['map', 'trusted'], ['key', 'read-only-bytes'], ['value', 'bytes']),
  bpf_prog: iterator(['prog']),
  bpf_sk_storage_map: iterator(['map', 'trusted'], ['sk'], ['value', 'bytes']),
  cgroup: iterator(['cgroup', 'trusted-or-null']),
  dmabuf: iterator(['dmabuf']),
  ipv6_route: iterator(['rt']),
  kmem_cache: iterator(['s', 'trusted-or-null']),
  ksym: iterator(['ksym']),
  netlink: iterator(['sk']),
  sockmap: iterator(['map', 'trusted'], ['key', 'read-only-bytes'], ['sk']),
  task: iterator(['task', 'trusted-or-null']),
  task_file: iterator(['task'], ['file']),
  task_vma: iterator(['task'], ['vma']),
  tcp: iterator(['sk_common', 'trusted-or-null']),
  udp: iterator(['udp_sk', 'trusted-or-null']),
  unix: iterator(['unix_sk']),
};
