/* Parsers and balancers that look at every layer of a packet. */
#include "corpus.h"

struct icmp_echo {
  __u8 type;
  __u8 code;
  __sum16 checksum;
  __be16 id;
  __be16 sequence;
};
#define ICMP_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_REQUEST 8

#define MAX_VLANS 2
#define MAX_LABELS 2
#define MAX_EXTENSIONS 3
#define MAX_OPTIONS 3

struct cursor {
  void *at;
  void *end;
};

struct dissection {
  __u32 source[4];
  __u32 destination[4];
  __be16 ports[2];
  __u16 vlans[MAX_VLANS];
  __u32 label;
  __u16 mss;
  __u8 window_scale;
  __u8 protocol;
  __u8 depth;
  __u8 fragment;
  __u8 options;
  __u8 tunnel;
};

TABLE(dissections, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct dissection, 1);
TABLE(totals, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 256);

static ALWAYS_INLINE int take_ethernet(struct cursor *cursor, struct dissection *out) {
  struct ethhdr *eth = cursor->at;
  if ((void *)(eth + 1) > cursor->end) return -1;
  __be16 type = eth->h_proto;
  struct vlan_header *vlan = (void *)(eth + 1);
#pragma unroll
  for (int i = 0; i < MAX_VLANS; i++) {
    if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD)) break;
    if ((void *)(vlan + 1) > cursor->end) return -1;
    type = vlan->type;
    out->vlans[i] = bpf_ntohs(vlan->tag) & 0xfff;
    vlan++;
  }
  cursor->at = vlan;
  return type;
}

static ALWAYS_INLINE int take_labels(struct cursor *cursor, struct dissection *out) {
  for (int i = 0; i < MAX_LABELS; i++) {
    __u32 *entry = cursor->at;
    if ((void *)(entry + 1) > cursor->end) return -1;
    cursor->at = entry + 1;
    __u32 value = bpf_ntohl(*entry);
    out->label = value >> 12;
    if (value & 0x100) {
      __u8 *version = cursor->at;
      if ((void *)(version + 1) > cursor->end) return -1;
      return (*version >> 4) == 6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
    }
  }
  return -1;
}

static ALWAYS_INLINE int take_ipv4(struct cursor *cursor, struct dissection *out) {
  struct iphdr *ip = cursor->at;
  if ((void *)(ip + 1) > cursor->end) return -1;
  if (ip->ihl < 5) return -1;
  __u32 length = ip->ihl * 4;
  if (cursor->at + length > cursor->end) return -1;
  cursor->at += length;
  out->source[3] = ip->saddr;
  out->destination[3] = ip->daddr;
  if (ip->frag_off & bpf_htons(0x1fff)) out->fragment = 1;
  return ip->protocol;
}

static ALWAYS_INLINE int take_ipv6(struct cursor *cursor, struct dissection *out) {
  struct ipv6hdr *ip = cursor->at;
  if ((void *)(ip + 1) > cursor->end) return -1;
  __builtin_memcpy(out->source, &ip->saddr, 16);
  __builtin_memcpy(out->destination, &ip->daddr, 16);
  __u8 next = ip->nexthdr;
  cursor->at = ip + 1;
  for (int i = 0; i < MAX_EXTENSIONS; i++) {
    __u8 *header = cursor->at;
    switch (next) {
      case IPPROTO_HOPOPTS:
      case IPPROTO_ROUTING:
      case IPPROTO_DSTOPTS:
        if ((void *)(header + 2) > cursor->end) return -1;
        next = header[0];
        cursor->at += (header[1] + 1) * 8;
        break;
      case IPPROTO_AH:
        if ((void *)(header + 2) > cursor->end) return -1;
        next = header[0];
        cursor->at += (header[1] + 2) * 4;
        break;
      case IPPROTO_FRAGMENT:
        if ((void *)(header + 8) > cursor->end) return -1;
        next = header[0];
        if ((header[2] << 8 | header[3]) & 0xfff8) out->fragment = 1;
        cursor->at += 8;
        break;
      default:
        return next;
    }
  }
  return -1;
}

