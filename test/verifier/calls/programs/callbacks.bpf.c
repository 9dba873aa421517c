/* Functions that helpers call: at once, or later. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct state {
  struct bpf_timer timer;
  __u64 runs;
};

TABLE(states, BPF_MAP_TYPE_ARRAY, __u32, struct state, 4);
TABLE(values, BPF_MAP_TYPE_HASH, __u32, __u64, 16);
struct {
  __uint(type, BPF_MAP_TYPE_USER_RINGBUF);
  __uint(max_entries, 4096);
} commands SEC(".maps");

#define CLOCK_MONOTONIC 1

static int on_timer(void *map, __u32 *key, struct state *state) {
  state->runs += *key;
  bpf_timer_start(&state->timer, 1000, 0);
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int timer(struct __sk_buff *skb) {
  __u32 key = 1;
  struct state *state = bpf_map_lookup_elem(&states, &key);
  if (!state) return 0;
  bpf_timer_init(&state->timer, &states, CLOCK_MONOTONIC);
  bpf_timer_set_callback(&state->timer, on_timer);
  bpf_timer_start(&state->timer, 1000, 0);
  return 0;
}

static int rearms(void *map, __u32 *key, struct state *state) {
  bpf_timer_set_callback(&state->timer, rearms);
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int timer_rearms(struct __sk_buff *skb) {
  __u32 key = 1;
  struct state *state = bpf_map_lookup_elem(&states, &key);
  if (!state) return 0;
  bpf_timer_set_callback(&state->timer, rearms);
  return 0;
}

static int returns_one(void *map, __u32 *key, struct state *state) {
  return 1;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_timer_result(struct __sk_buff *skb) {
  __u32 key = 1;
  struct state *state = bpf_map_lookup_elem(&states, &key);
  if (!state) return 0;
  bpf_timer_set_callback(&state->timer, returns_one);
  return 0;
}

static int writes_key(void *map, __u32 *key, struct state *state) {
  *key = 0;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_timer_writes_key(struct __sk_buff *skb) {
  __u32 key = 1;
  struct state *state = bpf_map_lookup_elem(&states, &key);
  if (!state) return 0;
  bpf_timer_set_callback(&state->timer, writes_key);
  return 0;
}

static int past_value(void *map, __u32 *key, struct state *state) {
  (&state->runs)[1] = 3;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_timer_past_value(struct __sk_buff *skb) {
  __u32 key = 1;
  struct state *state = bpf_map_lookup_elem(&states, &key);
  if (!state) return 0;
  bpf_timer_set_callback(&state->timer, past_value);
  return 0;
}

static long on_record(struct bpf_dynptr *record, __u64 *sum) {
  __u64 word;
  if (bpf_dynptr_read(&word, 8, record, 0, 0)) return 1;
  *sum += word;
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int user_ring_buffer(struct __sk_buff *skb) {
  __u64 sum = 0;
  bpf_user_ringbuf_drain(&commands, on_record, &sum, 0);
  return sum == 3;
}

static long writes_record(struct bpf_dynptr *record, void *unused) {
  __u8 *bytes = bpf_dynptr_data(record, 0, 8);
  if (bytes) bytes[8] = 1;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_user_ring_buffer(struct __sk_buff *skb) {
  bpf_user_ringbuf_drain(&commands, writes_record, 0, 0);
  return 0;
}

static long once(__u32 index, __u64 *count) {
  *count += 1;
  return 0;
}

/* bpf_loop runs no more passes than it is told to. */
/* corpus: callbacks accepted */
SEC("tc")
int counted_passes(struct __sk_buff *skb) {
  __u8 bytes[4] = {1, 2, 3, 4};
  __u64 count = 0;
  bpf_loop(3, once, &count, 0);
  if (count > 3) return bytes[count + 100];
  return bytes[count];
}

static long touches_caller(__u32 index, __u64 *words) {
  words[2] = index;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_beyond_frame(struct __sk_buff *skb) {
  __u64 words[2] = {1, 2};
  bpf_loop(3, touches_caller, words, 0);
  return words[0];
}

static long calls_itself(__u32 index, void *unused) {
  bpf_loop(2, calls_itself, 0, 0);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_recursive_callback(struct __sk_buff *skb) {
  return bpf_loop(2, calls_itself, 0, 0);
}

static long stores_frame(__u32 index, __u64 **slot) {
  __u64 local = index;
  *slot = &local;
  BARRIER(slot);
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_frame_escapes(struct __sk_buff *skb) {
  __u64 word = 0, *slot = &word;
  bpf_loop(2, stores_frame, &slot, 0);
  return *slot;
}

static long with_element(void *map, __u32 *key, __u64 *value, __u64 *sum) {
  *sum += *value + *key;
  *value = 0;
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int each_element(struct __sk_buff *skb) {
  __u64 sum = 0;
  bpf_for_each_map_elem(&values, with_element, &sum, 0);
  return sum == 3;
}

__attribute__((noinline)) int global_body(__u32 index, void *unused) {
  return index & 1;
}

/* What is called back is no function that is verified alone. */
/* corpus: callbacks rejected */
SEC("tc")
int bad_global_body(struct __sk_buff *skb) {
  bpf_loop(3, global_body, 0, 0);
  return 0;
}

char _license[] SEC("license") = "GPL";
