/* expect: map-value-out-of-bounds at "ring->slots[cursor]" */
/* One slot too many. */
#include "../../corpus/corpus.h"

struct ring {
  __u32 cursor;
  __u8 slots[60];
};
TABLE(rings, BPF_MAP_TYPE_ARRAY, __u32, struct ring, 1);

SEC("xdp")
int bad(struct xdp_md *ctx) {
  __u32 zero = 0;
  struct ring *ring = bpf_map_lookup_elem(&rings, &zero);
  if (!ring) return XDP_ABORTED;
  __u32 cursor = ring->cursor;
  if (cursor > 60) return XDP_ABORTED;
  return ring->slots[cursor] ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  __u32 zero = 0;
  struct ring *ring = bpf_map_lookup_elem(&rings, &zero);
  if (!ring) return XDP_ABORTED;
  __u32 index = ring->cursor;
  if (index >= 60) return XDP_ABORTED;
  return ring->slots[index] ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "MIT";
