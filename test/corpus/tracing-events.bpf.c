/* Event streams and histograms from tracepoints, kprobes and perf events. */
#include "corpus.h"

struct event {
  __u64 time;
  __u32 process;
  __u32 kind;
  char command[16];
  char path[64];
};

struct exec_record {
  __u64 header;
  __u32 path_location;
  __s32 process;
};

struct syscall_enter {
  __u64 header;
  __s64 number;
  __u64 arguments[6];
};

struct registers {
  unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
  unsigned long rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss;
};

struct sample {
  struct registers regs;
  __u64 period;
  __u64 address;
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} events SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} perf SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_STACK_TRACE);
  __uint(key_size, 4);
  __uint(value_size, 127 * 8);
  __uint(max_entries, 1024);
} stacks SEC(".maps");
TABLE(started, BPF_MAP_TYPE_HASH, __u32, __u64, 8192);
TABLE(latencies, BPF_MAP_TYPE_ARRAY, __u32, __u64, 64);
TABLE(scratch, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct event, 1);

/* corpus: ring buffer accepted */
SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct exec_record *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->time = bpf_ktime_get_ns();
  event->process = bpf_get_current_pid_tgid() >> 32;
  event->kind = 1;
  bpf_get_current_comm(event->command, sizeof(event->command));
  __u32 offset = ctx->path_location & 0xffff;
  bpf_probe_read_kernel_str(event->path, sizeof(event->path), (void *)ctx + offset);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tracepoint/raw_syscalls/sys_enter")
