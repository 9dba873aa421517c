/* More of the network: neighbours, MTU, tunnels, resizing, frags, messages, stream filters. */
#include "corpus.h"

struct bpf_nf_ctx;

struct service_key {
  __be32 address;
  __be16 port;
  __u8 protocol;
  __u8 pad;
};

TABLE(services, BPF_MAP_TYPE_HASH, struct service_key, __u32, 1024);
TABLE(counters, BPF_MAP_TYPE_LRU_PERCPU_HASH, __be32, __u64, 4096);
TABLE(mac_table, BPF_MAP_TYPE_HASH, __u8[6], __u32, 1024);
TABLE(redirects, BPF_MAP_TYPE_DEVMAP_HASH, __u32, struct bpf_devmap_val, 64);
TABLE(sockets_of_queues, BPF_MAP_TYPE_XSKMAP, __u32, __u32, 64);
struct {
  __uint(type, BPF_MAP_TYPE_STACK);
  __type(value, __u32);
  __uint(max_entries, 64);
} addresses SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 4);
} cgroups SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} samples SEC(".maps");

/* corpus: helper arguments accepted */
SEC("xdp")
int learn_source(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  __u32 port = ctx->ingress_ifindex;
  bpf_map_update_elem(&mac_table, eth->h_source, &port, BPF_ANY);
  __u32 *to = bpf_map_lookup_elem(&mac_table, eth->h_dest);
  if (!to) return bpf_redirect_map(&redirects, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
  return bpf_redirect(*to, 0);
}

/* corpus: helper arguments accepted */
SEC("xdp")
int to_user_space(struct xdp_md *ctx) {
  __u32 queue = ctx->rx_queue_index;
  if (bpf_map_lookup_elem(&sockets_of_queues, &queue))
    return bpf_redirect_map(&sockets_of_queues, queue, XDP_PASS);
  return XDP_PASS;
}

/* corpus: packet accepted */
SEC("xdp")
int answer_ping(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_ICMP) return XDP_PASS;
  __u8 *icmp = layers.transport;
  if ((void *)(icmp + 8) > end || icmp[0] != 8) return XDP_PASS;
  __be32 source = layers.ip->saddr;
  layers.ip->saddr = layers.ip->daddr;
  layers.ip->daddr = source;
  icmp[0] = 0;
  __u16 *checksum = (void *)(icmp + 2);
  __u32 sum = *checksum + bpf_htons(0x0800);
  *checksum = sum + (sum >> 16);
  __u8 address[6];
  __builtin_memcpy(address, layers.eth->h_source, 6);
  __builtin_memcpy(layers.eth->h_source, layers.eth->h_dest, 6);
  __builtin_memcpy(layers.eth->h_dest, address, 6);
  return XDP_TX;
}

/* corpus: packet accepted */
SEC("xdp")
int truncate_long(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  int excess = (end - data) - 128;
  if (excess <= 0) return XDP_PASS;
  if (bpf_xdp_adjust_tail(ctx, -excess)) return XDP_DROP;
  data = (void *)(long)ctx->data;
  end = (void *)(long)ctx->data_end;
  if (data + 34 > end) return XDP_DROP;
  struct iphdr *ip = data + 14;
  ip->tot_len = bpf_htons(114);
  return XDP_TX;
}

/* corpus: helper arguments accepted */
SEC("xdp.frags")
int scan_frags(struct xdp_md *ctx) {
  __u8 window[16];
  __u32 length = bpf_xdp_get_buff_len(ctx);
  __u32 found = 0;
  for (__u32 offset = 0; offset < 256; offset += 16) {
    if (offset + 16 > length) break;
    if (bpf_xdp_load_bytes(ctx, offset, window, sizeof(window))) break;
    if (window[0] == 0x16 && window[1] == 3) found++;
  }
  return found > 2 ? XDP_DROP : XDP_PASS;
}

/* corpus: helper arguments accepted */
SEC("xdp/cpumap")
int on_other_cpu(struct xdp_md *ctx) {
  return ctx->ingress_ifindex == 1 ? XDP_DROP : XDP_PASS;
}

/* corpus: helper arguments accepted */
SEC("xdp/devmap")
int on_egress(struct xdp_md *ctx) {
  return ctx->egress_ifindex == ctx->ingress_ifindex ? XDP_DROP : XDP_PASS;
}

/* corpus: helper arguments accepted */
SEC("tc")
int grow_room(struct __sk_buff *skb) {
  if (bpf_skb_adjust_room(skb, 20, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4))
    return TC_ACT_SHOT;
  struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = 4};
  if (bpf_skb_store_bytes(skb, 14, &ip, sizeof(ip), BPF_F_INVALIDATE_HASH)) return TC_ACT_SHOT;
  return bpf_redirect_neigh(skb->ifindex, NULL, 0, 0);
}

