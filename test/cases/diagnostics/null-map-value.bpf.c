/* expect: null-dereference at "hits[0]" */
/* A look-up finds nothing when the key is absent. */
#include "../../corpus/corpus.h"

TABLE(visitors, BPF_MAP_TYPE_HASH, __u32, __u64, 128);

SEC("xdp")
int bad(struct xdp_md *ctx) {
  __u32 queue = ctx->rx_queue_index;
  __u64 *hits = bpf_map_lookup_elem(&visitors, &queue);
  hits[0]++;
  return XDP_PASS;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  __u32 queue = ctx->rx_queue_index;
  __u64 *hits = bpf_map_lookup_elem(&visitors, &queue);
  if (hits) hits[0]++;
  return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
