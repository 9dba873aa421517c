/* Programs on sockets: filters, sock_ops, sk_msg, sk_skb, sk_lookup, reuseport, dissector, lwt. */
#include "corpus.h"

unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long offset) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long offset) asm("llvm.bpf.load.word");

struct {
  __uint(type, BPF_MAP_TYPE_SOCKHASH);
  __type(key, struct flow);
  __type(value, __u64);
  __uint(max_entries, 1024);
} sockets SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 16);
} listeners SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 16);
} reuse SEC(".maps");
TABLE(counts, BPF_MAP_TYPE_ARRAY, __u32, __u64, 256);

/* corpus: ld_abs accepted */
SEC("socket")
int count_by_protocol(struct __sk_buff *skb) {
  __u32 protocol = load_byte(skb, 14 + offsetof(struct iphdr, protocol));
  if (skb->pkt_type != 4) return 0;
  __u64 *count = bpf_map_lookup_elem(&counts, &protocol);
  if (count) __sync_fetch_and_add(count, skb->len);
  return 0;
}

/* corpus: ld_abs accepted */
SEC("socket")
int filter_port(struct __sk_buff *skb) {
  if (load_half(skb, 12) != ETH_P_IP) return 0;
  __u32 length = (load_byte(skb, 14) & 0xf) << 2;
  if (load_byte(skb, 23) != IPPROTO_TCP) return 0;
  return load_half(skb, 14 + length + 2) == 443 ? skb->len : 0;
}

/* corpus: ld_abs accepted */
SEC("tc")
int classify_legacy(struct __sk_buff *skb) {
  __u32 sum = 0;
  for (int i = 0; i < 8; i++) sum += load_word(skb, 26 + i);
  return sum == 7 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: ld_abs rejected */
SEC("xdp")
int bad_legacy_in_xdp(struct xdp_md *ctx) {
  return load_byte(ctx, 0) ? XDP_DROP : XDP_PASS;
}

/* corpus: ld_abs rejected */
SEC("lwt_in")
int bad_legacy_base(struct __sk_buff *skb) {
  return load_byte((void *)(long)skb->mark, 0);
}

/* corpus: helper arguments accepted */
SEC("socket")
int load_relative(struct __sk_buff *skb) {
  struct iphdr ip;
  if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET)) return 0;
  return ip.protocol == IPPROTO_UDP ? 64 : 0;
}

/* corpus: context accepted */
SEC("sockops")
int tune_tcp(struct bpf_sock_ops *ctx) {
  int window = 40, reply = -1;
  switch (ctx->op) {
    case BPF_SOCK_OPS_TIMEOUT_INIT:
      reply = 10;
      break;
    case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
    case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
      bpf_sock_ops_cb_flags_set(ctx, BPF_SOCK_OPS_RTT_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG);
      if (ctx->local_port > 1024)
        reply = bpf_setsockopt(ctx, 6, 1001 /* TCP_BPF_IW */, &window, sizeof(window));
      break;
    case BPF_SOCK_OPS_RTT_CB:
      ctx->sk_txhash = ctx->srtt_us >> 3;
      break;
  }
  ctx->reply = reply;
  return 1;
}

/* corpus: helper arguments accepted */
SEC("sockops")
int collect_sockets(struct bpf_sock_ops *ctx) {
  if (ctx->family != 2 || ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB) return 0;
  struct flow key = {};
  key.source = ctx->local_ip4;
  key.destination = ctx->remote_ip4;
  key.source_port = ctx->local_port;
  key.destination_port = bpf_ntohl(ctx->remote_port);
  bpf_sock_hash_update(ctx, &sockets, &key, BPF_NOEXIST);
  return 0;
}

/* corpus: helper arguments accepted */
SEC("sk_msg")
int splice_local(struct sk_msg_md *msg) {
  struct flow key = {};
  key.source = msg->remote_ip4;
  key.destination = msg->local_ip4;
  key.destination_port = msg->local_port;
  key.source_port = bpf_ntohl(msg->remote_port);
  return bpf_msg_redirect_hash(msg, &sockets, &key, BPF_F_INGRESS);
}

/* corpus: packet accepted */
SEC("sk_msg")
int inspect_message(struct sk_msg_md *msg) {
  char *data = msg->data, *end = msg->data_end;
  if (bpf_msg_pull_data(msg, 0, 16, 0)) return SK_PASS;
  data = msg->data;
  end = msg->data_end;
  if (data + 4 > end) return SK_PASS;
  return data[0] == 'G' && data[1] == 'E' && data[2] == 'T' ? SK_PASS : SK_DROP;
}

