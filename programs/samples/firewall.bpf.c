/* XDP firewall: drops packets from blocked IPv4 sources, counts every decision. */
#include "packet.h"

struct hits {
  __u64 packets;
  __u64 bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __be32);
  __type(value, struct hits);
  __uint(max_entries, 1024);
} blocklist SEC(".maps");

enum reason { PASSED, NOT_IPV4, BLOCKED, MALFORMED, REASONS };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, REASONS);
} decisions SEC(".maps");

static ALWAYS_INLINE int decide(enum reason reason, int action) {
  __u32 key = reason;
  __u64 *count = bpf_map_lookup_elem(&decisions, &key);
  if (count) __sync_fetch_and_add(count, 1);
  return action;
}

SEC("xdp")
int firewall(struct xdp_md *ctx) {
  struct cursor cursor = xdp_cursor(ctx);
  struct ethernet *ethernet = take(&cursor, sizeof(*ethernet));
  if (!ethernet) return decide(MALFORMED, XDP_DROP);
  __be16 type = ethernet->type;
  if (type == bpf_htons(ETHERTYPE_VLAN)) {
    struct vlan *vlan = take(&cursor, sizeof(*vlan));
    if (!vlan) return decide(MALFORMED, XDP_DROP);
    type = vlan->type;
  }
  if (type != bpf_htons(ETHERTYPE_IPV4)) return decide(NOT_IPV4, XDP_PASS);
  struct ipv4 *ip = take(&cursor, sizeof(*ip));
  if (!ip) return decide(MALFORMED, XDP_DROP);
  if (ip->version_length >> 4 != 4) return decide(MALFORMED, XDP_DROP);

  __be32 source = ip->source;
  struct hits *hits = bpf_map_lookup_elem(&blocklist, &source);
  if (!hits) return decide(PASSED, XDP_PASS);
  __sync_fetch_and_add(&hits->packets, 1);
  __sync_fetch_and_add(&hits->bytes, ctx->data_end - ctx->data);
  return decide(BLOCKED, XDP_DROP);
}

char _license[] SEC("license") = "MIT";
