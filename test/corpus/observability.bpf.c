/* Larger tools: connection tracking, deep parsers, configuration in global data, maps of maps. */
#include "corpus.h"

struct connection {
  __u64 first_seen;
  __u64 last_seen;
  __u64 packets[2];
  __u64 bytes[2];
  __u8 state;
  __u8 flags;
  __u16 reserved;
  __u32 mark;
};

struct rule {
  __be32 network;
  __be32 mask;
  __be16 port_low;
  __be16 port_high;
  __u32 action;
};

struct http_event {
  __u32 length;
  __u16 method;
  char path[48];
};

const volatile __u32 config_limit = 64;
const volatile bool config_enabled = true;
const volatile __u16 config_ports[4] = {80, 8080, 8000, 3000};
__u64 packets_seen = 0;
__u32 verdict_counts[4];

TABLE(connections, BPF_MAP_TYPE_LRU_HASH, struct flow, struct connection, 65536);
TABLE(rules, BPF_MAP_TYPE_ARRAY, __u32, struct rule, 64);
TABLE(http_scratch, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct http_event, 1);
struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __type(value, struct flow);
  __uint(max_entries, 128);
} recent_flows SEC(".maps");
struct inner {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 16);
} first_inner SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 4);
  __type(key, __u32);
  __array(values, struct inner);
} outer SEC(".maps") = {.values = {&first_inner}};
struct {
  __uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
  __type(value, __u32);
  __uint(max_entries, 1000);
} filter SEC(".maps");

static ALWAYS_INLINE void update(struct connection *connection, int direction, __u32 length) {
  connection->last_seen = bpf_ktime_get_ns();
  connection->packets[direction] += 1;
  connection->bytes[direction] += length;
}

