/* References: acquired, used, released exactly once, on every path. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct task_struct {
  int pid;
} CORE;

KFUNC struct task_struct *bpf_task_from_pid(int pid);
KFUNC struct task_struct *bpf_task_acquire(struct task_struct *p);
KFUNC void bpf_task_release(struct task_struct *p);

struct event {
  __u32 kind;
  __u64 value;
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} records SEC(".maps");
TABLE(counts, BPF_MAP_TYPE_ARRAY, __u32, __u64, 4);
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
  __uint(max_entries, 1);
} programs SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u64);
} sockets SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} sockmap SEC(".maps");

#define RESERVE(name)                                                     \
  struct event *name = bpf_ringbuf_reserve(&records, sizeof(*name), 0);   \
  if (!name) return 0

#define LOOKUP(name)                                                      \
  struct bpf_sock_tuple name##_tuple = {};                                \
  struct bpf_sock *name =                                                 \
      bpf_sk_lookup_tcp(skb, &name##_tuple, sizeof(name##_tuple.ipv4), BPF_F_CURRENT_NETNS, 0)

/* corpus: ring buffer accepted */
SEC("tc")
int record_submitted(struct __sk_buff *skb) {
  RESERVE(e);
  e->kind = 1;
  e->value = skb->len;
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_left(struct __sk_buff *skb) {
  RESERVE(e);
  e->kind = 1;
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_left_on_one_path(struct __sk_buff *skb) {
  RESERVE(e);
  if (skb->len > 100) return 1;
  bpf_ringbuf_discard(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_submitted_twice(struct __sk_buff *skb) {
  RESERVE(e);
  bpf_ringbuf_submit(e, 0);
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_used_after_submit(struct __sk_buff *skb) {
  RESERVE(e);
  bpf_ringbuf_submit(e, 0);
  return e->kind;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_moved(struct __sk_buff *skb) {
  RESERVE(e);
  bpf_ringbuf_submit((void *)e + 8, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_unchecked(struct __sk_buff *skb) {
  struct event *e = bpf_ringbuf_reserve(&records, sizeof(*e), 0);
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_overrun(struct __sk_buff *skb) {
  RESERVE(e);
  (&e->value)[1] = 1;
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_of_variable_size(struct __sk_buff *skb) {
  void *e = bpf_ringbuf_reserve(&records, skb->len & 63, 0);
  if (!e) return 0;
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int map_value_submitted(struct __sk_buff *skb) {
  __u32 key = 0;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (!count) return 0;
  bpf_ringbuf_submit(count, 0);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tc")
int record_as_map_value(struct __sk_buff *skb) {
  __u32 key = 0;
  RESERVE(e);
  e->value = 1;
  bpf_map_update_elem(&counts, &key, &e->value, 0);
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tc")
int record_through_stack(struct __sk_buff *skb) {
  RESERVE(e);
  struct event *volatile kept = e;
  bpf_ringbuf_submit(kept, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_through_stack_after(struct __sk_buff *skb) {
  RESERVE(e);
  struct event *volatile kept = e;
  bpf_ringbuf_submit(e, 0);
  return kept->kind;
}

/* corpus: ring buffer accepted */
SEC("tc")
int record_pair(struct __sk_buff *skb) {
  RESERVE(e);
  struct event *f = bpf_ringbuf_reserve(&records, sizeof(*f), 0);
  if (!f) {
    bpf_ringbuf_discard(e, 0);
    return 0;
  }
  *f = (struct event){.kind = 1};
  bpf_ringbuf_submit(f, 0);
  e->kind = 2;
  bpf_ringbuf_submit(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_pair_mixed_up(struct __sk_buff *skb) {
  RESERVE(e);
  struct event *f = bpf_ringbuf_reserve(&records, sizeof(*f), 0);
  if (!f) {
    bpf_ringbuf_discard(e, 0);
    return 0;
  }
  bpf_ringbuf_submit(f, 0);
  bpf_ringbuf_submit(f, 0);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tc")
int record_in_loop(struct __sk_buff *skb) {
  for (int i = 0; i < 50; i++) {
    struct event *e = bpf_ringbuf_reserve(&records, sizeof(*e), 0);
    if (!e) break;
    e->kind = i;
    bpf_ringbuf_submit(e, 0);
  }
  return 0;
}

static NOINLINE int finish(struct event *e) {
  e->kind = 1;
  bpf_ringbuf_submit(e, 0);
  return 0;
}

static NOINLINE struct event *begin(void) {
  return bpf_ringbuf_reserve(&records, sizeof(struct event), 0);
}

/* corpus: ring buffer accepted */
SEC("tc")
int record_across_functions(struct __sk_buff *skb) {
  struct event *e = begin();
  if (!e) return 0;
  finish(e);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_lost_by_function(struct __sk_buff *skb) {
  begin();
  return 0;
}

static long submit_pass(__u32 i, struct event **e) {
  bpf_ringbuf_submit(*e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_submitted_in_callback(struct __sk_buff *skb) {
  RESERVE(e);
  bpf_loop(2, submit_pass, &e, 0);
  return 0;
}

static long reserve_pass(__u32 i, void *context) {
  struct event *e = bpf_ringbuf_reserve(&records, sizeof(*e), 0);
  if (e) e->kind = 1;
  return 0;
}

static long balanced_pass(__u32 i, void *context) {
  struct event *e = bpf_ringbuf_reserve(&records, sizeof(*e), 0);
  if (e) bpf_ringbuf_discard(e, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_left_in_callback(struct __sk_buff *skb) {
  bpf_loop(2, reserve_pass, 0, 0);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tc")
int record_balanced_in_callback(struct __sk_buff *skb) {
  bpf_loop(2, balanced_pass, 0, 0);
  return 0;
}

/* corpus: ring buffer rejected */
SEC("tc")
int record_across_tail_call(struct __sk_buff *skb) {
  RESERVE(e);
  bpf_tail_call(skb, &programs, 0);
  bpf_ringbuf_discard(e, 0);
  return 0;
}

/* corpus: ring buffer accepted */
SEC("tc")
int tail_call_after_record(struct __sk_buff *skb) {
  RESERVE(e);
  bpf_ringbuf_discard(e, 0);
  bpf_tail_call(skb, &programs, 0);
  return 0;
}

/* corpus: references accepted */
SEC("tc")
int socket_released(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  int state = sk->state;
  bpf_sk_release(sk);
  return state & 1;
}

/* corpus: references rejected */
SEC("tc")
int socket_left(struct __sk_buff *skb) {
  LOOKUP(sk);
  return sk ? sk->state & 1 : 0;
}

/* corpus: references rejected */
SEC("tc")
int socket_released_unchecked(struct __sk_buff *skb) {
  LOOKUP(sk);
  bpf_sk_release(sk);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int socket_used_after_release(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  bpf_sk_release(sk);
  return sk->state & 1;
}

/* corpus: references rejected */
SEC("tc")
int field_socket_released(struct __sk_buff *skb) {
  struct bpf_sock *sk = skb->sk;
  if (!sk) return 0;
  bpf_sk_release(sk);
  return 0;
}

/* corpus: references accepted */
SEC("tc")
int full_socket_of_lookup(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_sock *full = bpf_sk_fullsock(sk);
  int mark = full ? full->mark : 0;
  bpf_sk_release(sk);
  return mark & 1;
}

/* corpus: references rejected */
SEC("tc")
int full_socket_outlives(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_sock *full = bpf_sk_fullsock(sk);
  if (!full) {
    bpf_sk_release(sk);
    return 0;
  }
  bpf_sk_release(sk);
  return full->mark & 1;
}

/* corpus: references accepted */
SEC("tc")
int released_by_full_socket(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_sock *full = bpf_sk_fullsock(sk);
  if (full) bpf_sk_release(full);
  else bpf_sk_release(sk);
  return 0;
}

/* corpus: references accepted */
SEC("tc")
int tcp_socket_of_lookup(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);
  int window = tcp ? tcp->snd_cwnd : 0;
  bpf_sk_release(sk);
  return window & 1;
}

/* corpus: references rejected */
SEC("tc")
int tcp_socket_outlives(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);
  bpf_sk_release(sk);
  return tcp ? tcp->snd_cwnd & 1 : 0;
}

/* corpus: references accepted */
SEC("tc")
int listener_of_lookup(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_sock *listener = bpf_get_listener_sock(sk);
  int state = listener ? listener->state : 0;
  bpf_sk_release(sk);
  return state & 1;
}

/* corpus: references rejected */
SEC("tc")
int listener_released(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_sock *listener = bpf_get_listener_sock(sk);
  if (listener) bpf_sk_release(listener);
  bpf_sk_release(sk);
  return 0;
}

/* corpus: references accepted */
SEC("tc")
int socket_storage(struct __sk_buff *skb) {
  LOOKUP(sk);
  if (!sk) return 0;
  struct bpf_sock *full = bpf_sk_fullsock(sk);
  if (full) {
    __u64 *count = bpf_sk_storage_get(&sockets, full, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (count) *count += 1;
  }
  bpf_sk_release(sk);
  return 0;
}

/* corpus: references accepted */
SEC("tc")
int two_sockets(struct __sk_buff *skb) {
  LOOKUP(a);
  if (!a) return 0;
  LOOKUP(b);
  if (b) bpf_sk_release(b);
  bpf_sk_release(a);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int two_sockets_one_left(struct __sk_buff *skb) {
  LOOKUP(a);
  if (!a) return 0;
  LOOKUP(b);
  if (b) bpf_sk_release(b);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int socket_in_map_value(struct __sk_buff *skb) {
  __u32 key = 0;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (!count) return 0;
  LOOKUP(sk);
  if (!sk) return 0;
  *count = (long)sk;
  return 0;
}

/* corpus: references accepted */
SEC("sk_skb/stream_verdict")
int socket_of_sockmap(struct __sk_buff *skb) {
  __u32 key = 0;
  struct bpf_sock *sk = bpf_map_lookup_elem(&sockmap, &key);
  if (!sk) return 0;
  int state = sk->state;
  bpf_sk_release(sk);
  return state & 1;
}

/* corpus: references rejected */
SEC("sk_skb/stream_verdict")
int socket_of_sockmap_left(struct __sk_buff *skb) {
  __u32 key = 0;
  struct bpf_sock *sk = bpf_map_lookup_elem(&sockmap, &key);
  return sk ? sk->state & 1 : 0;
}

/* corpus: references accepted */
SEC("tp_btf/task_newtask")
int task_released(__u64 *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  int pid = task->pid;
  bpf_task_release(task);
  return pid & 1;
}

/* corpus: references rejected */
SEC("tp_btf/task_newtask")
int task_left(__u64 *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  return task ? task->pid : 0;
}

/* corpus: references rejected */
SEC("tp_btf/task_newtask")
int task_released_twice(__u64 *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  bpf_task_release(task);
  bpf_task_release(task);
  return 0;
}

/* corpus: references rejected */
SEC("tp_btf/task_newtask")
int task_argument_released(__u64 *ctx) {
  bpf_task_release((struct task_struct *)ctx[0]);
  return 0;
}

/* corpus: references accepted */
SEC("tp_btf/task_newtask")
int task_argument_acquired(__u64 *ctx) {
  struct task_struct *task = bpf_task_acquire((struct task_struct *)ctx[0]);
  if (!task) return 0;
  bpf_task_release(task);
  return 0;
}

/* corpus: references accepted */
SEC("tp_btf/task_newtask")
int task_in_loop(__u64 *ctx) {
  int sum = 0;
  for (int i = 1; i < 30; i++) {
    struct task_struct *task = bpf_task_from_pid(i);
    if (!task) continue;
    sum += task->pid;
    bpf_task_release(task);
  }
  return sum & 1;
}

/* corpus: references rejected */
SEC("tp_btf/task_newtask")
int task_kept_in_loop(__u64 *ctx) {
  struct task_struct *last = 0;
  for (int i = 1; i < 5; i++) {
    struct task_struct *task = bpf_task_from_pid(i);
    if (!task) continue;
    if (last && (i & 1)) bpf_task_release(last);
    last = task;
  }
  if (last) bpf_task_release(last);
  return 0;
}

/* corpus: ld_abs rejected */
SEC("tc")
int legacy_load_with_reference(struct __sk_buff *skb) {
  RESERVE(e);
  asm volatile("r6 = %0; r0 = *(u8 *)skb[0];" : : "r"(skb) : "r0", "r1", "r2", "r3", "r4", "r5", "r6");
  bpf_ringbuf_discard(e, 0);
  return 0;
}

char _license[] SEC("license") = "GPL";
