/* More of tracing: CO-RE reads, stacks, signals, formats, strings, storage, kernel configuration. */
#include "corpus.h"

#include <linux/ptrace.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct nsproxy {
  struct pid_namespace *pid_ns_for_children;
} CORE;
struct ns_common {
  unsigned int inum;
} CORE;
struct pid_namespace {
  struct ns_common ns;
} CORE;
struct cred {
  struct {
    unsigned int val;
  } uid;
} CORE;
struct task_struct {
  int pid;
  int tgid;
  unsigned int in_iowait : 1;
  struct task_struct *real_parent;
  struct nsproxy *nsproxy;
  const struct cred *cred;
  char comm[16];
} CORE;
struct task_struct___gone {
  int no_such_member;
} CORE;

extern int LINUX_KERNEL_VERSION __kconfig;

const volatile int wanted_process = 0;
const volatile char wanted_command[16] = "cat";
static const char prefix[] = "/usr/bin/";

struct key {
  int process;
  int user_stack;
  int kernel_stack;
  char command[16];
};

TABLE(samples, BPF_MAP_TYPE_HASH, struct key, __u64, 10240);
TABLE(paths, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, char[512], 1);
TABLE(histogram, BPF_MAP_TYPE_HASH, __u32, __u64[32], 128);
struct {
  __uint(type, BPF_MAP_TYPE_STACK_TRACE);
  __uint(key_size, 4);
  __uint(value_size, 64 * 8);
  __uint(max_entries, 4096);
} stacks SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} events SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 14);
} ring SEC(".maps");

/* corpus: helper arguments accepted */
SEC("kprobe/do_unlinkat")
int core_reads(void *ctx) {
  struct task_struct *task = (void *)bpf_get_current_task();
  unsigned int space = BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum);
  int parent = BPF_CORE_READ(task, real_parent, tgid);
  unsigned int user = BPF_CORE_READ(task, cred, uid.val);
  bpf_printk("ns %u parent %d user %u", space, parent, user);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("kprobe")
int core_exists(void *ctx) {
  struct task_struct___gone *task = (void *)bpf_get_current_task();
  if (bpf_core_field_exists(task->no_such_member)) return BPF_CORE_READ(task, no_such_member);
  return bpf_core_type_size(struct task_struct) > 100;
}

/* corpus: ranges accepted */
SEC("kprobe")
int core_bitfield(void *ctx) {
  struct task_struct *task = (void *)bpf_get_current_task();
  return BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
}

