/* Arithmetic, bounds and stack: what optimised C makes of masks, shifts, divisions and spills. */
#include "corpus.h"

struct window {
  __u32 start;
  __u32 length;
  __u8 bytes[64];
};

TABLE(windows, BPF_MAP_TYPE_ARRAY, __u32, struct window, 4);
TABLE(words, BPF_MAP_TYPE_ARRAY, __u32, __u64, 1024);

static ALWAYS_INLINE struct window *first_window(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&windows, &zero);
}

/* corpus: ranges accepted */
SEC("socket")
int masked_index(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  return window->bytes[window->start & 63];
}

/* corpus: ranges accepted */
SEC("socket")
int modulo_index(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  return window->bytes[window->start % 64];
}

/* corpus: ranges rejected */
SEC("socket")
int divided_index(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 index = skb->len;
  if (index > 640) return 0;
  return window->bytes[index / 11];
}

/* corpus: ranges accepted */
SEC("socket")
int shifted_index(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  return window->bytes[skb->hash >> 26];
}

/* corpus: ranges accepted */
SEC("socket")
int two_bounds(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 start = window->start, length = window->length;
  if (start >= 32 || length > 32) return 0;
  __u32 sum = 0;
  for (__u32 i = 0; i < length; i++) sum += window->bytes[start + i];
  return sum;
}

/* corpus: ranges accepted */
SEC("socket")
int signed_check(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  int index = (int)window->start;
  if (index < 0 || index >= 64) return 0;
  return window->bytes[index];
}

/* corpus: ranges accepted */
SEC("socket")
int byte_index(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u8 index = window->bytes[0];
  if (index > 63) index = 63;
  return window->bytes[index];
}

/* corpus: ranges rejected */
SEC("socket")
int negative_offset(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 back = window->start & 31;
  __u8 *at = &window->bytes[40];
  return *(at - back);
}

/* corpus: ALU and encoding accepted */
SEC("socket")
int mix_widths(struct __sk_buff *skb) {
  __u64 a = skb->len, b = skb->hash;
  __s32 c = (__s32)(a * b);
  __s64 d = c >> 3;
  __u16 e = d ^ (a << 7);
  return (e + (__u8)d) | (c < 0);
}

/* corpus: ALU and encoding accepted */
SEC("socket")
int divide_by_variable(struct __sk_buff *skb) {
  __u32 divisor = skb->mark;
  __u64 quotient = (__u64)skb->len * 1000 / (divisor ? divisor : 1);
  return quotient % 77;
}

/* corpus: ALU and encoding accepted */
SEC("socket")
int swap_bytes(struct __sk_buff *skb) {
  __u64 value = (__u64)skb->hash << 32 | skb->len;
  value = __builtin_bswap64(value);
  return (__u16)__builtin_bswap16(value) + __builtin_bswap32(value >> 16);
}

/* corpus: ALU and encoding accepted */
SEC("socket")
int count_bits(struct __sk_buff *skb) {
  __u64 x = (__u64)skb->hash << 32 | skb->len;
  x -= (x >> 1) & 0x5555555555555555;
  x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return (x * 0x0101010101010101) >> 56;
}

/* corpus: ALU and encoding accepted */
SEC("socket")
int pick_word(struct __sk_buff *skb) {
  __u64 x = (__u64)skb->hash << 32 | skb->len;
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  __u32 index = x >> 54;
  __u64 *word = bpf_map_lookup_elem(&words, &index);
  return word ? *word : 0;
}

/* corpus: stack accepted */
SEC("socket")
int stack_histogram(struct __sk_buff *skb) {
  __u8 counts[16] = {};
  counts[skb->len & 15]++;
  counts[skb->hash & 15]++;
  counts[skb->mark & 15]++;
  return counts[skb->len & 15];
}

/* corpus: stack accepted */
SEC("socket")
int many_locals(struct __sk_buff *skb) {
  __u64 a = skb->len, b = skb->hash, c = skb->mark, d = skb->priority, e = skb->ifindex;
  __u64 f = skb->queue_mapping, g = skb->protocol, h = skb->vlan_tci;
  a = bpf_get_prandom_u32() ^ a ^ b;
  b = bpf_get_prandom_u32() + c * d;
  return a + b + c + d + e * f + g * h;
}