/* corpus: helper arguments accepted */
SEC("tc")
int check_size(struct __sk_buff *skb) {
  __u32 mtu = 0;
  if (bpf_check_mtu(skb, 0, &mtu, 0, 0) == BPF_MTU_CHK_RET_FRAG_NEEDED) return TC_ACT_SHOT;
  bpf_csum_level(skb, BPF_CSUM_LEVEL_INC);
  bpf_skb_change_type(skb, 0);
  return bpf_skb_under_cgroup(skb, &cgroups, 1) == 1 ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: helper arguments accepted */
SEC("tc")
int sample_packets(struct __sk_buff *skb) {
  struct {
    __u32 length;
    __u32 mark;
  } header = {skb->len, skb->mark};
  __u64 bytes = skb->len < 128 ? skb->len : 128;
  bpf_perf_event_output(skb, &samples, BPF_F_CURRENT_CPU | bytes << 32, &header, sizeof(header));
  return TC_ACT_OK;
}

/* corpus: map values accepted */
SEC("tc")
int count_addresses(struct __sk_buff *skb) {
  struct iphdr ip;
  if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) < 0) return TC_ACT_OK;
  __u64 *count = bpf_map_lookup_elem(&counters, &ip.saddr);
  if (count) {
    *count += 1;
  } else {
    __u64 one = 1;
    bpf_map_update_elem(&counters, &ip.saddr, &one, BPF_NOEXIST);
  }
  struct service_key key = {ip.daddr, 0, ip.protocol, 0};
  __u32 *class = bpf_map_lookup_elem(&services, &key);
  if (class && *class > 100) return TC_ACT_SHOT;
  __u32 address = ip.daddr;
  bpf_map_push_elem(&addresses, &address, BPF_EXIST);
  return TC_ACT_OK;
}

/* corpus: packet accepted */
SEC("tc")
int clamp_mss(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_TCP) return TC_ACT_OK;
  struct tcphdr *tcp = layers.transport;
  if ((void *)(tcp + 1) > end || !tcp->syn) return TC_ACT_OK;
  __u32 length = tcp->doff * 4;
  if (length < sizeof(*tcp) + 4) return TC_ACT_OK;
  __u8 *option = (void *)(tcp + 1);
  if ((void *)(option + 4) > end) return TC_ACT_OK;
  if (option[0] != 2 || option[1] != 4) return TC_ACT_OK;
  __u16 mss = option[2] << 8 | option[3];
  if (mss <= 1360) return TC_ACT_OK;
  option[2] = 1360 >> 8;
  option[3] = 1360 & 0xff;
  return TC_ACT_OK;
}

/* corpus: packet accepted */
SEC("tc")
int both_directions(struct __sk_buff *skb) {
  void *end = (void *)(long)skb->data_end;
  void *data = (void *)(long)skb->data;
  void *network = data + 14;
  void *transport = network + 20;
  if (end < transport + 8) return TC_ACT_OK;
  struct udphdr *udp = transport;
  struct iphdr *ip = network;
  return ip->protocol == 17 && udp->dest == udp->source ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: context accepted */
SEC("netfilter")
int hook(struct bpf_nf_ctx *ctx) {
  return 1;
}

/* corpus: helper arguments accepted */
SEC("sk_msg")
int prepend(struct sk_msg_md *msg) {
  if (bpf_msg_push_data(msg, 0, 4, 0)) return SK_PASS;
  __u8 *data = msg->data, *end = msg->data_end;
  if (data + 4 > end) return SK_DROP;
  data[0] = msg->size >> 8;
  data[1] = msg->size;
  bpf_msg_apply_bytes(msg, 64);
  bpf_msg_cork_bytes(msg, 128);
  return SK_PASS;
}

/* corpus: helper arguments accepted */
SEC("sk_reuseport/migrate")
int migrate(struct sk_reuseport_md *md) {
  return md->migrating_sk ? SK_PASS : SK_DROP;
}

/* corpus: ranges rejected */
SEC("tc")
int bad_payload_length(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return TC_ACT_OK;
  __u32 length = bpf_ntohs(layers.ip->tot_len);
  __u8 *last = (void *)layers.ip + length - 1;
  if ((void *)last > end) return TC_ACT_OK;
  return *last;
}

/* corpus: packet rejected */
SEC("tc")
int bad_end_of_first(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  __u8 *a = data + skb->mark % 64, *b = data + skb->priority % 64;
  if ((void *)(a + 1) > end) return TC_ACT_OK;
  return *b;
}

/* corpus: helper arguments rejected */
SEC("tc")
int bad_uninitialised_mtu(struct __sk_buff *skb) {
  return bpf_check_mtu(skb, 0, (void *)(long)skb->mark, 0, 0);
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_push_in_xdp(struct xdp_md *ctx) {
  return bpf_skb_vlan_push((void *)ctx, 0, 0);
}

/* corpus: helper arguments rejected */
SEC("tc")
int bad_output_map(struct __sk_buff *skb) {
  __u32 value = 0;
  return bpf_perf_event_output(skb, &services, 0, &value, sizeof(value));
}

/* corpus: packet rejected */
SEC("sk_msg")
int bad_after_push(struct sk_msg_md *msg) {
  __u8 *data = msg->data, *end = msg->data_end;
  if (data + 4 > end) return SK_DROP;
  if (bpf_msg_push_data(msg, 0, 4, 0)) return SK_PASS;
  data[0] = 1;
  return SK_PASS;
}

/* corpus: context rejected */
SEC("xdp")
int bad_egress_index(struct xdp_md *ctx) {
  return ctx->egress_ifindex;
}

/* corpus: context rejected */
SEC("netfilter")
int bad_hook_result(struct bpf_nf_ctx *ctx) {
  return 5;
}

/* corpus: packet rejected */
SEC("tc")
int bad_variable_reuse(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  __u32 offset = skb->mark & 0xff;
  __u8 *at = data + offset;
  if ((void *)(at + 4) > end) return TC_ACT_OK;
  offset += 4;
  BARRIER(offset);
  at = data + offset;
  return at[0];
}

char _license[] SEC("license") = "GPL";