static ALWAYS_INLINE void take_tcp_options(struct cursor *cursor, struct tcphdr *tcp,
    struct dissection *out) {
  __u8 *at = (void *)(tcp + 1);
  if (tcp->doff < 6) return;
  for (int i = 0; i < MAX_OPTIONS; i++) {
    if ((void *)(at + 4) > cursor->end || at[0] == 0) return;
    if (at[0] == 1) {
      at += 1;
      continue;
    }
    __u8 size = at[1];
    if (size < 2) return;
    if (at[0] == 2 && size == 4) out->mss = at[2] << 8 | at[3];
    if (at[0] == 3 && size == 3) out->window_scale = at[2];
    out->options++;
    at += size;
  }
}

static ALWAYS_INLINE int take_transport(struct cursor *cursor, struct dissection *out,
    int protocol) {
  out->protocol = protocol;
  switch (protocol) {
    case IPPROTO_TCP: {
      struct tcphdr *tcp = cursor->at;
      if ((void *)(tcp + 1) > cursor->end) return -1;
      out->ports[0] = tcp->source;
      out->ports[1] = tcp->dest;
      if (out->depth == 1) take_tcp_options(cursor, tcp, out);
      return 0;
    }
    case IPPROTO_UDP: {
      struct udphdr *udp = cursor->at;
      if ((void *)(udp + 1) > cursor->end) return -1;
      out->ports[0] = udp->source;
      out->ports[1] = udp->dest;
      cursor->at = udp + 1;
      return udp->dest == bpf_htons(4789) ? 1 : 0;
    }
    case IPPROTO_GRE: {
      __be16 *gre = cursor->at;
      if ((void *)(gre + 2) > cursor->end) return -1;
      cursor->at = gre + 2;
      if (gre[0] & bpf_htons(0x8000)) cursor->at += 4;
      if (gre[0] & bpf_htons(0x2000)) cursor->at += 4;
      if (gre[0] & bpf_htons(0x1000)) cursor->at += 4;
      return gre[1] == bpf_htons(0x6558) ? 2 : 3;
    }
    case IPPROTO_IPIP:
      return 3;
    case IPPROTO_IPV6:
      return 4;
    default:
      return 0;
  }
}

static ALWAYS_INLINE int dissect(struct cursor *cursor, struct dissection *out, int type) {
  if (type == bpf_htons(0x8847)) type = take_labels(cursor, out);
  int protocol;
  if (type == bpf_htons(ETH_P_IP)) protocol = take_ipv4(cursor, out);
  else if (type == bpf_htons(ETH_P_IPV6)) protocol = take_ipv6(cursor, out);
  else return -1;
  if (protocol < 0 || out->fragment) return -1;
  out->depth++;
  return take_transport(cursor, out, protocol);
}

/* corpus: packet accepted */
SEC("xdp")
int dissect_all(struct xdp_md *ctx) {
  struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
  __u32 zero = 0;
  struct dissection *out = bpf_map_lookup_elem(&dissections, &zero);
  if (!out) return XDP_ABORTED;
  __builtin_memset(out, 0, sizeof(*out));
  int type = take_ethernet(&cursor, out);
  if (type < 0) return XDP_DROP;
  int inner = dissect(&cursor, out, type);
  if (inner < 0) return XDP_PASS;
  if (inner > 0) {
    out->tunnel = inner;
    if (inner == 1) {
      cursor.at += 8;
      if (cursor.at > cursor.end) return XDP_DROP;
    }
    if (inner <= 2) type = take_ethernet(&cursor, out);
    else type = inner == 3 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
    if (type < 0 || dissect(&cursor, out, type) < 0) return XDP_DROP;
  }
  __u32 index = out->protocol;
  __u64 *total = bpf_map_lookup_elem(&totals, &index);
  if (total) *total += cursor.end - cursor.at;
  return XDP_PASS;
}

