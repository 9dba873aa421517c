/*
 * One C source, two builds. As a BPF program it is an XDP program over its packet; built natively
 * it is a plain function over the same bytes. Nothing but the way in differs, so the ratio of their
 * times is the quality of the generated code.
 *
 *   BENCH(name, data, end) { ... return number; }
 */
#ifndef BENCH_H
#define BENCH_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define NOINLINE static __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))
/* The compiler may not assume anything of `x` any more. */
#define OPAQUE(x) asm volatile("" : "+r"(x))
#define NO_UNROLL _Pragma("clang loop unroll(disable)")

#ifdef __bpf__
struct xdp_md {
  u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};
#define BENCH(name, data, end)                                            \
  INLINE u32 name##_body(const u8 *data, const u8 *end);                  \
  __attribute__((section("xdp"), used)) int name(struct xdp_md *ctx) {    \
    return name##_body((const u8 *)(u64)ctx->data, (const u8 *)(u64)ctx->data_end); \
  }                                                                       \
  char _license[] __attribute__((section("license"), used)) = "GPL";      \
  INLINE u32 name##_body(const u8 *data, const u8 *end)
#else
struct native_context {
  const u8 *data, *end;
};
#define BENCH(name, data, end)                                            \
  INLINE u32 name##_body(const u8 *data, const u8 *end);                  \
  u32 name(const struct native_context *ctx) {                            \
    return name##_body(ctx->data, ctx->end);                              \
  }                                                                       \
  INLINE u32 name##_body(const u8 *data, const u8 *end)
#endif

INLINE u32 load16(const u8 *p) { return (u32)p[0] << 8 | p[1]; }
INLINE u32 load32(const u8 *p) { return load16(p) << 16 | load16(p + 2); }
INLINE u32 rotate32(u32 x, int n) { return x << n | x >> (32 - n); }
INLINE u64 rotate64(u64 x, int n) { return x << n | x >> (64 - n); }

#endif
