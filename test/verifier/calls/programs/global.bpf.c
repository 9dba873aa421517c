/* Global functions: what they may be given, what they may do, and who may call them. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

#define GLOBAL __attribute__((noinline))
#define TAG(name) __attribute__((btf_decl_tag("arg:" name)))

struct pair {
  __u64 first;
  __u64 second;
};

TABLE(pairs, BPF_MAP_TYPE_HASH, __u32, struct pair, 16);

GLOBAL int takes_number(int a, __u64 b) {
  BARRIER(a);
  return a + b;
}

/* corpus: calls accepted */
SEC("tc")
int numbers(struct __sk_buff *skb) {
  return takes_number(skb->len, 1ULL << 40) & 1;
}

GLOBAL int takes_pair(struct pair *pair) {
  if (!pair) return 0;
  pair->second = 7;
  return pair->first;
}

/* corpus: calls accepted */
SEC("tc")
int memory_of_stack(struct __sk_buff *skb) {
  struct pair pair = {1, 2};
  return takes_pair(&pair) & 1;
}

/* corpus: calls accepted */
SEC("tc")
int memory_of_map(struct __sk_buff *skb) {
  __u32 key = 1;
  return takes_pair(bpf_map_lookup_elem(&pairs, &key)) & 1;
}

/* corpus: calls accepted */
SEC("tc")
int memory_null(struct __sk_buff *skb) {
  return takes_pair(0) & 1;
}

/* corpus: calls accepted */
SEC("tc")
int memory_of_packet(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + sizeof(struct pair) > end) return 0;
  return takes_pair(data) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_packet_unchecked(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 8 > end) return 0;
  return takes_pair(data) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_context_as_memory(struct __sk_buff *skb) {
  return takes_pair((void *)skb) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_number_as_memory(struct __sk_buff *skb) {
  return takes_pair((void *)(long)skb->len) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_pointer_as_number(struct __sk_buff *skb) {
  return takes_number(1, (__u64)skb) & 1;
}

/* The caller knows nothing of the memory afterwards. */
/* corpus: calls rejected */
SEC("tc")
int bad_index_after_call(struct __sk_buff *skb) {
  __u8 bytes[16] = {};
  struct pair pair = {0, 3};
  takes_pair(&pair);
  return bytes[pair.second];
}

GLOBAL int returns_any(int a) {
  BARRIER(a);
  return a & 7;
}

/* corpus: calls rejected */
SEC("tc")
int bad_result_unbounded(struct __sk_buff *skb) {
  __u8 bytes[8] = {};
  bpf_skb_load_bytes(skb, 0, bytes, 8);
  return bytes[returns_any(3)];
}

GLOBAL int beyond_argument(struct pair *pair TAG("nonnull")) {
  return ((__u64 *)pair)[2];
}

/* corpus: calls rejected */
SEC("tc")
int bad_beyond_argument(struct __sk_buff *skb) {
  struct pair pair = {1, 2};
  return beyond_argument(&pair);
}

GLOBAL int takes_nonnull(struct pair *pair TAG("nonnull")) {
  return pair->first;
}

/* corpus: calls accepted */
SEC("tc")
int nonnull(struct __sk_buff *skb) {
  struct pair pair = {skb->len, 2};
  return takes_nonnull(&pair) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_nonnull_maybe_null(struct __sk_buff *skb) {
  __u32 key = 1;
  return takes_nonnull(bpf_map_lookup_elem(&pairs, &key)) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_nonnull_null(struct __sk_buff *skb) {
  return takes_nonnull(0) & 1;
}

GLOBAL int takes_context(struct __sk_buff *skb) {
  return skb->len;
}

/* corpus: calls accepted */
SEC("tc")
int context(struct __sk_buff *skb) {
  return takes_context(skb) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_context(struct __sk_buff *skb) {
  struct pair pair = {1, 2};
  return takes_context((void *)&pair) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_context_moved(struct __sk_buff *skb) {
  return takes_context((void *)skb + 8) & 1;
}

GLOBAL int takes_tagged_context(void *ctx TAG("ctx")) {
  struct __sk_buff *skb = ctx;
  return skb->len;
}

/* corpus: calls accepted */
SEC("tc")
int tagged_context(struct __sk_buff *skb) {
  return takes_tagged_context(skb) & 1;
}

GLOBAL int takes_void(void *bytes) {
  return bytes != 0;
}

/* corpus: calls rejected */
SEC("tc")
int bad_void(struct __sk_buff *skb) {
  __u64 word = 1;
  return takes_void(&word);
}

GLOBAL void returns_nothing(int a) {
  BARRIER(a);
}

/* corpus: calls rejected */
SEC("tc")
int bad_void_result(struct __sk_buff *skb) {
  returns_nothing(1);
  return 0;
}

GLOBAL int odd_tag(struct pair *pair TAG("odd")) {
  return pair != 0;
}

/* corpus: calls rejected */
SEC("tc")
int bad_tag(struct __sk_buff *skb) {
  struct pair pair = {1, 2};
  return odd_tag(&pair);
}

GLOBAL int moves_packet(struct __sk_buff *skb) {
  return bpf_skb_pull_data(skb, 0);
}

/* corpus: calls rejected */
SEC("tc")
int bad_packet_after_call(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 8 > end) return 0;
  moves_packet(skb);
  return *(__u8 *)data;
}

/* corpus: calls accepted */
SEC("tc")
int packet_after_other_call(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 8 > end) return 0;
  takes_context(skb);
  return *(__u8 *)data & 1;
}

GLOBAL int even(int n);
GLOBAL int odd(int n) {
  BARRIER(n);
  return n == 0 ? 0 : even(n - 1);
}
GLOBAL int even(int n) {
  BARRIER(n);
  return n == 0 ? 1 : odd(n - 1);
}

/* corpus: calls rejected */
SEC("tc")
int bad_mutual_recursion(struct __sk_buff *skb) {
  return even(3);
}

static NOINLINE void leaves_result(__u64 *out) {
  *out = 3;
}

/* corpus: calls accepted */
SEC("tc")
int static_without_result(struct __sk_buff *skb) {
  __u64 word;
  leaves_result(&word);
  return word == 3;
}

GLOBAL int never_called(struct pair *pair) {
  return pair->first;
}

/* corpus: calls accepted */
SEC("tc")
int takes_address_of_nothing(struct __sk_buff *skb) {
  if (skb->len == 0xffffffffffULL) return never_called(0);
  return 0;
}

char _license[] SEC("license") = "GPL";
