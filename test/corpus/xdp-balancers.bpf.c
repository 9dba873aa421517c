/* Load balancers, NAT and tunnels on XDP. */
#include "corpus.h"

struct backend {
  __be32 address;
  __u8 mac[6];
  __u16 weight;
};

struct vip {
  __be32 address;
  __be16 port;
  __u16 protocol;
};

struct vip_meta {
  __u32 flags;
  __u32 number;
};

#define RING_SIZE 1021

TABLE(vips, BPF_MAP_TYPE_HASH, struct vip, struct vip_meta, 512);
TABLE(rings, BPF_MAP_TYPE_ARRAY, __u32, __u32, 8 * RING_SIZE);
TABLE(backends, BPF_MAP_TYPE_ARRAY, __u32, struct backend, 4096);
TABLE(affinity, BPF_MAP_TYPE_LRU_HASH, struct flow, __u32, 65536);
TABLE(port_map, BPF_MAP_TYPE_HASH, struct flow, struct flow, 1024);
TABLE(devices, BPF_MAP_TYPE_DEVMAP, __u32, __u32, 64);
TABLE(cpus, BPF_MAP_TYPE_CPUMAP, __u32, __u32, 64);

static ALWAYS_INLINE __u32 hash_flow(const struct flow *flow) {
  __u32 hash = 0x9e3779b9;
  hash ^= flow->source;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  hash ^= flow->destination;
  hash *= 0xc2b2ae35;
  hash ^= (__u32)flow->source_port << 16 | flow->destination_port;
  hash ^= hash >> 16;
  return hash;
}

/* corpus: map values accepted */
SEC("xdp")
int balance(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct flow flow = {};
  if (!parse_flow(data, end, &flow)) return XDP_PASS;
  struct vip key = {flow.destination, flow.destination_port, flow.protocol};
  struct vip_meta *vip = bpf_map_lookup_elem(&vips, &key);
  if (!vip) return XDP_PASS;
  __u32 *known = bpf_map_lookup_elem(&affinity, &flow);
  __u32 index;
  if (known) {
    index = *known;
  } else {
    __u32 slot = vip->number * RING_SIZE + hash_flow(&flow) % RING_SIZE;
    __u32 *ring = bpf_map_lookup_elem(&rings, &slot);
    if (!ring) return XDP_DROP;
    index = *ring;
    bpf_map_update_elem(&affinity, &flow, &index, BPF_ANY);
  }
  struct backend *backend = bpf_map_lookup_elem(&backends, &index);
  if (!backend) return XDP_DROP;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  __builtin_memcpy(eth->h_source, eth->h_dest, 6);
  __builtin_memcpy(eth->h_dest, backend->mac, 6);
  return XDP_TX;
}

/* corpus: packet accepted */
SEC("xdp")
int encapsulate(struct xdp_md *ctx) {
  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr))) return XDP_DROP;
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *outer = data;
  struct iphdr *ip = data + sizeof(*outer);
  struct ethhdr *inner = data + sizeof(*ip);
  if ((void *)(ip + 1) > end || (void *)(inner + 1) > end) return XDP_DROP;
  __builtin_memmove(outer, inner, sizeof(*outer));
  outer->h_proto = bpf_htons(ETH_P_IP);
  ip->version = 4;
  ip->ihl = 5;
  ip->tos = 0;
  ip->tot_len = bpf_htons((__u16)(end - data) - sizeof(*outer));
  ip->id = 0;
  ip->frag_off = 0;
  ip->ttl = 64;
  ip->protocol = IPPROTO_IPIP;
  ip->check = 0;
  ip->saddr = bpf_htonl(0x0a000001);
  ip->daddr = bpf_htonl(0x0a000002);
  __u32 sum = 0;
  __u16 *words = (__u16 *)ip;
#pragma unroll
  for (int i = 0; i < 10; i++) sum += words[i];
  ip->check = fold_checksum(sum);
  return XDP_TX;
}

