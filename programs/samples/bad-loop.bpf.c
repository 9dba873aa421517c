/* Rejected: nothing bounds the number of times around this loop. */
#include "packet.h"

SEC("xdp")
int wait_for_drop(struct xdp_md *ctx) {
  while (bpf_get_prandom_u32() & 1) {
  }
  return XDP_DROP;
}

char _license[] SEC("license") = "MIT";
