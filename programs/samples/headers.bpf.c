/*
 * Walks VLAN tags and IPv6 extension headers with bounded loops and records what it found last:
 * passes TCP, UDP and ICMPv6, drops packets whose header chain is longer than it is willing to walk.
 */
#include "packet.h"

enum { TAGS_MAX = 2, EXTENSIONS_MAX = 6 };

struct extension {
  __u8 next_header;
  __u8 length; /* in 8-byte units, not counting the first */
  __u8 body[6];
};

struct depth {
  __u32 tags;
  __u32 extensions;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct depth);
  __type(value, __u64);
  __uint(max_entries, 64);
} depths SEC(".maps");

static ALWAYS_INLINE void record(struct depth *depth) {
  __u64 *count = bpf_map_lookup_elem(&depths, depth);
  if (count) {
    __sync_fetch_and_add(count, 1);
    return;
  }
  __u64 one = 1;
  bpf_map_update_elem(&depths, depth, &one, BPF_ANY);
}

SEC("xdp")
int walk_headers(struct xdp_md *ctx) {
  struct cursor cursor = xdp_cursor(ctx);
  struct depth depth = {0, 0};
  struct ethernet *ethernet = take(&cursor, sizeof(*ethernet));
  if (!ethernet) return XDP_ABORTED;
  __be16 type = ethernet->type;
  for (int i = 0; i < TAGS_MAX; i++) {
    if (type != bpf_htons(ETHERTYPE_VLAN) && type != bpf_htons(ETHERTYPE_QINQ)) break;
    struct vlan *vlan = take(&cursor, sizeof(*vlan));
    if (!vlan) return XDP_ABORTED;
    type = vlan->type;
    depth.tags++;
  }
  if (type != bpf_htons(ETHERTYPE_IPV6)) return XDP_PASS;

  struct ipv6 *ip = take(&cursor, sizeof(*ip));
  if (!ip) return XDP_ABORTED;
  __u8 next = ip->next_header;
#pragma clang loop unroll(disable)
  for (int i = 0; i < EXTENSIONS_MAX; i++) {
    if (next != PROTOCOL_HOP_BY_HOP && next != PROTOCOL_ROUTING && next != PROTOCOL_FRAGMENT &&
        next != PROTOCOL_DESTINATION) {
      record(&depth);
      return XDP_PASS;
    }
    struct extension *extension = take(&cursor, sizeof(*extension));
    if (!extension) return XDP_ABORTED;
    __u32 rest = next == PROTOCOL_FRAGMENT ? 0 : extension->length * 8;
    next = extension->next_header;
    cursor.at += rest;
    depth.extensions++;
  }
  record(&depth);
  return XDP_DROP;
}

char _license[] SEC("license") = "MIT";
