/* Rejected: on one path the reserved record is neither submitted nor discarded. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} events SEC(".maps");

struct event {
  __u32 length;
  __u32 interface;
};

SEC("xdp")
int report(struct xdp_md *ctx) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return XDP_PASS;
  event->length = ctx->data_end - ctx->data;
  event->interface = ctx->ingress_ifindex;
  if (event->length < 60) return XDP_DROP;
  bpf_ringbuf_submit(event, 0);
  return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
