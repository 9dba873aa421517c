/**
 * Why a helper or kernel function does not run outside a kernel. Loading names the reason, and
 * docs/helpers.md lists all of them; test/loader/offer.test.ts sees to it that each has one.
 */

/** By reason: names, without the `bpf_` that most begin with. */
const REFUSED: readonly (readonly [reason: string, names: string])[] = [
  [
    'it follows pointers to objects of a kernel, which no other process has',
    `d_path snprintf_btf seq_printf_btf sock_from_file task_pt_regs find_vma get_task_stack
     copy_from_user_task copy_from_user_task_str copy_from_user_task_dynptr
     copy_from_user_task_str_dynptr ima_inode_hash ima_file_hash bprm_opts_set
     iter_task_new iter_task_next iter_task_destroy iter_css_new iter_css_next iter_css_destroy
     iter_css_task_new iter_css_task_next iter_css_task_destroy iter_task_vma_new iter_task_vma_next
     iter_task_vma_destroy iter_kmem_cache_new iter_kmem_cache_next iter_kmem_cache_destroy
     iter_dmabuf_new iter_dmabuf_next iter_dmabuf_destroy task_acquire task_release task_from_pid
     task_from_vpid task_under_cgroup task_get_cgroup1 cgroup_acquire cgroup_release
     cgroup_ancestor cgroup_from_id cgroup_read_xattr get_task_exe_file put_file path_d_path
     get_file_xattr get_dentry_xattr set_dentry_xattr
     remove_dentry_xattr css_rstat_updated css_rstat_flush get_kmem_cache map_sum_elem_count cast_to_kern_ctx
     rdonly_cast modify_return_test_tp`,
  ],
  [
    'it is about the call of a kernel function that a probe is attached to',
    `override_return get_func_arg get_func_ret get_func_arg_cnt session_is_return session_cookie`,
  ],
  [
    'it acts on processes or on their memory',
    `probe_write_user send_signal send_signal_thread send_signal_task
     task_work_schedule_resume_impl task_work_schedule_signal_impl`,
  ],
  [
    'it makes system calls, or asks a kernel for its symbols and types',
    `sys_bpf sys_close btf_find_by_name_kind kallsyms_lookup_name get_ns_current_pid_tgid`,
  ],
  [
    'it reads counters and branch records of the hardware',
    `perf_event_read perf_event_read_value perf_prog_read_value read_branch_records
     get_branch_snapshot`,
  ],
  ['it writes to the file of a kernel iterator', 'seq_printf seq_write'],
  [
    'it acts on a live socket or on its messages',
    `setsockopt getsockopt bind sock_map_update sock_hash_update sock_ops_cb_flags_set
     msg_apply_bytes msg_cork_bytes msg_pull_data msg_push_data msg_pop_data tcp_send_ack
     load_hdr_opt store_hdr_opt reserve_hdr_opt sock_destroy sk_assign_tcp_reqsk
     sock_addr_set_sun_path sock_ops_enable_tx_tstamp skb_output xdp_output`,
  ],
  [
    'its cookies are made from a secret of a kernel',
    `tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4
     tcp_raw_check_syncookie_ipv6`,
  ],
  [
    'it works on the routing state of a lightweight tunnel',
    'lwt_push_encap lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action',
  ],
  [
    'it reads or changes a setting of a kernel',
    'sysctl_get_name sysctl_get_current_value sysctl_get_new_value sysctl_set_new_value',
  ],
  ['it drives an infrared receiver', 'rc_repeat rc_keydown rc_pointer_rel'],
  [
    'it uses connection tracking of a kernel',
    `xdp_ct_alloc xdp_ct_lookup skb_ct_alloc skb_ct_lookup ct_insert_entry ct_release
     ct_set_timeout ct_change_timeout ct_set_status ct_change_status ct_set_nat_info`,
  ],
  [
    'it uses keys or ciphers of a kernel',
    `lookup_user_key lookup_system_key key_put crypto_ctx_create crypto_ctx_acquire
     crypto_ctx_release crypto_encrypt crypto_decrypt xdp_get_xfrm_state
     xdp_xfrm_state_release`,
  ],
];

