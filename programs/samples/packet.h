/* Wire formats and the few helpers that the samples share. */
#ifndef SAMPLES_PACKET_H
#define SAMPLES_PACKET_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
  ETHERTYPE_IPV4 = 0x0800,
  ETHERTYPE_ARP = 0x0806,
  ETHERTYPE_VLAN = 0x8100,
  ETHERTYPE_QINQ = 0x88a8,
  ETHERTYPE_IPV6 = 0x86dd,
};

enum {
  PROTOCOL_HOP_BY_HOP = 0,
  PROTOCOL_ICMP = 1,
  PROTOCOL_TCP = 6,
  PROTOCOL_UDP = 17,
  PROTOCOL_ROUTING = 43,
  PROTOCOL_FRAGMENT = 44,
  PROTOCOL_ICMPV6 = 58,
  PROTOCOL_DESTINATION = 60,
};

struct ethernet {
  __u8 destination[6];
  __u8 source[6];
  __be16 type;
};

struct vlan {
  __be16 tag;
  __be16 type;
};

struct ipv4 {
  __u8 version_length;
  __u8 tos;
  __be16 total_length;
  __be16 id;
  __be16 fragment;
  __u8 ttl;
  __u8 protocol;
  __be16 checksum;
  __be32 source;
  __be32 destination;
};

struct ipv6 {
  __be32 version_class_flow;
  __be16 payload_length;
  __u8 next_header;
  __u8 hop_limit;
  __be32 source[4];
  __be32 destination[4];
};

struct ports {
  __be16 source;
  __be16 destination;
};

/* What an XDP program sees of its packet. */
struct cursor {
  void *at;
  void *end;
};

static ALWAYS_INLINE struct cursor xdp_cursor(struct xdp_md *ctx) {
  struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
  return cursor;
}

/* The next `bytes` of the packet, or NULL when it is shorter. */
static ALWAYS_INLINE void *take(struct cursor *cursor, __u32 bytes) {
  void *start = cursor->at;
  if (start + bytes > cursor->end) return 0;
  cursor->at = start + bytes;
  return start;
}

#endif