/* corpus: helper arguments accepted */
SEC("perf_event")
int profile_stacks(void *ctx) {
  struct key key = {};
  __u64 id = bpf_get_current_pid_tgid();
  key.process = id >> 32;
  if (wanted_process && key.process != wanted_process) return 0;
  key.user_stack = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
  key.kernel_stack = bpf_get_stackid(ctx, &stacks, 0);
  bpf_get_current_comm(key.command, sizeof(key.command));
  __u64 zero = 0, *count = bpf_map_lookup_elem(&samples, &key);
  if (!count) {
    bpf_map_update_elem(&samples, &key, &zero, BPF_NOEXIST);
    count = bpf_map_lookup_elem(&samples, &key);
    if (!count) return 0;
  }
  __sync_fetch_and_add(count, 1);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("kprobe")
int compare_command(void *ctx) {
  char command[16];
  if (bpf_get_current_comm(command, sizeof(command))) return 0;
  for (int i = 0; i < 16; i++) {
    if (command[i] != wanted_command[i]) return 0;
    if (command[i] == 0) break;
  }
  bpf_send_signal(9);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("kprobe")
int compare_prefix(void *ctx) {
  char path[16];
  if (bpf_probe_read_user_str(path, sizeof(path), ctx) < (long)sizeof(prefix)) return 0;
  return bpf_strncmp(path, sizeof(prefix) - 1, prefix) == 0;
}

/* corpus: helper arguments accepted */
SEC("kprobe")
int format_text(void *ctx) {
  char text[64];
  static const char format[] = "%s-%d-%llx";
  __u64 arguments[3] = {(__u64)(long)prefix, 5, bpf_ktime_get_boot_ns()};
  long length = bpf_snprintf(text, sizeof(text), format, arguments, sizeof(arguments));
  if (length <= 0 || length > (long)sizeof(text)) return 0;
  return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, text, length);
}

/* corpus: stack accepted */
SEC("kprobe")
int raw_stack(void *ctx) {
  __u64 frames[16];
  long bytes = bpf_get_stack(ctx, frames, sizeof(frames), 0);
  if (bytes < 8) return 0;
  return frames[0] == frames[(bytes - 8) >> 3 & 15];
}

/* corpus: ranges accepted */
SEC("tp/syscalls/sys_enter_execve")
int append_arguments(__u64 *ctx) {
  __u32 zero = 0;
  char *buffer = bpf_map_lookup_elem(&paths, &zero);
  if (!buffer) return 0;
  __u32 used = 0;
  const char **arguments = (const char **)ctx[3];
  for (int i = 0; i < 8; i++) {
    const char *argument = NULL;
    if (bpf_probe_read_user(&argument, sizeof(argument), &arguments[i]) || !argument) break;
    if (used > 512 - 64) break;
    long length = bpf_probe_read_user_str(buffer + used, 64, argument);
    if (length < 0) break;
    used += length;
  }
  if (used > 512) return 0;
  bpf_ringbuf_output(&ring, buffer, used, 0);
  return 0;
}

/* corpus: map values accepted */
SEC("tp/block/block_rq_complete")
int block_histogram(__u64 *ctx) {
  __u32 device = ctx[1];
  __u64(*slots)[32] = bpf_map_lookup_elem(&histogram, &device);
  if (!slots) return 0;
  __u64 sectors = ctx[3] & 0xffff;
  __u32 slot = 0;
  for (int i = 0; i < 31; i++) {
    if (sectors <= 1) break;
    sectors >>= 1;
    slot++;
  }
  __sync_fetch_and_add(&(*slots)[slot & 31], 1);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("kprobe")
int kernel_version(void *ctx) {
  if (LINUX_KERNEL_VERSION < 0x60000) return bpf_skb_vlan_pop(ctx);
  return LINUX_KERNEL_VERSION > 0x60100;
}

/* corpus: context accepted */
SEC("raw_tp/sys_enter")
int raw_arguments(struct bpf_raw_tracepoint_args *ctx) {
  unsigned long number = ctx->args[1];
  __u32 key = number & 0xff;
  __u64(*slots)[32] = bpf_map_lookup_elem(&histogram, &key);
  if (slots) (*slots)[0]++;
  return 0;
}

/* corpus: helper arguments accepted */
SEC("kprobe/do_sys_openat2")
int BPF_KPROBE(opened, int directory, const char *name) {
  char path[32] = {};
  bpf_probe_read_user_str(path, sizeof(path), name);
  return path[0] == '/' && directory == -100;
}

/* corpus: context accepted */
SEC("kretprobe/do_sys_openat2")
int BPF_KRETPROBE(open_result, long result) {
  __u32 key = result < 0;
  __u64(*slots)[32] = bpf_map_lookup_elem(&histogram, &key);
  if (slots) (*slots)[1]++;
  return 0;
}

/* corpus: context accepted */
SEC("tp_btf/sys_enter")
int BPF_PROG(typed_syscall, struct pt_regs *regs, long number) {
  __u32 key = number;
  __u64(*slots)[32] = bpf_map_lookup_elem(&histogram, &key);
  if (slots) (*slots)[2] += regs->rdi;
  return 0;
}

/* corpus: helper arguments accepted */
SEC("syscall")
int from_user(void *ctx) {
  struct {
    __u64 a, b;
  } *arguments = ctx;
  __u64 value = 0;
  bpf_copy_from_user(&value, sizeof(value), (void *)arguments->a);
  arguments->b = value;
  return value == 3;
}

/* corpus: ranges rejected */
SEC("tp/syscalls/sys_enter_execve")
int bad_append(__u64 *ctx) {
  __u32 zero = 0;
  char *buffer = bpf_map_lookup_elem(&paths, &zero);
  if (!buffer) return 0;
  __u32 used = 0;
  for (int i = 0; i < 20; i++) {
    long length = bpf_probe_read_user_str(buffer + used, 64, (void *)ctx[2]);
    if (length < 0) break;
    used += length;
  }
  return used;
}

/* corpus: map values rejected */
SEC("kprobe")
int bad_slot(void *ctx) {
  __u32 key = 0;
  __u64(*slots)[32] = bpf_map_lookup_elem(&histogram, &key);
  if (!slots) return 0;
  __u32 slot = bpf_get_prandom_u32() & 63;
  (*slots)[slot]++;
  return 0;
}

/* corpus: helper arguments rejected */
SEC("kprobe")
int bad_kernel_memory(void *ctx) {
  struct task_struct *task = (void *)bpf_get_current_task();
  return *(volatile int *)((char *)task + 64);
}

/* corpus: helper arguments rejected */
SEC("kprobe")
int bad_format_place(void *ctx) {
  char text[16], format[4] = "%d";
  __u64 arguments[1] = {1};
  return bpf_snprintf(text, sizeof(text), format, arguments, sizeof(arguments));
}

/* corpus: helper arguments rejected */
SEC("kprobe")
int bad_comm_size(void *ctx) {
  char command[16];
  return bpf_get_current_comm(command, 17);
}

/* corpus: stack rejected */
SEC("kprobe")
int bad_stack_frames(void *ctx) {
  __u64 frames[16];
  long bytes = bpf_get_stack(ctx, frames, sizeof(frames), 0);
  return frames[bytes >> 3];
}

/* corpus: helper arguments rejected */
SEC("tc")
int bad_tracing_helper(struct __sk_buff *skb) {
  return bpf_get_stackid(skb, &stacks, 0);
}

/* corpus: helper arguments rejected */
SEC("kprobe")
int bad_stack_map(void *ctx) {
  return bpf_get_stackid(ctx, &histogram, 0);
}

/* corpus: context rejected */
SEC("raw_tp/sys_enter")
int bad_raw_offset(struct bpf_raw_tracepoint_args *ctx) {
  return *(volatile int *)((char *)ctx + 4 + 96);
}

/* corpus: helper arguments rejected */
SEC("kprobe")
int bad_sleep(void *ctx) {
  __u64 value;
  return bpf_copy_from_user(&value, sizeof(value), ctx);
}

char _license[] SEC("license") = "GPL";