/* corpus: stack accepted */
SEC("socket")
int pointer_on_stack(struct __sk_buff *skb) {
  struct window *choices[2];
  __u32 zero = 0, one = 1;
  choices[0] = bpf_map_lookup_elem(&windows, &zero);
  choices[1] = bpf_map_lookup_elem(&windows, &one);
  asm volatile("" ::: "memory");
  if (!choices[0] || !choices[1]) return 0;
  return choices[0]->bytes[1] + choices[1]->bytes[2];
}

/* corpus: stack accepted */
SEC("socket")
int partial_initialisation(struct __sk_buff *skb) {
  struct {
    __u8 kind;
    __u32 value;
  } key;
  key.kind = 1;
  key.value = 3;
  return bpf_map_lookup_elem(&words, &key.value) != NULL;
}

/* corpus: ranges rejected */
SEC("socket")
int bad_no_bound(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  return window->bytes[window->start];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_off_by_one(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 index = window->start;
  if (index > 64) return 0;
  return window->bytes[index];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_signed_upper_bound(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  int index = (int)window->start;
  if (index >= 64) return 0;
  return window->bytes[index];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_checked_then_reread(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  volatile __u32 *start = &window->start;
  if (*start >= 64) return 0;
  return window->bytes[*start];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_sum_of_bounds(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 start = window->start, length = window->length;
  if (start >= 48 || length >= 48) return 0;
  return window->bytes[start + length];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_wide_multiply(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 index = (skb->len & 15) * 5;
  return window->bytes[index];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_before_start(struct __sk_buff *skb) {
  struct window *window = first_window();
  if (!window) return 0;
  __u32 back = window->start & 127;
  return *(&window->bytes[40] - back);
}

/* corpus: stack rejected */
SEC("socket")
int bad_stack_index(struct __sk_buff *skb) {
  __u32 next[4] = {1, 2, 3, 0};
  asm volatile("" : "+m"(next));
  return next[skb->mark];
}

/* corpus: stack rejected */
SEC("socket")
int bad_stack_index_by_one(struct __sk_buff *skb) {
  __u8 bytes[512 - 16] = {};
  __u8 *at = bytes;
  BARRIER(at);
  return at[(skb->mark & 255) + 256];
}

/* corpus: stack rejected */
SEC("socket")
int bad_stack_overflow(struct __sk_buff *skb) {
  asm volatile("*(u64 *)(r10 - 520) = %0" ::"r"(1ull) : "memory");
  return 0;
}

/* corpus: stack rejected */
SEC("socket")
int bad_stack_alignment(struct __sk_buff *skb) {
  asm volatile("*(u64 *)(r10 - 12) = %0" ::"r"(1ull) : "memory");
  return 0;
}

/* corpus: ALU and encoding rejected */
SEC("xdp")
int bad_pointer_complement(struct xdp_md *ctx) {
  long data = (long)ctx->data;
  void *end = (void *)(long)ctx->data_end;
  asm volatile("%0 ^= -1" : "+r"(data));
  return (long)end + data > 60 ? XDP_DROP : XDP_PASS;
}

/* corpus: ALU and encoding rejected */
SEC("socket")
int bad_context_arithmetic(struct __sk_buff *skb) {
  long address = (long)skb;
  asm volatile("%0 *= 2" : "+r"(address));
  return address;
}

/* corpus: ALU and encoding rejected */
SEC("socket")
int bad_register_after_call(struct __sk_buff *skb) {
  int result;
  asm volatile("call 7\n %0 = r3" : "=r"(result)::"r0", "r1", "r2", "r3", "r4", "r5");
  return result;
}

/* corpus: ALU and encoding rejected */
SEC("socket")
int bad_32_bit_pointer(struct __sk_buff *skb) {
  long low = (long)skb;
  asm volatile("%0 <<= 32\n %0 s>>= 32" : "+r"(low));
  return low;
}

char _license[] SEC("license") = "GPL";
