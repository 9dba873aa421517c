/* References, locks, timers, dynptrs, kernel pointers in maps, allocated objects. */
#include "corpus.h"

#include <linux/version.h>
/* corpus: needs v1, clang-19 */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
struct bpf_list_head {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
  __u64 opaque[3];
} __attribute__((aligned(8)));
#endif
struct task_struct {
  int pid;
} CORE;
struct cpumask {
  unsigned long bits[1];
} CORE;
struct bpf_cpumask {
  struct cpumask cpumask;
} CORE;

#define KPTR __attribute__((btf_type_tag("kptr")))
#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))

KFUNC struct task_struct *bpf_task_acquire(struct task_struct *p);
KFUNC void bpf_task_release(struct task_struct *p);
KFUNC struct task_struct *bpf_task_from_pid(int pid);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);
KFUNC void bpf_preempt_disable(void);
KFUNC void bpf_preempt_enable(void);
KFUNC void *bpf_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_obj_drop_impl(void *object, void *meta);
KFUNC int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
                                  __u64 offset);
KFUNC struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head);
KFUNC int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr);
KFUNC int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr);
KFUNC void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size);
KFUNC void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
                                  __u32 size);
KFUNC struct bpf_cpumask *bpf_cpumask_create(void);
KFUNC void bpf_cpumask_release(struct bpf_cpumask *mask);
KFUNC void bpf_cpumask_set_cpu(__u32 cpu, struct bpf_cpumask *mask);
KFUNC bool bpf_cpumask_test_cpu(__u32 cpu, const struct cpumask *mask);

struct guarded {
  struct bpf_spin_lock lock;
  __u32 count;
  __u64 total;
};

struct timed {
  struct bpf_timer timer;
  __u64 expirations;
};

struct held_task {
  struct task_struct KPTR *task;
};

struct held_mask {
  struct bpf_cpumask KPTR *mask;
};

struct item {
  struct bpf_list_node node;
  __u64 value;
};

struct queue {
  struct bpf_spin_lock lock;
  struct bpf_list_head head CONTAINS(item, node);
};

TABLE(guards, BPF_MAP_TYPE_HASH, __u32, struct guarded, 64);
TABLE(timers, BPF_MAP_TYPE_ARRAY, __u32, struct timed, 4);
TABLE(tasks, BPF_MAP_TYPE_HASH, __u32, struct held_task, 64);
TABLE(masks, BPF_MAP_TYPE_ARRAY, __u32, struct held_mask, 1);
TABLE(queues, BPF_MAP_TYPE_ARRAY, __u32, struct queue, 1);
TABLE(buffers, BPF_MAP_TYPE_ARRAY, __u32, char[256], 1);
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} records SEC(".maps");

/* corpus: references accepted */
SEC("tc")
int lookup_socket(struct __sk_buff *skb) {
  struct bpf_sock_tuple tuple = {};
  tuple.ipv4.daddr = skb->mark;
  tuple.ipv4.dport = bpf_htons(80);
  struct bpf_sock *sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  if (!sk) return TC_ACT_OK;
  int verdict = sk->state == 10 ? TC_ACT_OK : TC_ACT_SHOT;
  if (sk->state == 10) bpf_sk_assign(skb, sk, 0);
  bpf_sk_release(sk);
  return verdict;
}

/* corpus: references accepted */
SEC("xdp")
int syn_cookie(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_TCP) return XDP_PASS;
  if (layers.ip->ihl != 5) return XDP_PASS;
  struct tcphdr *tcp = (void *)(layers.ip + 1);
  if ((void *)(tcp + 1) > end || !tcp->syn) return XDP_PASS;
  struct bpf_sock_tuple tuple = {};
  tuple.ipv4.saddr = layers.ip->saddr;
  tuple.ipv4.daddr = layers.ip->daddr;
  tuple.ipv4.sport = tcp->source;
  tuple.ipv4.dport = tcp->dest;
  struct bpf_sock *sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  if (!sk) return XDP_DROP;
  __s64 cookie = bpf_tcp_gen_syncookie(sk, layers.ip, sizeof(*layers.ip), tcp, sizeof(*tcp));
  bpf_sk_release(sk);
  return cookie < 0 ? XDP_DROP : XDP_PASS;
}