/* corpus: packet accepted */
SEC("xdp")
int translate(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct flow flow = {};
  if (!parse_flow(data, end, &flow)) return XDP_PASS;
  struct flow *to = bpf_map_lookup_elem(&port_map, &flow);
  if (!to) return XDP_PASS;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return XDP_DROP;
  __u32 old = layers.ip->daddr;
  layers.ip->daddr = to->destination;
  __s64 sum = bpf_csum_diff(&old, 4, &to->destination, 4, ~layers.ip->check & 0xffff);
  layers.ip->check = fold_checksum(sum);
  if (layers.ip->protocol == IPPROTO_UDP) {
    struct udphdr *udp = layers.transport;
    if ((void *)(udp + 1) > end) return XDP_DROP;
    udp->dest = to->destination_port;
    udp->check = 0;
  }
  return XDP_PASS;
}

/* corpus: helper arguments accepted */
SEC("xdp")
int redirect_device(struct xdp_md *ctx) {
  __u32 index = ctx->rx_queue_index & 63;
  return bpf_redirect_map(&devices, index, XDP_PASS);
}

/* corpus: helper arguments accepted */
SEC("xdp")
int spread_cpus(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct flow flow = {};
  if (!parse_flow(data, end, &flow)) return XDP_PASS;
  return bpf_redirect_map(&cpus, hash_flow(&flow) % 16, 0);
}

/* corpus: helper arguments accepted */
SEC("xdp")
int forward_by_route(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->ttl <= 1) return XDP_PASS;
  struct bpf_fib_lookup route = {};
  route.family = 2;
  route.tos = layers.ip->tos;
  route.l4_protocol = layers.ip->protocol;
  route.tot_len = bpf_ntohs(layers.ip->tot_len);
  route.ipv4_src = layers.ip->saddr;
  route.ipv4_dst = layers.ip->daddr;
  route.ifindex = ctx->ingress_ifindex;
  if (bpf_fib_lookup(ctx, &route, sizeof(route), 0) != BPF_FIB_LKUP_RET_SUCCESS) return XDP_PASS;
  layers.ip->ttl--;
  __u32 check = layers.ip->check + bpf_htons(0x0100);
  layers.ip->check = check + (check >= 0xffff);
  __builtin_memcpy(layers.eth->h_dest, route.dmac, 6);
  __builtin_memcpy(layers.eth->h_source, route.smac, 6);
  return bpf_redirect_map(&devices, route.ifindex, 0);
}

/* corpus: context accepted */
SEC("xdp")
int pass_metadata(struct xdp_md *ctx) {
  if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(__u32))) return XDP_PASS;
  void *data = (void *)(long)ctx->data;
  __u32 *meta = (void *)(long)ctx->data_meta;
  if ((void *)(meta + 1) > data) return XDP_ABORTED;
  *meta = 42;
  return XDP_PASS;
}

/* corpus: map values rejected */
SEC("xdp")
int bad_unchecked_backend(struct xdp_md *ctx) {
  __u32 index = ctx->rx_queue_index;
  struct backend *backend = bpf_map_lookup_elem(&backends, &index);
  return backend->weight ? XDP_PASS : XDP_DROP;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_stale_packet(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  if (bpf_xdp_adjust_head(ctx, -20)) return XDP_DROP;
  eth->h_proto = bpf_htons(ETH_P_IP);
  return XDP_TX;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_meta_against_end(struct xdp_md *ctx) {
  void *end = (void *)(long)ctx->data_end;
  __u32 *meta = (void *)(long)ctx->data_meta;
  if ((void *)(meta + 1) > end) return XDP_ABORTED;
  *meta = 42;
  return XDP_PASS;
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_fib_size(struct xdp_md *ctx) {
  struct bpf_fib_lookup route = {};
  return bpf_fib_lookup(ctx, &route, sizeof(route) + 8 * ctx->rx_queue_index, 0);
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_redirect_through_hash(struct xdp_md *ctx) {
  return bpf_redirect_map(&vips, 0, 0);
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_socket_buffer_helper(struct xdp_md *ctx) {
  char bytes[4] = {};
  bpf_skb_load_bytes(ctx, 0, bytes, 4);
  return bytes[0] ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
