/* expect: uninitialised-register at "call 8" */
/* A call takes the argument registers with it. */
#include "../../corpus/corpus.h"

SEC("xdp")
int bad(struct xdp_md *ctx) {
  asm volatile("r4 = 1\n call 8\n r0 = r4" ::: "r0", "r1", "r2", "r3", "r4", "r5");
  return XDP_PASS;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  __u32 processor = bpf_get_smp_processor_id();
  return processor == 7 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "MIT";
