/* Subprograms, global functions, callbacks, tail calls. */
#include "corpus.h"

struct counters {
  __u64 packets;
  __u64 bytes;
};

struct search {
  struct xdp_md *ctx;
  __u32 offset;
  __u32 found;
};

TABLE(totals, BPF_MAP_TYPE_HASH, __u32, struct counters, 256);
TABLE(limits, BPF_MAP_TYPE_ARRAY, __u32, __u64, 16);
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
  __uint(max_entries, 8);
} stages SEC(".maps");

static NOINLINE int header_length(struct ethhdr *eth, void *end) {
  struct iphdr *ip = (void *)(eth + 1);
  if ((void *)(ip + 1) > end) return -1;
  return ip->ihl * 4;
}

/* corpus: calls accepted */
SEC("xdp")
int call_with_packet(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  int length = header_length(eth, end);
  return length < 20 ? XDP_DROP : XDP_PASS;
}

static NOINLINE void fill(__u8 *bytes, __u32 length, __u8 value) {
  for (__u32 i = 0; i < length && i < 32; i++) bytes[i] = value;
}

/* corpus: calls accepted */
SEC("tc")
int call_with_stack(struct __sk_buff *skb) {
  __u8 bytes[32] = {};
  fill(bytes, 16, 7);
  return bytes[skb->len & 31] == 7 ? TC_ACT_SHOT : TC_ACT_OK;
}

__attribute__((noinline)) int clamp(int value, int low, int high) {
  if (value < low) return low;
  return value > high ? high : value;
}

/* corpus: calls accepted */
SEC("tc")
int call_global(struct __sk_buff *skb) {
  int value = clamp(skb->mark, 0, 10);
  __u32 key = value & 15;
  __u64 *limit = bpf_map_lookup_elem(&limits, &key);
  return limit && *limit < skb->len ? TC_ACT_SHOT : TC_ACT_OK;
}

__attribute__((noinline)) int sum_counters(struct counters *counters) {
  if (!counters) return -1;
  counters->packets += 1;
  return counters->packets + counters->bytes;
}

/* corpus: calls accepted */
SEC("tc")
int call_global_memory(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct counters local = {1, skb->len};
  struct counters *counters = bpf_map_lookup_elem(&totals, &key);
  if (sum_counters(&local) < 0) return TC_ACT_SHOT;
  return sum_counters(counters) > 5 ? TC_ACT_SHOT : TC_ACT_OK;
}

__attribute__((noinline)) int length_of(struct __sk_buff *skb) {
  return skb->len;
}

/* corpus: calls accepted */
SEC("tc")
int call_global_context(struct __sk_buff *skb) {
  return length_of(skb) > 100 ? TC_ACT_SHOT : TC_ACT_OK;
}

static NOINLINE int factorial_3(int n) { return n * 3; }
static NOINLINE int factorial_2(int n) { return factorial_3(n) + 2; }
static NOINLINE int factorial_1(int n) { return factorial_2(n) + 1; }

/* corpus: calls accepted */
SEC("socket")
int call_chain(struct __sk_buff *skb) {
  return factorial_1(skb->len) + factorial_3(2);
}

static long find_marker(__u32 index, struct search *search) {
  void *data = (void *)(long)search->ctx->data, *end = (void *)(long)search->ctx->data_end;
  __u8 *at = data + (index & 0x7ff);
  if ((void *)(at + 2) > end) return 1;
  if (at[0] == 0xca && at[1] == 0xfe) {
    search->offset = index;
    search->found = 1;
    return 1;
  }
  return 0;
}

/* corpus: callbacks accepted */
SEC("xdp")
int scan_with_loop(struct xdp_md *ctx) {
  struct search search = {ctx, 0, 0};
  bpf_loop(1500, find_marker, &search, 0);
  return search.found ? XDP_DROP : XDP_PASS;
}

static long add_element(struct bpf_map *map, __u32 *key, struct counters *value, __u64 *sum) {
  *sum += value->bytes;
  return *key == 7;
}

/* corpus: callbacks accepted */
SEC("tc")
int sum_elements(struct __sk_buff *skb) {
  __u64 sum = 0;
  long seen = bpf_for_each_map_elem(&totals, add_element, &sum, 0);
  return seen > 3 && sum > 1000 ? TC_ACT_SHOT : TC_ACT_OK;
}