/* A layer-4 balancer: parse, choose by a consistent hash, encapsulate. */

struct client {
  __u32 source[4];
  __u32 destination[4];
  __be16 ports[2];
  __u8 protocol;
};

struct vip_key {
  __u32 address[4];
  __be16 port;
  __u8 protocol;
  __u8 padding;
};

struct vip_value {
  __u32 flags;
  __u32 number;
};

struct real {
  __u32 address[4];
  __u32 flags;
};

struct cached {
  __u32 index;
  __u64 time;
};

struct counters {
  __u64 first;
  __u64 second;
};

#define RING 65537
#define REALS 4096
#define F_HASH_NO_PORT 1
#define F_LRU_BYPASS 2
#define F_QUIC 4
#define F_DPORT_HASH 8
#define F_LOCAL 16

TABLE(vip_table, BPF_MAP_TYPE_HASH, struct vip_key, struct vip_value, 512);
TABLE(hash_ring, BPF_MAP_TYPE_ARRAY, __u32, __u32, 512 * 1024);
TABLE(real_table, BPF_MAP_TYPE_ARRAY, __u32, struct real, REALS);
TABLE(real_stats, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct counters, REALS);
TABLE(stats, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct counters, 512);
TABLE(cache, BPF_MAP_TYPE_LRU_HASH, struct client, struct cached, 65536);
TABLE(quic_table, BPF_MAP_TYPE_ARRAY, __u32, __u32, 65536);
TABLE(settings, BPF_MAP_TYPE_ARRAY, __u32, __u64, 16);

#define ROTATE(word, shift) ((word << shift) | (word >> (32 - shift)))
#define MIX(a, b, c)  \
  a -= c, a ^= ROTATE(c, 4), c += b;  \
  b -= a, b ^= ROTATE(a, 6), a += c;  \
  c -= b, c ^= ROTATE(b, 8), b += a;  \
  a -= c, a ^= ROTATE(c, 16), c += b; \
  b -= a, b ^= ROTATE(a, 19), a += c; \
  c -= b, c ^= ROTATE(b, 4), b += a
#define FINISH(a, b, c)         \
  c ^= b, c -= ROTATE(b, 14);   \
  a ^= c, a -= ROTATE(c, 11);   \
  b ^= a, b -= ROTATE(a, 25);   \
  c ^= b, c -= ROTATE(b, 16);   \
  a ^= c, a -= ROTATE(c, 4);    \
  b ^= a, b -= ROTATE(a, 14);   \
  c ^= b, c -= ROTATE(b, 24)

static ALWAYS_INLINE __u32 hash_words(const __u32 *words, int length, __u32 seed) {
  __u32 a, b, c;
  a = b = c = 0xdeadbeef + (length << 2) + seed;
#pragma unroll
  for (int i = 0; i + 3 < length; i += 3) {
    a += words[i], b += words[i + 1], c += words[i + 2];
    MIX(a, b, c);
  }
  a += words[length - 1];
  FINISH(a, b, c);
  return c;
}

static ALWAYS_INLINE bool bump(void *map, __u32 index, __u64 bytes) {
  struct counters *counters = bpf_map_lookup_elem(map, &index);
  if (!counters) return false;
  counters->first++;
  counters->second += bytes;
  return true;
}

static ALWAYS_INLINE bool is_flooded(void) {
  __u32 key = 500;
  struct counters *rate = bpf_map_lookup_elem(&stats, &key);
  if (!rate) return true;
  __u64 now = bpf_ktime_get_ns();
  if (now - rate->second > 1000000000) {
    rate->first = 1;
    rate->second = now;
    return false;
  }
  return ++rate->first > 125000;
}