const REASONS: ReadonlyMap<string, string> = new Map(
  REFUSED.flatMap(([reason, names]) =>
    names
      .split(/\s+/)
      .flatMap((name) => [[`bpf_${name}`, reason] as const, [name, reason] as const]),
  ),
);

/** Why it does not run; undefined where nobody has said so. */
export const refusalOf = (name: string): string | undefined => REASONS.get(name);

/** As a sentence for whoever loads a program that calls it. */
export function refusalText(program: string, callee: string): string {
  const reason = refusalOf(callee);
  const because = reason === undefined ? '' : `: ${reason}`;
  return `${program} calls ${callee}, which is not implemented in user space${because}`;
}

/** What differs from a kernel where something runs; the rest is as in BPF_PROG_TEST_RUN. */
export const NOTES: Readonly<Record<string, string>> = {
  bpf_ktime_get_ns: 'the system’s clock, or the environment’s',
  bpf_get_prandom_u32: 'from the environment’s seed, if it has one',
  bpf_get_smp_processor_id: 'the slot of the thread, or the environment’s',
  bpf_get_current_pid_tgid: 'this process, or the environment’s',
  bpf_get_current_task: 'a number at which nothing can be read',
  bpf_trace_printk: 'into the report’s trace; `%p` shows the number, not a hash of it',
  bpf_snprintf: '`%p` shows the number, not a hash of it',
  bpf_stream_vprintk_impl: 'into the report’s trace',
  bpf_redirect: 'recorded in the report',
  bpf_redirect_map: 'recorded in the report',
  bpf_redirect_peer: 'recorded in the report',
  bpf_redirect_neigh: 'recorded in the report',
  bpf_clone_redirect: 'recorded in the report',
  bpf_sk_redirect_map: 'recorded in the report',
  bpf_sk_redirect_hash: 'recorded in the report',
  bpf_msg_redirect_map: 'recorded in the report',
  bpf_msg_redirect_hash: 'recorded in the report',
  bpf_sk_select_reuseport: 'recorded in the report',
  bpf_fib_lookup: 'the environment’s `routes`; without them nothing is forwarded',
  bpf_sk_lookup_tcp: 'the environment’s `sockets`',
  bpf_sk_lookup_udp: 'the environment’s `sockets`',
  bpf_skc_lookup_tcp: 'the environment’s `sockets`',
  bpf_sk_assign: 'as where a packet is not at ingress: refused',
  bpf_tcp_sock: 'no socket has the state of a TCP connection',
  bpf_get_stack: 'the environment’s `stack`',
  bpf_get_stackid: 'the environment’s `stack`',
  bpf_probe_read: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_probe_read_str: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_probe_read_kernel: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_probe_read_kernel_str: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_probe_read_user: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_probe_read_user_str: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_copy_from_user: 'what the program could reach anyway, and the environment’s `memory`',
  bpf_perf_event_output: 'into one ring buffer of the map, whatever the processor',
  bpf_get_hash_recalc: 'a hash without a secret',
  bpf_get_socket_cookie: '1',
  bpf_get_netns_cookie: '1',
  bpf_skb_cgroup_id: 'the root group',
  bpf_xdp_metadata_rx_timestamp: 'as on a device without it: refused',
  bpf_xdp_metadata_rx_hash: 'as on a device without it: refused',
  bpf_xdp_metadata_rx_vlan_tag: 'as on a device without it: refused',
  bpf_cpumask_create: 'of 16 processors, as per-CPU maps have',
  bpf_preempt_disable: 'does nothing: nothing here relies on it',
  bpf_local_irq_save: 'does nothing: nothing here relies on it',
  bpf_rcu_read_lock: 'a whole run is one section',
  bpf_res_spin_lock: 'a deadlock of two threads is found by its time only',
  bpf_obj_new_impl: '256 MiB in all; NULL beyond',
};
