/* fentry, fexit, tp_btf, fmod_ret, lsm and iterators, on kernel types by BTF. */
#include "corpus.h"
#include <bpf/bpf_tracing.h>

struct mount_namespace CORE;
struct qstr {
  const unsigned char *name;
} CORE;
struct dentry {
  struct qstr d_name;
  struct dentry *d_parent;
} CORE;
struct path {
  struct dentry *dentry;
} CORE;
struct inode {
  unsigned short i_mode;
  unsigned long i_ino;
} CORE;
struct file {
  struct inode *f_inode;
  unsigned int f_flags;
  struct path f_path;
} CORE;
struct mm_struct {
  unsigned long total_vm;
} CORE;
struct task_struct {
  int pid;
  int tgid;
  char comm[16];
  struct task_struct *real_parent;
  struct task_struct *group_leader;
  struct mm_struct *mm;
  unsigned int flags;
} CORE;
struct linux_binprm {
  struct file *file;
  const char *filename;
} CORE;
struct sock_common {
  unsigned short skc_family;
  __be32 skc_daddr;
  __be16 skc_dport;
} CORE;
struct sock {
  struct sock_common __sk_common;
  __u16 sk_protocol;
} CORE;
struct socket {
  struct sock *sk;
  short type;
} CORE;
struct sk_buff {
  unsigned int len;
  unsigned short protocol;
  struct sock *sk;
} CORE;
struct seq_file;
struct bpf_iter_meta {
  struct seq_file *seq;
  __u64 session_id;
  __u64 seq_num;
} CORE;
struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
} CORE;
struct bpf_map;
struct bpf_iter__bpf_map_elem {
  struct bpf_iter_meta *meta;
  struct bpf_map *map;
  void *key;
  void *value;
} CORE;

TABLE(by_process, BPF_MAP_TYPE_HASH, __u32, __u64, 1024);
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u64);
} per_task SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_INODE_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u64);
} per_inode SEC(".maps");

/* corpus: context accepted */
SEC("fentry/vfs_open")
int BPF_PROG(open_flags, const struct path *path, struct file *file) {
  __u32 process = bpf_get_current_pid_tgid() >> 32;
  __u64 flags = file->f_flags;
  bpf_map_update_elem(&by_process, &process, &flags, BPF_ANY);
  return 0;
}

/* corpus: context accepted */
SEC("fexit/vfs_read")
int BPF_PROG(read_result, struct file *file, char *buffer, unsigned long count, long long *position,
             long result) {
  __u32 process = bpf_get_current_pid_tgid() >> 32;
  if (result < 0) return 0;
  __u64 inode = file->f_inode->i_ino + result;
  bpf_map_update_elem(&by_process, &process, &inode, BPF_ANY);
  return 0;
}