static ALWAYS_INLINE bool choose_real(struct client *client, struct vip_value *vip, struct real *to,
    __u32 *index, bool is_syn) {
  bool bypass = is_syn && is_flooded();
  if (!is_syn && !(vip->flags & F_LRU_BYPASS)) {
    struct cached *known = bpf_map_lookup_elem(&cache, client);
    if (known) {
      bool is_stale = client->protocol == IPPROTO_UDP
          && bpf_ktime_get_ns() - known->time > 30000000000ull;
      if (!is_stale) {
        *index = known->index;
        struct real *real = bpf_map_lookup_elem(&real_table, index);
        if (real) {
          *to = *real;
          return true;
        }
      }
    }
  }
  if (vip->flags & F_HASH_NO_PORT) client->ports[0] = client->ports[1] = 0;
  if (vip->flags & F_DPORT_HASH) {
    client->ports[0] = client->ports[1];
    __builtin_memset(client->source, 0, 16);
  }
  __u32 words[6] = {client->source[0], client->source[1], client->source[2], client->source[3],
                    (__u32)client->ports[0] << 16 | client->ports[1], 0};
  __u32 key = hash_words(words, 6, 12) % RING + vip->number * RING;
  __u32 *ring = bpf_map_lookup_elem(&hash_ring, &key);
  if (!ring) return false;
  *index = *ring;
  struct real *real = bpf_map_lookup_elem(&real_table, index);
  if (!real) return false;
  *to = *real;
  if (!(vip->flags & F_LRU_BYPASS) && !bypass) {
    struct cached value = {*index, client->protocol == IPPROTO_UDP ? bpf_ktime_get_ns() : 0};
    bpf_map_update_elem(&cache, client, &value, BPF_ANY);
  }
  return true;
}

static ALWAYS_INLINE int connection_id(struct cursor *cursor, __u32 *server) {
  __u8 *header = cursor->at;
  if ((void *)(header + 1) > cursor->end) return -1;
  if (header[0] & 0x80) {
    if ((void *)(header + 14) > cursor->end) return -1;
    if ((header[0] & 0x30) < 0x20) return 0;
    if (header[5] < 8) return 0;
    header += 6;
  } else {
    header += 1;
    if ((void *)(header + 8) > cursor->end) return -1;
  }
  __u8 version = header[0] >> 6;
  if (version == 1) *server = (header[0] & 0x3f) << 10 | header[1] << 2 | header[2] >> 6;
  else if (version == 2) *server = header[1] << 16 | header[2] << 8 | header[3];
  else return 0;
  return 1;
}

static ALWAYS_INLINE __u32 sum_words(const void *from, int count) {
  const __u16 *words = from;
  __u32 sum = 0;
#pragma unroll
  for (int i = 0; i < count; i++) sum += words[i];
  return sum;
}

static ALWAYS_INLINE bool encapsulate_v4(struct xdp_md *ctx, __u32 to, __u32 seed, __u16 length) {
  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr))) return false;
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *outer = data, *inner = data + sizeof(struct iphdr);
  struct iphdr *ip = data + sizeof(struct ethhdr);
  if ((void *)(inner + 1) > end || (void *)(ip + 1) > end) return false;
  __u64 *mac = bpf_map_lookup_elem(&settings, &(__u32){0});
  if (!mac) return false;
  __builtin_memcpy(outer->h_dest, mac, 6);
  __builtin_memcpy(outer->h_source, inner->h_dest, 6);
  outer->h_proto = bpf_htons(ETH_P_IP);
  *(__u16 *)ip = bpf_htons(0x4500);
  ip->tot_len = bpf_htons(length + sizeof(*ip));
  ip->id = 0;
  ip->frag_off = 0;
  ip->ttl = 64;
  ip->protocol = IPPROTO_IPIP;
  ip->check = 0;
  ip->saddr = (seed << 16 ^ seed) | 0x10ac;
  ip->daddr = to;
  ip->check = fold_checksum(sum_words(ip, 10));
  return true;
}

