/**
 * The hooks of Linux security modules, and the functions of the kernel that tracing programs may
 * not be attached to or may change. BTF names the functions (`bpf_lsm_file_open`); which of them
 * are closed to programs, may sleep or take a new result, the kernel lists.
 *
 * Sources: Documentation/bpf/prog_lsm.rst; the sets of Linux 6.18 (names are facts of its ABI).
 */

const names = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/).filter(Boolean));

/** lsm hooks whose arguments may be half made or half gone: not proven valid. */
export const UNTRUSTED_LSM_HOOKS = names(`
  bpf_map_free bpf_prog_free file_alloc_security file_free_security sk_alloc_security
  sk_free_security task_free`);

/** Hooks that no program may be attached to: their results are not verdicts. */
export const DISABLED_LSM_HOOKS = names(`
  vm_enough_memory inode_need_killpriv inode_getsecurity inode_listsecurity inode_copy_up_xattr
  getselfattr getprocattr setprocattr key_getsecurity audit_rule_match ismaclabel`);

/** Hooks at which the kernel may sleep. */
export const SLEEPABLE_LSM_HOOKS = names(`
  bpf bpf_map bpf_map_create bpf_map_free bpf_prog bpf_prog_load bpf_prog_free bpf_token_create
  bpf_token_free bpf_token_cmd bpf_token_capable bprm_check_security bprm_committed_creds
  bprm_committing_creds bprm_creds_for_exec bprm_creds_from_file capget capset cred_prepare
  file_ioctl file_lock file_open file_post_open file_receive inode_create inode_free_security
  inode_getattr inode_getxattr inode_mknod inode_need_killpriv inode_post_setxattr
  inode_post_removexattr inode_readlink inode_removexattr inode_rename inode_rmdir inode_setattr
  inode_setxattr inode_symlink inode_unlink inode_set_acl inode_remove_acl inode_get_acl
  inode_mkdir inode_link inode_permission inode_setsecctx inode_notifysecctx kernel_load_data
  kernel_module_request kernel_read_file kernel_post_read_file kernel_post_load_data
  kernfs_init_security key_alloc mmap_file netlink_send path_notify path_chmod path_chown
  path_chroot path_link path_mkdir path_mknod path_rename path_rmdir path_symlink path_truncate
  path_unlink quotactl quota_on release_secctx sb_alloc_security sb_eat_lsm_opts sb_kern_mount
  sb_mount sb_remount sb_set_mnt_opts sb_show_options sb_statfs sb_umount settime
  shm_alloc_security socket_accept socket_bind socket_connect socket_create socket_getpeername
  socket_getpeersec_dgram socket_getsockname socket_getsockopt socket_listen socket_post_create
  socket_recvmsg socket_sendmsg socket_setsockopt socket_shutdown socket_socketpair syslog
  task_alloc task_getsecid_obj task_prctl task_setscheduler task_to_inode current_getsecid_subj
  bdev_setintegrity unix_may_send userns_create`);

/** Functions on which the tracing machinery itself stands. */
export const UNTRACEABLE = names(`
  migrate_disable migrate_enable rcu_read_unlock_strict preempt_count_add preempt_count_sub
  __rcu_read_lock __rcu_read_unlock`);

/** Functions that never return: nothing runs at their exit. */
export const NEVER_RETURNING = names(`
  __ia32_sys_exit __ia32_sys_exit_group __x64_sys_exit __x64_sys_exit_group do_exit do_group_exit
  kthread_complete_and_exit kthread_exit make_task_dead`);

/**
 * Whether programs may replace the function's result. The kernel marks such functions for error
 * injection, which BTF does not show; these families it always marks.
 */
export const isModifiable = (name: string): boolean =>
  /^(security_|__(x64|ia32|arm64|riscv|s390x?)_(compat_)?sys_|should_fail|bpf_modify_return_test)/.test(
    name,
  ) || name === 'bpf_fentry_test1';

/** Whether the function may sleep, as far as its name tells. */
export const maySleep = (name: string): boolean =>
  /^(__(x64|ia32|arm64|riscv|s390x?)_(compat_)?sys_|bpf_modify_return_test)/.test(name) ||
  name === 'bpf_fentry_test1';
