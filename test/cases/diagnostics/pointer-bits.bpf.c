/* expect: pointer-arithmetic at "%0 &= -64" */
/* Addresses are no numbers to compute with. */
#include "../../corpus/corpus.h"

SEC("xdp")
int bad(struct xdp_md *ctx) {
  long data = (long)ctx->data;
  asm volatile("%0 &= -64" : "+r"(data));
  return data ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  return data + 64 <= end ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "MIT";