/* corpus: map values accepted */
SEC("tc")
int track(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct flow flow = {}, reverse = {};
  if (!parse_flow(data, end, &flow)) return TC_ACT_OK;
  struct connection *connection = bpf_map_lookup_elem(&connections, &flow);
  if (connection) {
    update(connection, 0, skb->len);
    return connection->state == 3 ? TC_ACT_SHOT : TC_ACT_OK;
  }
  reverse.source = flow.destination;
  reverse.destination = flow.source;
  reverse.source_port = flow.destination_port;
  reverse.destination_port = flow.source_port;
  reverse.protocol = flow.protocol;
  connection = bpf_map_lookup_elem(&connections, &reverse);
  if (connection) {
    update(connection, 1, skb->len);
    if (connection->state == 0) connection->state = 1;
    return TC_ACT_OK;
  }
  struct connection fresh = {};
  fresh.first_seen = fresh.last_seen = bpf_ktime_get_ns();
  fresh.packets[0] = 1;
  fresh.bytes[0] = skb->len;
  return bpf_map_update_elem(&connections, &flow, &fresh, BPF_NOEXIST) ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: loops accepted */
SEC("xdp")
int match_rules(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct flow flow = {};
  if (!config_enabled || !parse_flow(data, end, &flow)) return XDP_PASS;
  __u16 port = bpf_ntohs(flow.destination_port);
  for (__u32 i = 0; i < 64; i++) {
    __u32 index = i;
    if (i >= config_limit) break;
    struct rule *rule = bpf_map_lookup_elem(&rules, &index);
    if (!rule || !rule->action) break;
    if ((flow.source & rule->mask) != rule->network) continue;
    if (port < rule->port_low || port > rule->port_high) continue;
    return rule->action == 1 ? XDP_DROP : XDP_PASS;
  }
  return XDP_PASS;
}

/* corpus: map values accepted */
SEC("xdp")
int global_data(struct xdp_md *ctx) {
  __sync_fetch_and_add(&packets_seen, 1);
  __u32 verdict = ctx->rx_queue_index & 3;
  verdict_counts[verdict]++;
  for (int i = 0; i < 4; i++)
    if (config_ports[i] == ctx->ingress_ifindex) return XDP_DROP;
  return verdict == 3 ? XDP_DROP : XDP_PASS;
}

/* corpus: packet accepted */
SEC("tc")
int parse_http(struct __sk_buff *skb) {
  struct layers layers;
  if (bpf_skb_pull_data(skb, 0)) return TC_ACT_OK;
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_TCP) return TC_ACT_OK;
  struct tcphdr *tcp = layers.transport;
  if ((void *)(tcp + 1) > end || tcp->dest != bpf_htons(80)) return TC_ACT_OK;
  __u8 *text = (void *)tcp + tcp->doff * 4;
  if ((void *)(text + 8) > end) return TC_ACT_OK;
  __u32 zero = 0;
  struct http_event *event = bpf_map_lookup_elem(&http_scratch, &zero);
  if (!event) return TC_ACT_OK;
  if (text[0] == 'G' && text[1] == 'E' && text[2] == 'T' && text[3] == ' ')
    event->method = 1;
  else if (text[0] == 'P' && text[1] == 'O')
    event->method = 2;
  else
    return TC_ACT_OK;
  __u32 length = 0;
  for (int i = 0; i < 48; i++) {
    if ((void *)(text + 4 + i + 1) > end) break;
    __u8 c = text[4 + i];
    if (c == ' ' || c == '\r') break;
    event->path[i] = c;
    length++;
  }
  event->length = length;
  return length > 40 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: map values accepted */
SEC("tc")
int nested_map(struct __sk_buff *skb) {
  __u32 index = skb->mark & 3, key = skb->ifindex;
  void *inner = bpf_map_lookup_elem(&outer, &index);
  if (!inner) return TC_ACT_OK;
  __u64 *value = bpf_map_lookup_elem(inner, &key);
  if (value) {
    *value += 1;
    return TC_ACT_OK;
  }
  __u64 one = 1;
  bpf_map_update_elem(inner, &key, &one, BPF_ANY);
  return TC_ACT_OK;
}

/* corpus: helper arguments accepted */
SEC("xdp")
int queue_flows(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct flow flow = {}, old;
  if (!parse_flow(data, end, &flow)) return XDP_PASS;
  if (bpf_map_push_elem(&recent_flows, &flow, BPF_EXIST)) return XDP_PASS;
  if (bpf_map_pop_elem(&recent_flows, &old) == 0 && old.source == flow.source) return XDP_DROP;
  __u32 source = flow.source;
  if (bpf_map_peek_elem(&filter, &source) == 0) return XDP_DROP;
  bpf_map_push_elem(&filter, &source, 0);
  return XDP_PASS;
}

/* corpus: helper arguments accepted */
SEC("xdp")
int copy_bytes(struct xdp_md *ctx) {
  __u8 buffer[64];
  __u32 length = bpf_xdp_get_buff_len(ctx);
  if (length > sizeof(buffer)) length = sizeof(buffer);
  if (length < 14) return XDP_DROP;
  BARRIER(length);
  if (length > sizeof(buffer)) return XDP_DROP;
  if (bpf_xdp_load_bytes(ctx, 0, buffer, length)) return XDP_DROP;
  buffer[0] ^= 1;
  return bpf_xdp_store_bytes(ctx, 0, buffer, 14) ? XDP_DROP : XDP_TX;
}

/* corpus: map values rejected */
SEC("xdp")
int bad_write_constant(struct xdp_md *ctx) {
  __u32 *limit = (__u32 *)&config_limit;
  BARRIER(limit);
  *limit = 3;
  return XDP_PASS;
}

/* corpus: map values rejected */
SEC("xdp")
int bad_global_index(struct xdp_md *ctx) {
  __u32 index = ctx->rx_queue_index;
  BARRIER(index);
  verdict_counts[index & 7]++;
  return XDP_PASS;
}

/* corpus: map values rejected */
SEC("tc")
int bad_nested_unchecked(struct __sk_buff *skb) {
  __u32 index = skb->mark & 3, key = skb->ifindex;
  void *inner = bpf_map_lookup_elem(&outer, &index);
  __u64 *value = bpf_map_lookup_elem(inner, &key);
  return value ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: map values rejected */
SEC("tc")
int bad_value_beyond(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct rule *rule = bpf_map_lookup_elem(&rules, &zero);
  if (!rule) return TC_ACT_OK;
  return rule[1].action;
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_pop_into_short(struct xdp_md *ctx) {
  __u32 small;
  return bpf_map_pop_elem(&recent_flows, &small) ? XDP_PASS : XDP_DROP;
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_lookup_in_queue(struct xdp_md *ctx) {
  __u32 key = 0;
  return bpf_map_lookup_elem(&recent_flows, &key) ? XDP_PASS : XDP_DROP;
}

/* corpus: helper arguments rejected */
SEC("xdp")
int bad_update_value_type(struct xdp_md *ctx) {
  __u32 key = 0;
  return bpf_map_update_elem(&rules, &key, (void *)(long)ctx->rx_queue_index, 0);
}

/* corpus: map values accepted */
SEC("xdp")
int constant_key_is_found(struct xdp_md *ctx) {
  struct {
    __u32 index; /* Linux knows constants at the lowest bytes of a slot only */
    __u32 unused;
  } key;
  key.index = 2;
  struct rule *rule = bpf_map_lookup_elem(&rules, &key);
  return rule->action;
}

/* corpus: map values rejected */
SEC("xdp")
int bad_constant_key_beyond(struct xdp_md *ctx) {
  __u32 key = 64;
  struct rule *rule = bpf_map_lookup_elem(&rules, &key);
  return rule->action;
}

/* corpus: map values rejected */
SEC("xdp")
int bad_null_after_wrong_check(struct xdp_md *ctx) {
  __u32 a = ctx->rx_queue_index, b = a + 1;
  struct rule *first = bpf_map_lookup_elem(&rules, &a);
  struct rule *second = bpf_map_lookup_elem(&rules, &b);
  if (!first) return XDP_PASS;
  return second->action;
}

char _license[] SEC("license") = "GPL";