/* corpus: references rejected */
SEC("tc")
int bad_socket_leak(struct __sk_buff *skb) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  return sk ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: references rejected */
SEC("tc")
int bad_release_null(struct __sk_buff *skb) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  bpf_sk_release(sk);
  return TC_ACT_OK;
}

/* corpus: references rejected */
SEC("tc")
int bad_use_after_release(struct __sk_buff *skb) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  if (!sk) return TC_ACT_OK;
  bpf_sk_release(sk);
  return sk->mark;
}

/* corpus: references accepted */
SEC("tp_btf/task_newtask")
int find_task(__u64 *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  __u64 pid = task->pid;
  bpf_task_release(task);
  return pid == 2;
}

/* corpus: references rejected */
SEC("tp_btf/task_newtask")
int bad_task_leak(__u64 *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  return task != NULL;
}

/* corpus: references rejected */
SEC("tp_btf/task_newtask")
int bad_task_release_unchecked(__u64 *ctx) {
  bpf_task_release(bpf_task_from_pid(1));
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int count_under_lock(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct guarded *guarded = bpf_map_lookup_elem(&guards, &key);
  if (!guarded) return TC_ACT_OK;
  bpf_spin_lock(&guarded->lock);
  guarded->count++;
  guarded->total += skb->len;
  bpf_spin_unlock(&guarded->lock);
  return TC_ACT_OK;
}

/* corpus: locks accepted */
SEC("tc")
int branch_under_lock(struct __sk_buff *skb) {
  __u32 key = skb->mark, over = 0;
  struct guarded *guarded = bpf_map_lookup_elem(&guards, &key);
  if (!guarded) return TC_ACT_OK;
  bpf_spin_lock(&guarded->lock);
  if (guarded->count > 100) {
    over = 1;
    guarded->count = 0;
  }
  bpf_spin_unlock(&guarded->lock);
  return over ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_return_locked(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct guarded *guarded = bpf_map_lookup_elem(&guards, &key);
  if (!guarded) return TC_ACT_OK;
  bpf_spin_lock(&guarded->lock);
  if (guarded->count > 100) return TC_ACT_SHOT;
  bpf_spin_unlock(&guarded->lock);
  return TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_call_under_lock(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct guarded *guarded = bpf_map_lookup_elem(&guards, &key);
  if (!guarded) return TC_ACT_OK;
  bpf_spin_lock(&guarded->lock);
  guarded->total = bpf_ktime_get_ns();
  bpf_spin_unlock(&guarded->lock);
  return TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_lock_twice(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct guarded *guarded = bpf_map_lookup_elem(&guards, &key);
  if (!guarded) return TC_ACT_OK;
  bpf_spin_lock(&guarded->lock);
  bpf_spin_lock(&guarded->lock);
  bpf_spin_unlock(&guarded->lock);
  return TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_touch_lock(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct guarded *guarded = bpf_map_lookup_elem(&guards, &key);
  if (!guarded) return TC_ACT_OK;
  *(volatile __u32 *)&guarded->lock = 1;
  return TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_unlock_other(struct __sk_buff *skb) {
  __u32 key = skb->mark, other = 1;
  struct guarded *a = bpf_map_lookup_elem(&guards, &key);
  struct guarded *b = bpf_map_lookup_elem(&guards, &other);
  if (!a || !b) return TC_ACT_OK;
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&b->lock);
  return TC_ACT_OK;
}

/* corpus: locks accepted */
SEC("tc")
int rcu_section(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  int result = skb->len > 100;
  bpf_rcu_read_unlock();
  return result;
}

/* corpus: locks rejected */
SEC("tc")
int bad_rcu_left_open(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  if (skb->len > 100) return TC_ACT_SHOT;
  bpf_rcu_read_unlock();
  return TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_preempt_left_off(struct __sk_buff *skb) {
  bpf_preempt_disable();
  return TC_ACT_OK;
}

static int expired(void *map, __u32 *key, struct timed *value) {
  value->expirations++;
  if (*key == 0) bpf_timer_start(&value->timer, 1000000, 0);
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int arm_timer(struct __sk_buff *skb) {
  __u32 key = 0;
  struct timed *timed = bpf_map_lookup_elem(&timers, &key);
  if (!timed) return TC_ACT_OK;
  if (bpf_timer_init(&timed->timer, &timers, 1 /* CLOCK_MONOTONIC */)) return TC_ACT_OK;
  bpf_timer_set_callback(&timed->timer, expired);
  bpf_timer_start(&timed->timer, 1000000, 0);
  return TC_ACT_OK;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_timer_other_map(struct __sk_buff *skb) {
  __u32 key = 0;
  struct timed *timed = bpf_map_lookup_elem(&timers, &key);
  if (!timed) return TC_ACT_OK;
  return bpf_timer_init(&timed->timer, &guards, 1);
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_timer_offset(struct __sk_buff *skb) {
  __u32 key = 0;
  struct timed *timed = bpf_map_lookup_elem(&timers, &key);
  if (!timed) return TC_ACT_OK;
  return bpf_timer_cancel((void *)&timed->expirations);
}

/* corpus: dynptr accepted */
SEC("tp/syscalls/sys_enter_nanosleep")
int dynptr_record(void *ctx) {
  struct bpf_dynptr record;
  __u64 stamp = bpf_ktime_get_ns();
  if (bpf_ringbuf_reserve_dynptr(&records, 64, 0, &record)) {
    bpf_ringbuf_discard_dynptr(&record, 0);
    return 0;
  }
  bpf_dynptr_write(&record, 8, &stamp, sizeof(stamp), 0);
  __u32 *first = bpf_dynptr_data(&record, 0, sizeof(*first));
  if (first) *first = 1;
  bpf_ringbuf_submit_dynptr(&record, 0);
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int dynptr_packet(struct __sk_buff *skb) {
  struct bpf_dynptr packet;
  struct ethhdr buffer, *eth;
  if (bpf_dynptr_from_skb(skb, 0, &packet)) return TC_ACT_OK;
  eth = bpf_dynptr_slice(&packet, 0, &buffer, sizeof(buffer));
  if (!eth) return TC_ACT_OK;
  return eth->h_proto == bpf_htons(ETH_P_ARP) ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: dynptr accepted */
SEC("xdp")
int dynptr_rewrite(struct xdp_md *ctx) {
  struct bpf_dynptr packet;
  struct ethhdr buffer, *eth;
  if (bpf_dynptr_from_xdp(ctx, 0, &packet)) return XDP_PASS;
  eth = bpf_dynptr_slice_rdwr(&packet, 0, &buffer, sizeof(buffer));
  if (!eth) return XDP_PASS;
  eth->h_dest[0] = 2;
  if ((void *)eth == (void *)&buffer) bpf_dynptr_write(&packet, 0, &buffer, sizeof(buffer), 0);
  return XDP_PASS;
}

/* corpus: dynptr accepted */
SEC("tc")
int dynptr_local(struct __sk_buff *skb) {
  __u32 key = 0;
  char *buffer = bpf_map_lookup_elem(&buffers, &key);
  struct bpf_dynptr local;
  __u64 value = 0;
  if (!buffer) return TC_ACT_OK;
  if (bpf_dynptr_from_mem(buffer, 256, 0, &local)) return TC_ACT_OK;
  bpf_dynptr_read(&value, sizeof(value), &local, skb->len, 0);
  return value == 1 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: dynptr rejected */
SEC("tp/syscalls/sys_enter_nanosleep")
int bad_dynptr_leak(void *ctx) {
  struct bpf_dynptr record;
  bpf_ringbuf_reserve_dynptr(&records, 64, 0, &record);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tp/syscalls/sys_enter_nanosleep")
int bad_dynptr_data_after_submit(void *ctx) {
  struct bpf_dynptr record;
  if (bpf_ringbuf_reserve_dynptr(&records, 64, 0, &record)) {
    bpf_ringbuf_discard_dynptr(&record, 0);
    return 0;
  }
  __u32 *first = bpf_dynptr_data(&record, 0, sizeof(*first));
  bpf_ringbuf_submit_dynptr(&record, 0);
  if (first) *first = 1;
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int bad_dynptr_uninitialised(struct __sk_buff *skb) {
  struct bpf_dynptr packet;
  __u32 value;
  return bpf_dynptr_read(&value, sizeof(value), &packet, 0, 0);
}

/* corpus: dynptr rejected */
SEC("tc")
int bad_dynptr_write_slice(struct __sk_buff *skb) {
  struct bpf_dynptr packet;
  struct ethhdr buffer, *eth;
  if (bpf_dynptr_from_skb(skb, 0, &packet)) return TC_ACT_OK;
  eth = bpf_dynptr_slice(&packet, 0, &buffer, sizeof(buffer));
  if (!eth) return TC_ACT_OK;
  eth->h_proto = 0;
  return TC_ACT_OK;
}

/* corpus: dynptr rejected */
SEC("tc")
int bad_dynptr_slice_overrun(struct __sk_buff *skb) {
  struct bpf_dynptr packet;
  char buffer[16], *bytes;
  if (bpf_dynptr_from_skb(skb, 0, &packet)) return TC_ACT_OK;
  bytes = bpf_dynptr_slice(&packet, 0, buffer, sizeof(buffer));
  if (!bytes) return TC_ACT_OK;
  return bytes[16];
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int keep_task(__u64 *ctx) {
  __u32 key = 1;
  struct held_task *held = bpf_map_lookup_elem(&tasks, &key);
  if (!held) return 0;
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  struct task_struct *old = bpf_kptr_xchg(&held->task, task);
  if (old) bpf_task_release(old);
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int use_mask(__u64 *ctx) {
  __u32 key = 0;
  struct held_mask *held = bpf_map_lookup_elem(&masks, &key);
  if (!held) return 0;
  struct bpf_cpumask *mask = bpf_cpumask_create();
  if (!mask) return 0;
  bpf_cpumask_set_cpu(1, mask);
  struct bpf_cpumask *old = bpf_kptr_xchg(&held->mask, mask);
  if (old) bpf_cpumask_release(old);
  return 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int bad_kptr_store(__u64 *ctx) {
  __u32 key = 1;
  struct held_task *held = bpf_map_lookup_elem(&tasks, &key);
  if (!held) return 0;
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  held->task = task;
  return 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int bad_kptr_old_leak(__u64 *ctx) {
  __u32 key = 1;
  struct held_task *held = bpf_map_lookup_elem(&tasks, &key);
  if (!held) return 0;
  bpf_kptr_xchg(&held->task, NULL);
  return 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int bad_kptr_type(__u64 *ctx) {
  __u32 key = 1;
  struct held_task *held = bpf_map_lookup_elem(&tasks, &key);
  if (!held) return 0;
  struct bpf_cpumask *mask = bpf_cpumask_create();
  if (!mask) return 0;
  mask = bpf_kptr_xchg(&held->task, mask);
  if (mask) bpf_cpumask_release(mask);
  return 0;
}

#define new_item() \
  ((struct item *)bpf_obj_new_impl(__builtin_btf_type_id(*(struct item *)0, 0), NULL))

/* corpus: kptr accepted */
SEC("tc")
int push_and_pop(struct __sk_buff *skb) {
  __u32 key = 0;
  struct queue *queue = bpf_map_lookup_elem(&queues, &key);
  if (!queue) return TC_ACT_OK;
  struct item *item = new_item();
  if (!item) return TC_ACT_OK;
  item->value = skb->len;
  bpf_spin_lock(&queue->lock);
  bpf_list_push_back_impl(&queue->head, &item->node, NULL, 0);
  struct bpf_list_node *node = bpf_list_pop_front(&queue->head);
  bpf_spin_unlock(&queue->lock);
  if (!node) return TC_ACT_OK;
  struct item *first = (void *)node - offsetof(struct item, node);
  int result = first->value > 100 ? TC_ACT_SHOT : TC_ACT_OK;
  bpf_obj_drop_impl(first, NULL);
  return result;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_push_unlocked(struct __sk_buff *skb) {
  __u32 key = 0;
  struct queue *queue = bpf_map_lookup_elem(&queues, &key);
  if (!queue) return TC_ACT_OK;
  struct item *item = new_item();
  if (!item) return TC_ACT_OK;
  bpf_list_push_back_impl(&queue->head, &item->node, NULL, 0);
  return TC_ACT_OK;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_object_leak(struct __sk_buff *skb) {
  struct item *item = new_item();
  if (!item) return TC_ACT_OK;
  item->value = skb->len;
  return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
