/* Timers and work queues: fields of map values. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct bpf_wq {
  __u64 opaque[2];
} __attribute__((aligned(8)));
KFUNC int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned flags);
KFUNC int bpf_wq_start(struct bpf_wq *wq, unsigned flags);
KFUNC int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (*callback)(void *, int *, void *),
                                   unsigned flags, void *aux);

struct timed {
  __u64 before;
  struct bpf_timer timer;
  __u64 after;
};

struct queued {
  struct bpf_wq work;
  __u64 after;
};

TABLE(timers, BPF_MAP_TYPE_ARRAY, __u32, struct timed, 4);
TABLE(others, BPF_MAP_TYPE_HASH, __u32, struct timed, 4);
TABLE(queues, BPF_MAP_TYPE_ARRAY, __u32, struct queued, 4);
TABLE(more_queues, BPF_MAP_TYPE_ARRAY, __u32, struct queued, 4);

#define VALUE(type, name, map)                               \
  __u32 name##_key = 0;                                      \
  struct type *name = bpf_map_lookup_elem(&map, &name##_key); \
  if (!name) return 0

/* corpus: callbacks accepted */
SEC("tc")
int timer_made(struct __sk_buff *skb) {
  VALUE(timed, t, timers);
  bpf_timer_init(&t->timer, &timers, 1);
  bpf_timer_start(&t->timer, 1000, 0);
  bpf_timer_cancel(&t->timer);
  t->after = t->before;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int timer_of_other_map(struct __sk_buff *skb) {
  VALUE(timed, t, timers);
  bpf_timer_init(&t->timer, &others, 1);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int timer_beside(struct __sk_buff *skb) {
  VALUE(timed, t, timers);
  bpf_timer_start((void *)&t->before, 1000, 0);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int timer_on_stack(struct __sk_buff *skb) {
  struct bpf_timer timer = {};
  bpf_timer_start(&timer, 1000, 0);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int timer_read(struct __sk_buff *skb) {
  VALUE(timed, t, timers);
  return *(volatile __u64 *)&t->timer;
}

/* corpus: callbacks rejected */
SEC("tc")
int timer_written_by_helper(struct __sk_buff *skb) {
  VALUE(timed, t, timers);
  bpf_skb_load_bytes(skb, 0, t, sizeof(*t));
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int beside_timer_written(struct __sk_buff *skb) {
  VALUE(timed, t, timers);
  bpf_skb_load_bytes(skb, 0, &t->after, sizeof(t->after));
  return 0;
}

/* corpus: callbacks rejected */
SEC("kprobe/do_nanosleep")
int timer_in_kprobe(void *ctx) {
  VALUE(timed, t, timers);
  bpf_timer_cancel(&t->timer);
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int work_started(struct __sk_buff *skb) {
  VALUE(queued, q, queues);
  bpf_wq_init(&q->work, &queues, 0);
  bpf_wq_start(&q->work, 0);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int work_of_other_map(struct __sk_buff *skb) {
  VALUE(queued, q, queues);
  bpf_wq_init(&q->work, &more_queues, 0);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int work_beside(struct __sk_buff *skb) {
  VALUE(queued, q, queues);
  bpf_wq_start((void *)&q->after, 0);
  return 0;
}

/* What runs later sleeps where its own context lets it, whatever the program may do. */
static int sleeps_in_work(void *map, int *key, void *value) {
  char byte;
  return bpf_copy_from_user(&byte, 1, 0) & 0;
}

static int sleeps_in_timer(void *map, int *key, struct timed *value) {
  char byte;
  return bpf_copy_from_user(&byte, 1, 0) & 0;
}

static int returns_number(void *map, int *key, void *value) {
  return 5;
}

/* corpus: callbacks accepted */
SEC("tc")
int work_sleeps(struct __sk_buff *skb) {
  VALUE(queued, q, queues);
  bpf_wq_set_callback_impl(&q->work, sleeps_in_work, 0, 0);
  return 0;
}

/* corpus: callbacks rejected */
SEC("syscall")
int bad_timer_sleeps(void *ctx) {
  VALUE(timed, t, timers);
  bpf_timer_set_callback(&t->timer, sleeps_in_timer);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_work_result(struct __sk_buff *skb) {
  VALUE(queued, q, queues);
  bpf_wq_set_callback_impl(&q->work, returns_number, 0, 0);
  return 0;
}

char _license[] SEC("license") = "GPL";