/* corpus: packet accepted */
SEC("sk_skb/stream_parser")
int frame_length(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 4 > end) return 0;
  return bpf_ntohl(*(__u32 *)data) + 4;
}

/* corpus: helper arguments accepted */
SEC("sk_skb/stream_verdict")
int route_stream(struct __sk_buff *skb) {
  return bpf_sk_redirect_map(skb, &listeners, skb->remote_port & 15, 0);
}

/* corpus: references accepted */
SEC("sk_lookup")
int steer_listener(struct bpf_sk_lookup *ctx) {
  if (ctx->protocol != IPPROTO_TCP || ctx->local_port < 7000 || ctx->local_port > 7999)
    return SK_PASS;
  __u32 index = ctx->local_port & 15;
  struct bpf_sock *sk = bpf_map_lookup_elem(&listeners, &index);
  if (!sk) return SK_DROP;
  long result = bpf_sk_assign(ctx, sk, 0);
  bpf_sk_release(sk);
  return result ? SK_DROP : SK_PASS;
}

/* corpus: helper arguments accepted */
SEC("sk_reuseport")
int pick_worker(struct sk_reuseport_md *md) {
  __u32 index = md->hash & 15;
  void *data = md->data, *end = md->data_end;
  if (data + 8 > end) return SK_DROP;
  if (md->ip_protocol == IPPROTO_UDP) index = *(__u8 *)(data + 3) & 15;
  if (bpf_sk_select_reuseport(md, &reuse, &index, 0) == 0) return SK_PASS;
  return SK_DROP;
}

/* corpus: context accepted */
SEC("flow_dissector")
int dissect(struct __sk_buff *skb) {
  struct bpf_flow_keys *keys = skb->flow_keys;
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct iphdr *ip = data + keys->nhoff;
  if (keys->nhoff > 64) return BPF_DROP;
  if ((void *)(ip + 1) > end) return BPF_DROP;
  keys->addr_proto = ETH_P_IP;
  keys->ipv4_src = ip->saddr;
  keys->ipv4_dst = ip->daddr;
  keys->ip_proto = ip->protocol;
  keys->thoff = keys->nhoff + (ip->ihl << 2);
  return BPF_OK;
}

/* corpus: helper arguments accepted */
SEC("lwt_xmit")
int encapsulate_route(struct __sk_buff *skb) {
  struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_IPIP};
  ip.saddr = bpf_htonl(0x0a000001);
  ip.daddr = bpf_htonl(0x0a000002);
  if (bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, &ip, sizeof(ip))) return BPF_DROP;
  return BPF_LWT_REROUTE;
}

/* corpus: packet accepted */
SEC("lwt_seg6local")
int segment_flags(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 48 > end) return BPF_DROP;
  __u8 flags = *(__u8 *)(data + 45) | 1;
  return bpf_lwt_seg6_store_bytes(skb, 45, &flags, 1) ? BPF_DROP : BPF_OK;
}

/* corpus: packet rejected */
SEC("lwt_in")
int bad_write_read_only(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 8 > end) return BPF_DROP;
  *(__u8 *)data = 0;
  return BPF_OK;
}

/* corpus: references rejected */
SEC("sk_lookup")
int bad_keep_listener(struct bpf_sk_lookup *ctx) {
  __u32 index = ctx->local_port & 15;
  struct bpf_sock *sk = bpf_map_lookup_elem(&listeners, &index);
  if (!sk) return SK_DROP;
  return bpf_sk_assign(ctx, sk, 0) ? SK_DROP : SK_PASS;
}

/* corpus: context rejected */
SEC("sk_lookup")
int bad_lookup_result(struct bpf_sk_lookup *ctx) {
  return 2;
}

/* corpus: context rejected */
SEC("flow_dissector")
int bad_dissector_field(struct __sk_buff *skb) {
  return skb->mark ? BPF_DROP : BPF_OK;
}

/* corpus: packet rejected */
SEC("sk_msg")
int bad_message_after_pull(struct sk_msg_md *msg) {
  char *data = msg->data, *end = msg->data_end;
  if (data + 4 > end) return SK_PASS;
  if (bpf_msg_pull_data(msg, 0, 16, 0)) return SK_PASS;
  return data[0] == 'G' ? SK_PASS : SK_DROP;
}

/* corpus: context rejected */
SEC("sockops")
int bad_write_operation(struct bpf_sock_ops *ctx) {
  ctx->op = 1;
  return 1;
}

/* corpus: context rejected */
SEC("socket")
int bad_direct_access(struct __sk_buff *skb) {
  return skb->data_end - skb->data;
}

char _license[] SEC("license") = "GPL";
