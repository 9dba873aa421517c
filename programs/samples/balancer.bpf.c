/*
 * XDP load balancer: hashes the connection, finds its place on a ring of slots (so that adding a
 * backend moves only that backend's share), rewrites destination address and MAC, sends the packet
 * back out.
 */
#include "packet.h"

enum { RING_SLOTS = 256, BACKENDS_MAX = 16 };

struct backend {
  __be32 address;
  __u8 mac[6];
  __u16 weight; /* 0: no such backend */
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, RING_SLOTS);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct backend);
  __uint(max_entries, BACKENDS_MAX);
} backends SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, BACKENDS_MAX);
} forwarded SEC(".maps");

const volatile __be32 service_address = bpf_htonl(0x0a000050); /* 10.0.0.80 */

static ALWAYS_INLINE __u32 rotate(__u32 word, int bits) {
  return word << bits | word >> (32 - bits);
}

/* A finaliser with full avalanche over three words. */
static ALWAYS_INLINE __u32 mix(__u32 a, __u32 b, __u32 c) {
  __u32 hash = 0x9e3779b9;
  hash = rotate(hash ^ a * 0xcc9e2d51, 15) * 0x1b873593;
  hash = rotate(hash ^ b * 0xcc9e2d51, 15) * 0x1b873593;
  hash = rotate(hash ^ c * 0xcc9e2d51, 15) * 0x1b873593;
  hash ^= hash >> 16;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  return hash;
}

/* RFC 1624, equation 3: the checksum after a 32-bit word of the header changed. */
static ALWAYS_INLINE __u16 checksum_after(__u16 checksum, __be32 before, __be32 after) {
  __u32 sum = (__u16)~checksum;
  sum += (__u16)~(before & 0xffff);
  sum += (__u16) ~(before >> 16);
  sum += (after & 0xffff) + (after >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

SEC("xdp")
int balance(struct xdp_md *ctx) {
  struct cursor cursor = xdp_cursor(ctx);
  struct ethernet *ethernet = take(&cursor, sizeof(*ethernet));
  if (!ethernet || ethernet->type != bpf_htons(ETHERTYPE_IPV4)) return XDP_PASS;
  struct ipv4 *ip = take(&cursor, sizeof(*ip));
  if (!ip || ip->version_length != 0x45 || ip->destination != service_address) return XDP_PASS;
  if (ip->protocol != PROTOCOL_TCP && ip->protocol != PROTOCOL_UDP) return XDP_PASS;
  struct ports *ports = take(&cursor, sizeof(*ports));
  if (!ports) return XDP_PASS;

  __u32 connection = (__u32)ports->source << 16 | ports->destination;
  __u32 slot = mix(ip->source, connection, ip->protocol) % RING_SLOTS;
  __u32 *index = bpf_map_lookup_elem(&ring, &slot);
  if (!index) return XDP_ABORTED;
  __u32 chosen = *index;
  struct backend *backend = bpf_map_lookup_elem(&backends, &chosen);
  if (!backend || backend->weight == 0) return XDP_DROP;
  __u64 *count = bpf_map_lookup_elem(&forwarded, &chosen);
  if (count) __sync_fetch_and_add(count, 1);

  ip->checksum = checksum_after(ip->checksum, ip->destination, backend->address);
  ip->destination = backend->address;
  __builtin_memcpy(ethernet->source, ethernet->destination, sizeof(ethernet->source));
  __builtin_memcpy(ethernet->destination, backend->mac, sizeof(ethernet->destination));
  return XDP_TX;
}

char _license[] SEC("license") = "MIT";