/* corpus: context accepted */
SEC("tp_btf/sched_switch")
int BPF_PROG(switched, bool preempt, struct task_struct *previous, struct task_struct *next) {
  __u32 process = next->pid;
  __u64 parent = next->real_parent->tgid;
  if (previous->flags & 0x200000) return 0;
  bpf_map_update_elem(&by_process, &process, &parent, BPF_ANY);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("tp_btf/task_newtask")
int BPF_PROG(new_task, struct task_struct *task, unsigned long flags) {
  __u64 *value = bpf_task_storage_get(&per_task, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (value) *value = bpf_ktime_get_ns();
  return 0;
}

/* corpus: helper arguments accepted */
SEC("fentry/wake_up_new_task")
int BPF_PROG(current_storage) {
  struct task_struct *task = (void *)bpf_get_current_task_btf();
  __u64 *value = bpf_task_storage_get(&per_task, task, 0, 0);
  if (value) *value += task->pid;
  return 0;
}

/* corpus: context accepted */
SEC("lsm/file_open")
int BPF_PROG(deny_open, struct file *file, int result) {
  if (file->f_inode->i_ino == 4242) return -1;
  return 0;
}

/* corpus: context accepted */
SEC("lsm/bprm_check_security")
int BPF_PROG(deny_exec, struct linux_binprm *binprm, int result) {
  __u64 *value = bpf_inode_storage_get(&per_inode, binprm->file->f_inode, 0,
                                       BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (value && *value > 10) return -1;
  return 0;
}

/* corpus: context accepted */
SEC("lsm/socket_connect")
int BPF_PROG(deny_connect, struct socket *socket, void *address, int length) {
  if (length < 2) return 0;
  return socket->type == 3 ? -1 : 0;
}

/* corpus: context accepted */
SEC("fmod_ret/security_file_open")
int BPF_PROG(modify_open, struct file *file, int result) {
  return file->f_flags & 0x8000 ? -13 : 0;
}

/* corpus: context accepted */
SEC("iter/task")
int dump_tasks(struct bpf_iter__task *ctx) {
  struct task_struct *task = ctx->task;
  struct seq_file *seq = ctx->meta->seq;
  if (!task) return 0;
  if (ctx->meta->seq_num == 0) {
    static const char heading[] = "pid command\n";
    bpf_seq_write(seq, heading, sizeof(heading) - 1);
  }
  __u64 values[1] = {task->pid};
  static const char format[] = "%d\n";
  bpf_seq_printf(seq, format, sizeof(format), values, sizeof(values));
  return 0;
}

/* corpus: context accepted */
SEC("iter/bpf_map_elem")
int dump_elements(struct bpf_iter__bpf_map_elem *ctx) {
  __u32 *key = ctx->key;
  __u64 *value = ctx->value;
  if (!key || !value) return 0;
  __u64 sum = *key + *value;
  bpf_seq_write(ctx->meta->seq, &sum, sizeof(sum));
  return 0;
}

/* corpus: helper arguments accepted */
SEC("fentry/tcp_connect")
int BPF_PROG(connecting, struct sock *sk) {
  __u32 key = sk->__sk_common.skc_daddr;
  __u64 port = bpf_ntohs(sk->__sk_common.skc_dport);
  if (sk->__sk_common.skc_family == 2) bpf_map_update_elem(&by_process, &key, &port, BPF_ANY);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("fentry.s/__x64_sys_fsync")
int BPF_PROG(sleepable_copy, struct pt_regs *registers) {
  char buffer[16];
  struct task_struct *task = (void *)bpf_get_current_task_btf();
  bpf_copy_from_user(buffer, sizeof(buffer), 0);
  return task->pid && buffer[0] ? 0 : 0;
}

/* corpus: context rejected */
SEC("fentry/vfs_open")
int BPF_PROG(bad_write_kernel, const struct path *path, struct file *file) {
  file->f_flags = 0;
  return 0;
}

/* corpus: context rejected */
SEC("tp_btf/sched_switch")
int BPF_PROG(bad_beyond_struct, bool preempt, struct task_struct *previous, struct task_struct *next) {
  return *((volatile __u64 *)next + 100000);
}

/* corpus: context rejected */
SEC("fentry/vfs_open")
int bad_third_argument(unsigned long long *ctx) {
  return ctx[2];
}

/* corpus: context rejected */
SEC("lsm/file_open")
int BPF_PROG(bad_positive_result, struct file *file, int result) {
  return 1;
}

/* corpus: context accepted */
SEC("iter/task")
int maybe_no_task(struct bpf_iter__task *ctx) {
  __u64 *value = bpf_task_storage_get(&per_task, ctx->task, 0, 0);
  return value ? 0 : 0;
}

/* corpus: helper arguments accepted */
SEC("tp_btf/sched_switch")
int BPF_PROG(storage_of_leader, bool preempt, struct task_struct *previous,
             struct task_struct *next) {
  __u64 *value = bpf_task_storage_get(&per_task, next->group_leader->real_parent->group_leader, 0, 0);
  if (value) *value = 1;
  return 0;
}

/* corpus: helper arguments rejected */
SEC("fentry/vfs_open")
int BPF_PROG(bad_may_not_sleep, const struct path *path, struct file *file) {
  char buffer[16];
  bpf_copy_from_user(buffer, sizeof(buffer), 0);
  return buffer[0] ? 0 : 0;
}

/* corpus: helper arguments rejected */
SEC("tp_btf/task_newtask")
int BPF_PROG(bad_wrong_storage, struct task_struct *task, unsigned long flags) {
  __u64 *value = bpf_inode_storage_get(&per_inode, (void *)task, 0, 0);
  return value ? 0 : 0;
}

char _license[] SEC("license") = "GPL";