static ALWAYS_INLINE bool encapsulate_v6(struct xdp_md *ctx, const struct real *to, __u32 seed,
    __u16 length, __u8 protocol) {
  if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct ipv6hdr))) return false;
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *outer = data, *inner = data + sizeof(struct ipv6hdr);
  struct ipv6hdr *ip = data + sizeof(struct ethhdr);
  if ((void *)(inner + 1) > end || (void *)(ip + 1) > end) return false;
  __u64 *mac = bpf_map_lookup_elem(&settings, &(__u32){0});
  if (!mac) return false;
  __builtin_memcpy(outer->h_dest, mac, 6);
  __builtin_memcpy(outer->h_source, inner->h_dest, 6);
  outer->h_proto = bpf_htons(ETH_P_IPV6);
  *(__u32 *)ip = bpf_htonl(0x60000000);
  ip->payload_len = bpf_htons(length);
  ip->nexthdr = protocol;
  ip->hop_limit = 64;
  __u32 source[4] = {bpf_htonl(0x01000000), 0, seed, 0};
  __builtin_memcpy(&ip->saddr, source, 16);
  __builtin_memcpy(&ip->daddr, to->address, 16);
  return true;
}

static ALWAYS_INLINE int answer_ping(struct ethhdr *eth, struct iphdr *ip, struct icmp_echo *icmp) {
  __u8 mac[6];
  __u32 address = ip->saddr;
  __builtin_memcpy(mac, eth->h_source, 6);
  __builtin_memcpy(eth->h_source, eth->h_dest, 6);
  __builtin_memcpy(eth->h_dest, mac, 6);
  ip->saddr = ip->daddr;
  ip->daddr = address;
  ip->ttl = 64;
  ip->check = 0;
  ip->check = fold_checksum(sum_words(ip, 10));
  icmp->type = ICMP_REPLY;
  __u32 sum = icmp->checksum + 8;
  icmp->checksum = sum + (sum >> 16);
  return XDP_TX;
}

/* Fills in the client; the result is an action, or -1 to go on. */
static ALWAYS_INLINE int parse_client(struct cursor *cursor, struct client *client, bool is_ipv6,
    __u16 *length, bool *is_error) {
  struct ethhdr *eth = cursor->at;
  struct iphdr *ip = (void *)(eth + 1);
  struct ipv6hdr *ip6 = (void *)(eth + 1);
  if (is_ipv6) {
    if ((void *)(ip6 + 1) > cursor->end) return XDP_DROP;
    if (ip6->nexthdr == IPPROTO_FRAGMENT) return XDP_DROP;
    *length = bpf_ntohs(ip6->payload_len) + sizeof(*ip6);
    client->protocol = ip6->nexthdr;
    cursor->at = ip6 + 1;
    if (ip6->nexthdr == IPPROTO_ICMPV6) {
      struct icmp_echo *icmp = cursor->at;
      if ((void *)(icmp + 1) > cursor->end) return XDP_DROP;
      if (icmp->type > 4) return XDP_PASS;
      ip6 = (void *)(icmp + 1);
      if ((void *)(ip6 + 1) > cursor->end) return XDP_DROP;
      client->protocol = ip6->nexthdr;
      *is_error = true;
      cursor->at = ip6 + 1;
      __builtin_memcpy(client->source, &ip6->daddr, 16);
      __builtin_memcpy(client->destination, &ip6->saddr, 16);
      return -1;
    }
    __builtin_memcpy(client->source, &ip6->saddr, 16);
    __builtin_memcpy(client->destination, &ip6->daddr, 16);
    return -1;
  }
  if ((void *)(ip + 1) > cursor->end) return XDP_DROP;
  if (ip->ihl != 5) return XDP_DROP;
  if (ip->frag_off & bpf_htons(0x3fff)) return XDP_DROP;
  *length = bpf_ntohs(ip->tot_len);
  client->protocol = ip->protocol;
  cursor->at = ip + 1;
  if (ip->protocol == IPPROTO_ICMP) {
    struct icmp_echo *icmp = cursor->at;
    if ((void *)(icmp + 1) > cursor->end) return XDP_DROP;
    if (icmp->type == ICMP_REQUEST) return answer_ping(eth, ip, icmp);
    if (icmp->type != ICMP_UNREACHABLE) return XDP_PASS;
    ip = (void *)(icmp + 1);
    if ((void *)(ip + 1) > cursor->end || ip->ihl != 5) return XDP_DROP;
    client->protocol = ip->protocol;
    *is_error = true;
    cursor->at = ip + 1;
    client->source[0] = ip->daddr;
    client->destination[0] = ip->saddr;
    return -1;
  }
  client->source[0] = ip->saddr;
  client->destination[0] = ip->daddr;
  return -1;
}