static long count_down(__u32 index, void *unused) {
  __u32 key = index & 15;
  __u64 *limit = bpf_map_lookup_elem(&limits, &key);
  if (limit) *limit -= 1;
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int loop_without_context(struct __sk_buff *skb) {
  bpf_loop(skb->len, count_down, NULL, 0);
  return TC_ACT_OK;
}

static long nested_inner(__u32 index, __u32 *total) {
  *total += index;
  return 0;
}

static long nested_outer(__u32 index, __u32 *total) {
  bpf_loop(10, nested_inner, total, 0);
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int nested_loops(struct __sk_buff *skb) {
  __u32 total = 0;
  bpf_loop(10, nested_outer, &total, 0);
  return total == 450 ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: tail calls accepted */
SEC("xdp")
int dispatch(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  switch (eth->h_proto) {
    case bpf_htons(ETH_P_IP):
      bpf_tail_call(ctx, &stages, 1);
      break;
    case bpf_htons(ETH_P_IPV6):
      bpf_tail_call(ctx, &stages, 2);
      break;
  }
  return XDP_PASS;
}

/* corpus: tail calls accepted */
SEC("tc")
int dispatch_variable(struct __sk_buff *skb) {
  bpf_tail_call(skb, &stages, skb->cb[0]);
  return TC_ACT_SHOT;
}

static NOINLINE int tail_from_function(struct xdp_md *ctx) {
  bpf_tail_call(ctx, &stages, 3);
  return XDP_ABORTED;
}

/* corpus: tail calls accepted */
SEC("xdp")
int dispatch_in_function(struct xdp_md *ctx) {
  int result = tail_from_function(ctx);
  return result == XDP_ABORTED ? XDP_DROP : XDP_PASS;
}

/* corpus: tail calls rejected */
SEC("xdp")
int bad_tail_through_array(struct xdp_md *ctx) {
  bpf_tail_call(ctx, &limits, 0);
  return XDP_PASS;
}

/* corpus: tail calls rejected */
SEC("xdp")
int bad_tail_context(struct xdp_md *ctx) {
  bpf_tail_call((void *)ctx + 8, &stages, 0);
  return XDP_PASS;
}

static NOINLINE int large_frame_tail(struct xdp_md *ctx) {
  bpf_tail_call(ctx, &stages, 3);
  return XDP_ABORTED;
}

/* corpus: tail calls rejected */
SEC("xdp")
int bad_stack_below_tail_call(struct xdp_md *ctx) {
  __u8 bytes[300];
  if (bpf_xdp_load_bytes(ctx, 0, bytes, sizeof(bytes))) return XDP_DROP;
  if (large_frame_tail(ctx)) return XDP_DROP;
  return bytes[ctx->rx_queue_index & 255] ? XDP_DROP : XDP_PASS;
}

static NOINLINE __u8 *leaked_frame(void) {
  __u8 bytes[8] = {1};
  __u8 *address = bytes;
  BARRIER(address);
  return address;
}

/* corpus: calls rejected */
SEC("tc")
int bad_return_frame(struct __sk_buff *skb) {
  return *leaked_frame();
}

static NOINLINE int deep_3(struct __sk_buff *skb) {
  __u8 bytes[240];
  bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes));
  return bytes[3];
}

static NOINLINE int deep_2(struct __sk_buff *skb) {
  __u8 bytes[240];
  bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes));
  return bytes[3] + deep_3(skb);
}

/* corpus: calls rejected */
SEC("tc")
int bad_combined_stack(struct __sk_buff *skb) {
  __u8 bytes[240];
  bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes));
  return bytes[3] + deep_2(skb);
}

__attribute__((noinline)) int unchecked_global(struct counters *counters) {
  return counters->packets;
}

/* corpus: calls rejected */
SEC("tc")
int bad_global_null(struct __sk_buff *skb) {
  struct counters local = {1, skb->len};
  return unchecked_global(&local);
}

__attribute__((noinline)) int reads_eight(__u64 *value) { return value ? *value : 0; }

/* corpus: calls rejected */
SEC("tc")
int bad_global_small_memory(struct __sk_buff *skb) {
  __u32 value = skb->len;
  return reads_eight((void *)&value);
}

static NOINLINE int recursive(int n) {
  if (n <= 0) return 0;
  int rest = recursive(n - 1);
  BARRIER(rest);
  return rest + n;
}

/* corpus: calls rejected */
SEC("socket")
int bad_recursion(struct __sk_buff *skb) {
  return recursive(3);
}

static long write_key(struct bpf_map *map, __u32 *key, struct counters *value, void *unused) {
  *key = 1;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_write_key(struct __sk_buff *skb) {
  return bpf_for_each_map_elem(&totals, write_key, NULL, 0);
}

static long returns_two(__u32 index, __u32 *total) {
  *total += 1;
  return 2;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_callback_result(struct __sk_buff *skb) {
  __u32 total = 0;
  bpf_loop(10, returns_two, &total, 0);
  return total ? TC_ACT_OK : TC_ACT_SHOT;
}

static long grow_index(__u32 index, __u32 *position) {
  *position += 1;
  return 0;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_index_after_loop(struct __sk_buff *skb) {
  __u8 bytes[16] = {};
  __u32 position = 0;
  bpf_loop(8, grow_index, &position, 0);
  return bytes[position];
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_too_many_iterations_type(struct __sk_buff *skb) {
  return bpf_loop(10, (void *)&limits, NULL, 0);
}

char _license[] SEC("license") = "GPL";
