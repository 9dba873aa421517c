/* Rejected: compares with the size of the pointer, then reads further than that. */
#include "packet.h"

SEC("xdp")
int drop_ipv6(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethernet *ethernet = data;
  if (data + sizeof(ethernet) > end) return XDP_PASS;
  return ethernet->type == bpf_htons(ETHERTYPE_IPV6) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "MIT";
