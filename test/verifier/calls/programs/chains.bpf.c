/* Call chains: their frames, their depth, tail calls below them. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
  __uint(max_entries, 8);
} stages SEC(".maps");

#define USE(bytes) bpf_probe_read_kernel(bytes, sizeof(bytes), 0)
#define FRAME(name, size, below)        \
  static NOINLINE int name(void *ctx) { \
    __u8 bytes[size];                   \
    USE(bytes);                         \
    return bytes[3] + below;            \
  }

FRAME(leaf_160, 160, 0)
FRAME(middle_160, 160, leaf_160(ctx))

/* 160 three times is 480. */
/* corpus: calls accepted */
SEC("raw_tp")
int chain_of_480(void *ctx) {
  __u8 bytes[160];
  USE(bytes);
  return bytes[2] + middle_160(ctx);
}

FRAME(leaf_176, 176, 0)
FRAME(middle_176, 176, leaf_176(ctx))

/* Programs of this type get larger frames from a stack of their own. */
/* corpus: calls accepted */
SEC("raw_tp")
int chain_of_528(void *ctx) {
  __u8 bytes[176];
  USE(bytes);
  return bytes[2] + middle_176(ctx);
}

/* Others do not. */
/* corpus: calls rejected */
SEC("tc")
int bad_chain_of_528(void *ctx) {
  __u8 bytes[176];
  USE(bytes);
  return bytes[2] + middle_176(ctx);
}

static NOINLINE int tail(void *ctx) {
  bpf_tail_call(ctx, &stages, 1);
  return 0;
}

/* corpus: tail calls accepted */
SEC("tc")
int tail_below_240(struct __sk_buff *ctx) {
  __u8 bytes[240];
  USE(bytes);
  int result = tail(ctx);
  return bytes[3] + result;
}

/* corpus: tail calls rejected */
SEC("tc")
int bad_tail_below_256(struct __sk_buff *ctx) {
  __u8 bytes[256];
  USE(bytes);
  int result = tail(ctx);
  return bytes[3] + result;
}

/* With a tail call anywhere, no program has a stack of its own. */
/* corpus: tail calls rejected */
SEC("raw_tp")
int bad_chain_with_tail(void *ctx) {
  __u8 bytes[176];
  USE(bytes);
  return bytes[2] + middle_176(ctx) + tail(ctx);
}

static NOINLINE int level_7(int n) { BARRIER(n); return n + 7; }
static NOINLINE int level_6(int n) { int r = level_7(n); BARRIER(r); return r + 6; }
static NOINLINE int level_5(int n) { int r = level_6(n); BARRIER(r); return r + 5; }
static NOINLINE int level_4(int n) { int r = level_5(n); BARRIER(r); return r + 4; }
static NOINLINE int level_3(int n) { int r = level_4(n); BARRIER(r); return r + 3; }
static NOINLINE int level_2(int n) { int r = level_3(n); BARRIER(r); return r + 2; }
static NOINLINE int level_1(int n) { int r = level_2(n); BARRIER(r); return r + 1; }
static NOINLINE int level_0(int n) { int r = level_1(n); BARRIER(r); return r; }

/* corpus: calls accepted */
SEC("tc")
int eight_frames(struct __sk_buff *skb) {
  return level_1(skb->len) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_nine_frames(struct __sk_buff *skb) {
  return level_0(skb->len) & 1;
}

__attribute__((noinline)) int global_4(int n) { int r = level_5(n); BARRIER(r); return r + 4; }
__attribute__((noinline)) int global_3(int n) { int r = global_4(n); BARRIER(r); return r + 3; }
static NOINLINE int mixed_2(int n) { int r = global_3(n); BARRIER(r); return r + 3; }
static NOINLINE int mixed_1(int n) { int r = mixed_2(n); BARRIER(r); return r + 3; }
static NOINLINE int mixed_0(int n) { int r = mixed_1(n); BARRIER(r); return r + 3; }

/* Global functions are verified apart, but their frames count. */
/* corpus: calls accepted */
SEC("tc")
int eight_frames_with_global(struct __sk_buff *skb) {
  return mixed_1(skb->len) & 1;
}

/* corpus: calls rejected */
SEC("tc")
int bad_nine_frames_with_global(struct __sk_buff *skb) {
  return mixed_0(skb->len) & 1;
}

char _license[] SEC("license") = "GPL";
