/* Packet parsers: Ethernet, VLAN stacks, IPv4 options, IPv6 extension headers, DNS names. */
#include "corpus.h"

TABLE(by_protocol, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 256);
TABLE(blocked_ports, BPF_MAP_TYPE_HASH, __u16, __u8, 1024);

static ALWAYS_INLINE void count(__u32 protocol) {
  __u64 *packets = bpf_map_lookup_elem(&by_protocol, &protocol);
  if (packets) *packets += 1;
}

/* corpus: packet accepted */
SEC("xdp")
int count_protocols(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return XDP_PASS;
  count(layers.ip->protocol);
  return XDP_PASS;
}

/* corpus: packet accepted */
SEC("xdp")
int drop_blocked_ports(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct flow flow = {};
  if (!parse_flow(data, end, &flow)) return XDP_PASS;
  __u16 port = bpf_ntohs(flow.destination_port);
  return bpf_map_lookup_elem(&blocked_ports, &port) ? XDP_DROP : XDP_PASS;
}

/* corpus: packet accepted */
SEC("xdp")
int strip_vlans(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  __be16 type = eth->h_proto;
  void *cursor = eth + 1;
#pragma unroll
  for (int depth = 0; depth < 4; depth++) {
    if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD)) break;
    struct vlan_header *vlan = cursor;
    if ((void *)(vlan + 1) > end) return XDP_DROP;
    type = vlan->type;
    cursor = vlan + 1;
  }
  count(bpf_ntohs(type) & 0xff);
  return type == bpf_htons(ETH_P_ARP) ? XDP_DROP : XDP_PASS;
}

/* corpus: packet accepted */
SEC("xdp")
int ipv6_extensions(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IPV6)) return XDP_PASS;
  struct ipv6hdr *ip = (void *)(eth + 1);
  if ((void *)(ip + 1) > end) return XDP_DROP;
  __u8 next = ip->nexthdr;
  __u8 *cursor = (void *)(ip + 1);
  for (int i = 0; i < 6; i++) {
    if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) break;
    if ((void *)(cursor + 2) > end) return XDP_DROP;
    next = cursor[0];
    cursor += (cursor[1] + 1) * 8;
  }
  if ((void *)(cursor + 4) > end) return XDP_DROP;
  count(next);
  return next == IPPROTO_TCP && cursor[3] == 23 ? XDP_DROP : XDP_PASS;
}

/* corpus: packet accepted */
SEC("xdp")
int tcp_options_mss(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = layers.transport;
  if ((void *)(tcp + 1) > end || !tcp->syn) return XDP_PASS;
  __u8 *option = (void *)(tcp + 1);
  for (int i = 0; i < 10; i++) {
    if ((void *)(option + 2) > end) return XDP_PASS;
    if (option[0] == 0) return XDP_PASS;
    if (option[0] == 1) {
      option++;
      continue;
    }
    if (option[0] == 2) {
      if ((void *)(option + 4) > end) return XDP_DROP;
      __u16 mss = option[2] << 8 | option[3];
      return mss < 500 ? XDP_DROP : XDP_PASS;
    }
    if (option[1] < 2) return XDP_DROP;
    option += option[1] & 0x3f;
  }
  return XDP_PASS;
}

/* corpus: loops accepted */
SEC("xdp")
int dns_name_length(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_UDP) return XDP_PASS;
  struct udphdr *udp = layers.transport;
  if ((void *)(udp + 1) > end || udp->dest != bpf_htons(53)) return XDP_PASS;
  __u8 *name = (void *)(udp + 1) + 12;
  __u32 length = 0;
  for (int i = 0; i < 64; i++) {
    if ((void *)(name + i + 1) > end) return XDP_DROP;
    if (name[i] == 0) break;
    length++;
  }
  return length > 48 ? XDP_DROP : XDP_PASS;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_size_of_pointer(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if (data + sizeof(eth) > end) return XDP_PASS;
  return eth->h_proto == bpf_htons(ETH_P_IPV6) ? XDP_DROP : XDP_PASS;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_check_after_use(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  __u16 type = *(volatile __u16 *)&eth->h_proto;
  if ((void *)(eth + 1) > end) return XDP_PASS;
  return type == bpf_htons(ETH_P_ARP) ? XDP_DROP : XDP_PASS;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_options_not_rechecked(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return XDP_PASS;
  struct udphdr *udp = layers.transport;
  if (layers.ip->protocol != IPPROTO_UDP) return XDP_PASS;
  return udp->dest == bpf_htons(53) ? XDP_DROP : XDP_PASS;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_equal_is_not_enough(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) == end) return XDP_PASS;
  return eth->h_dest[0] & 1 ? XDP_DROP : XDP_PASS;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_signed_length(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  int *length = data;
  if ((void *)(length + 1) > end) return XDP_PASS;
  char *cursor = (char *)data + *length;
  if ((void *)(cursor + 1) > end) return XDP_PASS;
  return *cursor == 'x' ? XDP_DROP : XDP_PASS;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_write_past_end(struct xdp_md *ctx) {
  __u8 *end = (void *)(long)ctx->data_end;
  end[0] = 1;
  return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