static ALWAYS_INLINE int forward(struct xdp_md *ctx, bool is_ipv6) {
  struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
  struct client client = {};
  struct vip_key key = {};
  __u16 length = 0;
  bool is_error = false, is_syn = false;
  int action = parse_client(&cursor, &client, is_ipv6, &length, &is_error);
  if (action >= 0) return action;
  if (client.protocol == IPPROTO_TCP) {
    struct tcphdr *tcp = cursor.at;
    if ((void *)(tcp + 1) > cursor.end) return XDP_DROP;
    is_syn = tcp->syn;
    client.ports[0] = is_error ? tcp->dest : tcp->source;
    client.ports[1] = is_error ? tcp->source : tcp->dest;
  } else if (client.protocol == IPPROTO_UDP) {
    struct udphdr *udp = cursor.at;
    if ((void *)(udp + 1) > cursor.end) return XDP_DROP;
    client.ports[0] = is_error ? udp->dest : udp->source;
    client.ports[1] = is_error ? udp->source : udp->dest;
    cursor.at = udp + 1;
  } else {
    return XDP_PASS;
  }
  __builtin_memcpy(key.address, client.destination, 16);
  key.port = client.ports[1];
  key.protocol = client.protocol;
  struct vip_value *vip = bpf_map_lookup_elem(&vip_table, &key);
  if (!vip) {
    key.port = 0;
    vip = bpf_map_lookup_elem(&vip_table, &key);
    if (!vip) return XDP_PASS;
    if (!(vip->flags & (F_HASH_NO_PORT | F_DPORT_HASH))) client.ports[1] = 0;
  }
  struct real to = {};
  __u32 index = 0;
  bool is_chosen = false;
  if (client.protocol == IPPROTO_UDP && vip->flags & F_QUIC) {
    __u32 server = 0;
    int found = connection_id(&cursor, &server);
    if (found < 0) return XDP_DROP;
    if (found) {
      __u32 *known = bpf_map_lookup_elem(&quic_table, &server);
      if (known) {
        index = *known;
        struct real *real = bpf_map_lookup_elem(&real_table, &index);
        if (real) {
          to = *real;
          is_chosen = true;
        }
      }
    }
    if (!bump(&stats, is_chosen ? 501 : 502, 1)) return XDP_DROP;
  }
  if (!is_chosen && !choose_real(&client, vip, &to, &index, is_syn)) return XDP_DROP;
  if (vip->flags & F_LOCAL && to.flags & 2) return XDP_PASS;
  __u32 seed = client.source[0] ^ client.source[3] ^ client.ports[0];
  if (!bump(&stats, vip->number & 255, length) || !bump(&real_stats, index, length))
    return XDP_DROP;
  if (to.flags & 1)
    return encapsulate_v6(ctx, &to, seed, length, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IPIP) ? XDP_TX
      : XDP_DROP;
  if (is_ipv6) return XDP_DROP;
  return encapsulate_v4(ctx, to.address[0], seed, length) ? XDP_TX : XDP_DROP;
}

/* corpus: packet accepted */
SEC("xdp")
int balance_all(struct xdp_md *ctx) {
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return XDP_DROP;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) return forward(ctx, false);
  if (eth->h_proto == bpf_htons(ETH_P_IPV6)) return forward(ctx, true);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
