/* expect: pointer-offset-out-of-range at "data + record->skip" */
/* A signed length from the packet may lead back before it. */
#include "../../corpus/corpus.h"

struct record {
  int skip;
};
struct fixed_record {
  __u32 skip;
};

SEC("xdp")
int bad(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct record *record = data;
  if ((void *)(record + 1) > end) return XDP_PASS;
  __u8 *next = data + record->skip;
  if ((void *)(next + 1) > end) return XDP_PASS;
  return next[0] ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct fixed_record *record = data;
  if ((void *)(record + 1) > end) return XDP_PASS;
  __u8 *next = data + (record->skip & 0xfff);
  if ((void *)(next + 1) > end) return XDP_PASS;
  return next[0] ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "MIT";
