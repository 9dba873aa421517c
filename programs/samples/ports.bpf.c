/* Counts packets by transport protocol and destination port. */
#include "packet.h"

struct service {
  __u8 protocol;
  __u8 padding;
  __u16 port;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct service);
  __type(value, __u64);
  __uint(max_entries, 4096);
} services SEC(".maps");

static ALWAYS_INLINE void count(__u8 protocol, __u16 port) {
  struct service key = {.protocol = protocol, .port = port};
  __u64 *packets = bpf_map_lookup_elem(&services, &key);
  if (packets) {
    __sync_fetch_and_add(packets, 1);
    return;
  }
  __u64 one = 1;
  bpf_map_update_elem(&services, &key, &one, BPF_NOEXIST);
}

SEC("xdp")
int count_ports(struct xdp_md *ctx) {
  struct cursor cursor = xdp_cursor(ctx);
  struct ethernet *ethernet = take(&cursor, sizeof(*ethernet));
  if (!ethernet || ethernet->type != bpf_htons(ETHERTYPE_IPV4)) return XDP_PASS;
  struct ipv4 *ip = take(&cursor, sizeof(*ip));
  if (!ip) return XDP_PASS;
  __u32 length = (ip->version_length & 0xf) * 4;
  if (length < sizeof(*ip)) return XDP_PASS;
  if (ip->fragment & bpf_htons(0x1fff)) return XDP_PASS; /* only first fragments carry ports */
  cursor.at = (void *)ip + length;                       /* skips the options */
  __u8 protocol = ip->protocol;
  if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) return XDP_PASS;
  struct ports *ports = take(&cursor, sizeof(*ports));
  if (!ports) return XDP_PASS;
  count(protocol, bpf_ntohs(ports->destination));
  return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
