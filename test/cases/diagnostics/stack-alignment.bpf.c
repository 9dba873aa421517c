/* expect: stack-misaligned at "r10 - 20" */
/* Eight bytes lie at a multiple of eight. */
#include "../../corpus/corpus.h"

SEC("xdp")
int bad(struct xdp_md *ctx) {
  asm volatile("r2 = 5\n *(u64 *)(r10 - 20) = r2" ::: "r2", "memory");
  return XDP_PASS;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  asm volatile("r2 = 5\n *(u64 *)(r10 - 24) = r2" ::: "r2", "memory");
  return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