int discard_uninteresting(struct syscall_enter *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->process = bpf_get_current_pid_tgid() >> 32;
  if (event->process == 1 || ctx->number > 400) {
    bpf_ringbuf_discard(event, 0);
    return 0;
  }
  event->kind = ctx->number;
  bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tp/syscalls/sys_enter_openat")
int output_path(struct syscall_enter *ctx) {
  __u32 zero = 0;
  struct event *event = bpf_map_lookup_elem(&scratch, &zero);
  if (!event) return 0;
  event->kind = 2;
  long length = bpf_probe_read_user_str(event->path, sizeof(event->path), (void *)ctx->arguments[1]);
  if (length < 0) return 0;
  bpf_ringbuf_output(&events, event, offsetof(struct event, path) + (length & 63), 0);
  return 0;
}

static ALWAYS_INLINE __u32 log2_of(__u64 value) {
  __u32 high = value >> 32, result = 0;
  __u32 low = value;
  if (high) {
    result = 32;
    low = high;
  }
  __u32 shift = (low > 0xffff) << 4;
  low >>= shift;
  result |= shift;
  shift = (low > 0xff) << 3;
  low >>= shift;
  result |= shift;
  shift = (low > 0xf) << 2;
  low >>= shift;
  result |= shift;
  shift = (low > 0x3) << 1;
  low >>= shift;
  return result | shift | low >> 1;
}

/* corpus: map values accepted */
SEC("kprobe/vfs_read")
int read_begin(struct registers *ctx) {
  __u32 thread = bpf_get_current_pid_tgid();
  __u64 now = bpf_ktime_get_ns();
  if (ctx->rdx > 4096) bpf_map_update_elem(&started, &thread, &now, BPF_ANY);
  return 0;
}

/* corpus: ranges accepted */
SEC("kretprobe/vfs_read")
int read_end(struct registers *ctx) {
  __u32 thread = bpf_get_current_pid_tgid();
  __u64 *begin = bpf_map_lookup_elem(&started, &thread);
  if (!begin) return 0;
  __u64 delta = bpf_ktime_get_ns() - *begin;
  bpf_map_delete_elem(&started, &thread);
  __u32 slot = log2_of(delta / 1000);
  __u64 *count = bpf_map_lookup_elem(&latencies, &slot);
  if (count) __sync_fetch_and_add(count, 1);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("perf_event")
int profile(struct bpf_perf_event_data *unused) {
  struct sample *ctx = (void *)unused;
  struct event event = {};
  event.time = ctx->period;
  event.process = bpf_get_current_pid_tgid() >> 32;
  event.kind = bpf_get_stackid(unused, &stacks, BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP);
  bpf_perf_event_output(unused, &perf, BPF_F_CURRENT_CPU, &event, sizeof(event));
  return 0;
}

/* corpus: helper arguments accepted */
SEC("uprobe")
int on_function(struct registers *ctx) {
  char text[32] = {};
  long length = bpf_probe_read_user_str(text, sizeof(text), (void *)ctx->rdi);
  if (length > 0) bpf_printk("called with %s (%d)", text, (int)length);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("raw_tracepoint/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *ctx) {
  void *task = (void *)ctx->args[1];
  __u64 state = 0;
  if (bpf_probe_read_kernel(&state, sizeof(state), task)) return 0;
  __u32 slot = state & 63;
  __u64 *count = bpf_map_lookup_elem(&latencies, &slot);
  if (count) *count += 1;
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tracepoint/raw_syscalls/sys_enter")
int bad_forgotten_record(struct syscall_enter *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->process = bpf_get_current_pid_tgid() >> 32;
  if (event->process == 1) return 0;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tracepoint/raw_syscalls/sys_enter")
int bad_write_after_submit(struct syscall_enter *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  event->kind = 1;
  bpf_ringbuf_submit(event, 0);
  event->kind = 2;
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tracepoint/raw_syscalls/sys_enter")
int bad_submit_twice(struct syscall_enter *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  if (ctx->number == 1) bpf_ringbuf_discard(event, 0);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tracepoint/raw_syscalls/sys_enter")
int bad_submit_middle(struct syscall_enter *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;
  bpf_ringbuf_submit(&event->kind, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tracepoint/raw_syscalls/sys_enter")
int bad_record_overrun(struct syscall_enter *ctx) {
  char *event = bpf_ringbuf_reserve(&events, 32, 0);
  if (!event) return 0;
  bpf_get_current_comm(event + 17, 16);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tracepoint/raw_syscalls/sys_enter")
int bad_variable_record(struct syscall_enter *ctx) {
  char *event = bpf_ringbuf_reserve(&events, ctx->number & 63, 0);
  if (!event) return 0;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

/* corpus: context rejected */
SEC("tracepoint/sched/sched_process_exec")
int bad_common_fields(struct exec_record *ctx) {
  return ((char *)ctx)[3];
}

/* corpus: ranges rejected */
SEC("tracepoint/syscalls/sys_enter_write")
int bad_signed_size(struct syscall_enter *ctx) {
  __u32 zero = 0;
  struct event *event = bpf_map_lookup_elem(&scratch, &zero);
  if (!event) return 0;
  int length = (int)ctx->arguments[2];
  if (length > 64) length = 64;
  bpf_probe_read_user(event->path, length, (void *)ctx->arguments[1]);
  return 0;
}

/* corpus: helper arguments rejected */
SEC("tracepoint/syscalls/sys_enter_write")
int bad_user_key(struct syscall_enter *ctx) {
  bpf_map_lookup_elem(&started, (void *)ctx->arguments[1]);
  return 0;
}

/* corpus: context rejected */
SEC("kprobe/vfs_read")
int bad_write_register(struct registers *ctx) {
  ctx->rax = 0;
  return 0;
}

/* corpus: context rejected */
SEC("perf_event")
int bad_sample_tail(struct bpf_perf_event_data *ctx) {
  return *(volatile __u64 *)((char *)ctx + sizeof(struct sample));
}

/* corpus: helper arguments rejected */
SEC("perf_event")
int bad_output_uninitialised(struct bpf_perf_event_data *ctx) {
  __u64 value = 1;
  return bpf_perf_event_output(ctx, &started, 0, &value, sizeof(value));
}

char _license[] SEC("license") = "GPL";
