/* Whole datapaths inlined into one program, as container networks and balancers have them. */
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

/* Connections, services, policies. */

struct address {
  __u32 words[4];
};

struct tuple {
  struct address source;
  struct address destination;
  __be16 source_port;
  __be16 destination_port;
  __u8 protocol;
  __u8 direction;
  __u16 zone;
};

struct connection {
  __u64 expires;
  __u64 packets;
  __u64 bytes;
  __u32 backend;
  __u16 reverse_nat;
  __u8 seen_flags[2];
  __u8 closing[2];
  __u8 proxied;
  __u8 is_node_port;
  __u32 identity;
};

struct service_key {
  struct address address;
  __be16 port;
  __u16 slot;
  __u8 protocol;
  __u8 scope;
  __u16 padding;
};

struct service {
  __u32 backend;
  __u16 count;
  __u16 reverse_nat;
  __u8 flags;
  __u8 padding[3];
  __u32 affinity_timeout;
};

struct endpoint {
  struct address address;
  __be16 port;
  __u8 protocol;
  __u8 flags;
};

struct affinity_key {
  struct address client;
  __u32 reverse_nat;
};

struct affinity_value {
  __u64 last;
  __u32 backend;
  __u32 padding;
};

struct policy_key {
  __u32 identity;
  __be16 port;
  __u8 protocol;
  __u8 egress;
};

struct policy {
  __be16 proxy_port;
  __u8 deny;
  __u8 flags;
  __u64 packets;
  __u64 bytes;
};

struct identity {
  __u32 label;
  __u32 tunnel;
  __u16 flags;
  __u8 mac[6];
};

struct prefix {
  __u32 length;
  struct address address;
};

struct metric_key {
  __u8 reason;
  __u8 direction;
  __u16 line;
  __u32 padding;
};

struct metric {
  __u64 packets;
  __u64 bytes;
};

struct notice {
  __u8 type;
  __u8 reason;
  __u16 line;
  __u32 hash;
  __u32 source;
  __u32 destination;
  __u32 length;
  __u32 port;
};

TABLE(connections, BPF_MAP_TYPE_LRU_HASH, struct tuple, struct connection, 65536);
TABLE(services, BPF_MAP_TYPE_HASH, struct service_key, struct service, 8192);
TABLE(endpoints, BPF_MAP_TYPE_HASH, __u32, struct endpoint, 8192);
TABLE(affinities, BPF_MAP_TYPE_LRU_HASH, struct affinity_key, struct affinity_value, 8192);
TABLE(reverse_nat, BPF_MAP_TYPE_HASH, __u32, struct endpoint, 8192);
TABLE(policies, BPF_MAP_TYPE_HASH, struct policy_key, struct policy, 16384);
TABLE(metrics, BPF_MAP_TYPE_PERCPU_HASH, struct metric_key, struct metric, 1024);
TABLE(notices, BPF_MAP_TYPE_PERF_EVENT_ARRAY, __u32, __u32, 64);

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct prefix);
  __type(value, struct identity);
  __uint(max_entries, 4096);
} identities SEC(".maps");

enum verdict {
  FORWARD = 0,
  DROP_SHORT,
  DROP_POLICY,
  DROP_NO_BACKEND,
  DROP_CT,
  DROP_WRITE,
  DROP_PROTOCOL,
};

struct session {
  struct tuple tuple;
  __u32 transport;
  __u32 length;
  __u8 is_ipv6;
  __u8 tcp_flags;
  __u32 source_identity;
  __u32 destination_identity;
  __u32 tunnel;
  __u16 reverse_nat;
  __u16 proxy_port;
};

static ALWAYS_INLINE void count(struct __sk_buff *skb, __u8 reason, __u8 direction, __u16 line) {
  struct metric_key key = {.reason = reason, .direction = direction, .line = line};
  struct metric *metric = bpf_map_lookup_elem(&metrics, &key);
  if (metric) {
    metric->packets++;
    metric->bytes += skb->len;
  } else {
    struct metric first = {1, skb->len};
    bpf_map_update_elem(&metrics, &key, &first, BPF_ANY);
  }
}

static ALWAYS_INLINE int drop(struct __sk_buff *skb, struct session *s, __u8 reason, __u8 direction,
    __u16 line) {
  struct notice notice = {
      .type = 1,
      .reason = reason,
      .line = line,
      .hash = bpf_get_hash_recalc(skb),
      .source = s->source_identity,
      .destination = s->destination_identity,
      .length = s->length,
      .port = s->tuple.destination_port,
  };
  count(skb, reason, direction, line);
  bpf_perf_event_output(skb, &notices, BPF_F_CURRENT_CPU, &notice, sizeof(notice));
  return TC_ACT_SHOT;
}

static ALWAYS_INLINE int parse_ports(struct __sk_buff *skb, struct session *s) {
  switch (s->tuple.protocol) {
    case IPPROTO_TCP: {
      struct tcphdr tcp;
      if (bpf_skb_load_bytes(skb, s->transport, &tcp, sizeof(tcp)) < 0) return DROP_SHORT;
      s->tuple.source_port = tcp.source;
      s->tuple.destination_port = tcp.dest;
      s->tcp_flags = tcp.syn | tcp.fin << 1 | tcp.rst << 2 | tcp.ack << 3;
      return FORWARD;
    }
    case IPPROTO_UDP: {
      struct udphdr udp;
      if (bpf_skb_load_bytes(skb, s->transport, &udp, sizeof(udp)) < 0) return DROP_SHORT;
      s->tuple.source_port = udp.source;
      s->tuple.destination_port = udp.dest;
      return FORWARD;
    }
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: {
      struct icmp_echo icmp;
      if (bpf_skb_load_bytes(skb, s->transport, &icmp, sizeof(icmp)) < 0) return DROP_SHORT;
      if (icmp.type == ICMP_REQUEST || icmp.type == 128) s->tuple.destination_port = icmp.id;
      else if (icmp.type == ICMP_REPLY || icmp.type == 129) s->tuple.source_port = icmp.id;
      return FORWARD;
    }
    default:
      return DROP_PROTOCOL;
  }
}

static ALWAYS_INLINE int parse_session(struct __sk_buff *skb, struct session *s) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end) return DROP_SHORT;
  s->length = skb->len;
  if (eth->h_proto == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = (void *)(eth + 1);
    if ((void *)(ip + 1) > end) return DROP_SHORT;
    s->tuple.source.words[3] = ip->saddr;
    s->tuple.destination.words[3] = ip->daddr;
    s->tuple.source.words[2] = s->tuple.destination.words[2] = 0xffff0000;
    s->tuple.protocol = ip->protocol;
    s->transport = sizeof(*eth) + ip->ihl * 4;
  } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr *ip = (void *)(eth + 1);
    if ((void *)(ip + 1) > end) return DROP_SHORT;
    __builtin_memcpy(&s->tuple.source, &ip->saddr, 16);
    __builtin_memcpy(&s->tuple.destination, &ip->daddr, 16);
    s->is_ipv6 = 1;
    __u8 next = ip->nexthdr;
    __u32 at = sizeof(*eth) + sizeof(*ip);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) break;
      __u8 option[2];
      if (bpf_skb_load_bytes(skb, at, option, 2) < 0) return DROP_SHORT;
      next = option[0];
      at += (option[1] + 1) * 8;
    }
    s->tuple.protocol = next;
    s->transport = at;
  } else {
    return DROP_PROTOCOL;
  }
  return parse_ports(skb, s);
}

static ALWAYS_INLINE void reverse(struct tuple *tuple) {
  struct address address = tuple->source;
  __be16 port = tuple->source_port;
  tuple->source = tuple->destination;
  tuple->destination = address;
  tuple->source_port = tuple->destination_port;
  tuple->destination_port = port;
}

enum { CT_NEW, CT_ESTABLISHED, CT_REPLY, CT_RELATED };

static ALWAYS_INLINE bool touch(struct connection *entry, struct session *s, int side) {
  __u64 now = bpf_ktime_get_ns() / 1000000000;
  entry->packets++;
  entry->bytes += s->length;
  if (s->tuple.protocol != IPPROTO_TCP) {
    entry->expires = now + 60;
    return true;
  }
  __u8 flags = entry->seen_flags[side] | s->tcp_flags;
  bool changed = flags != entry->seen_flags[side];
  entry->seen_flags[side] = flags;
  if (s->tcp_flags & 6) {
    entry->closing[side] = 1;
    if (entry->closing[0] && entry->closing[1]) entry->expires = now + 10;
  } else if (s->tcp_flags & 1 && entry->closing[0] && entry->closing[1]) {
    entry->closing[0] = entry->closing[1] = 0;
    entry->expires = now + 60;
  } else {
    entry->expires = now + (flags & 8 ? 21600 : 60);
  }
  return changed;
}

static ALWAYS_INLINE int track(struct session *s, __u8 direction, struct connection *found) {
  s->tuple.direction = direction;
  struct connection *entry = bpf_map_lookup_elem(&connections, &s->tuple);
  if (entry) {
    touch(entry, s, 0);
    *found = *entry;
    return CT_ESTABLISHED;
  }
  reverse(&s->tuple);
  entry = bpf_map_lookup_elem(&connections, &s->tuple);
  reverse(&s->tuple);
  if (entry) {
    touch(entry, s, 1);
    *found = *entry;
    return CT_REPLY;
  }
  return CT_NEW;
}

static ALWAYS_INLINE int create(struct session *s, __u8 direction, __u32 backend) {
  struct connection entry = {.backend = backend, .reverse_nat = s->reverse_nat};
  entry.packets = 1;
  entry.bytes = s->length;
  entry.identity = s->source_identity;
  entry.expires = bpf_ktime_get_ns() / 1000000000 + (s->tuple.protocol == IPPROTO_TCP ? 21600 : 60);
  entry.seen_flags[0] = s->tcp_flags;
  s->tuple.direction = direction;
  return bpf_map_update_elem(&connections, &s->tuple, &entry, BPF_ANY) < 0 ? DROP_CT : FORWARD;
}

static ALWAYS_INLINE struct endpoint *choose(struct service_key *key, struct service *service,
    struct session *s, struct __sk_buff *skb, __u32 *chosen) {
  if (service->affinity_timeout) {
    struct affinity_key client = {s->tuple.source, service->reverse_nat};
    struct affinity_value *last = bpf_map_lookup_elem(&affinities, &client);
    if (last && last->last + service->affinity_timeout > bpf_ktime_get_ns()) {
      *chosen = last->backend;
      struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, chosen);
      if (endpoint) return endpoint;
    }
  }
  if (service->count == 0) return NULL;
  key->slot = bpf_get_hash_recalc(skb) % service->count + 1;
  struct service *slot = bpf_map_lookup_elem(&services, key);
  if (!slot) return NULL;
  *chosen = slot->backend;
  struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, chosen);
  if (endpoint && service->affinity_timeout) {
    struct affinity_key client = {s->tuple.source, service->reverse_nat};
    struct affinity_value value = {bpf_ktime_get_ns(), *chosen, 0};
    bpf_map_update_elem(&affinities, &client, &value, BPF_ANY);
  }
  return endpoint;
}

#define IP_OFFSET sizeof(struct ethhdr)

static ALWAYS_INLINE int checksum_offset(__u8 protocol) {
  if (protocol == IPPROTO_TCP) return offsetof(struct tcphdr, check);
  return protocol == IPPROTO_UDP ? offsetof(struct udphdr, check) : -1;
}

/* Writes an address and a port, and keeps both checksums right. */
static ALWAYS_INLINE int rewrite(struct __sk_buff *skb, struct session *s,
    const struct address *old, const struct address *to, __be16 old_port, __be16 port,
    bool is_source) {
  int check = checksum_offset(s->tuple.protocol);
  __u64 flags = s->tuple.protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
  __s64 sum = bpf_csum_diff((void *)old, 16, (void *)to, 16, 0);
  if (s->is_ipv6) {
    int field = is_source ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr);
    int at = IP_OFFSET + field;
    if (bpf_skb_store_bytes(skb, at, to, 16, 0) < 0) return DROP_WRITE;
  } else {
    int field = is_source ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr);
    int at = IP_OFFSET + field;
    if (bpf_skb_store_bytes(skb, at, &to->words[3], 4, 0) < 0) return DROP_WRITE;
    if (bpf_l3_csum_replace(skb, IP_OFFSET + offsetof(struct iphdr, check), 0, sum, 0) < 0)
      return DROP_WRITE;
  }
  if (check < 0) return FORWARD;
  if (bpf_l4_csum_replace(skb, s->transport + check, 0, sum, flags | BPF_F_PSEUDO_HDR) < 0)
    return DROP_WRITE;
  if (old_port == port) return FORWARD;
  if (bpf_l4_csum_replace(skb, s->transport + check, old_port, port, flags | 2) < 0)
    return DROP_WRITE;
  int at = s->transport + (is_source ? 0 : 2);
  return bpf_skb_store_bytes(skb, at, &port, 2, 0) < 0 ? DROP_WRITE : FORWARD;
}

static ALWAYS_INLINE int balance_service(struct __sk_buff *skb, struct session *s) {
  struct service_key key = {.address = s->tuple.destination, .port = s->tuple.destination_port,
      .protocol = s->tuple.protocol};
  struct service *service = bpf_map_lookup_elem(&services, &key);
  if (!service) {
    key.scope = 1;
    service = bpf_map_lookup_elem(&services, &key);
    if (!service) return FORWARD;
  }
  struct connection known = {};
  struct endpoint *endpoint = NULL;
  __u32 chosen = 0;
  s->reverse_nat = service->reverse_nat;
  switch (track(s, 2, &known)) {
    case CT_NEW:
      endpoint = choose(&key, service, s, skb, &chosen);
      if (!endpoint) return DROP_NO_BACKEND;
      if (create(s, 2, chosen)) return DROP_CT;
      break;
    case CT_ESTABLISHED:
    case CT_RELATED:
      chosen = known.backend;
      endpoint = bpf_map_lookup_elem(&endpoints, &chosen);
      if (!endpoint) {
        key.slot = 0;
        endpoint = choose(&key, service, s, skb, &chosen);
        if (!endpoint || create(s, 2, chosen)) return DROP_NO_BACKEND;
      }
      break;
    default:
      return FORWARD;
  }
  struct address to = endpoint->address;
  __be16 port = endpoint->port;
  int error = rewrite(skb, s, &s->tuple.destination, &to, s->tuple.destination_port, port, false);
  if (error) return error;
  s->tuple.destination = to;
  s->tuple.destination_port = port;
  return FORWARD;
}

static ALWAYS_INLINE bool matches(struct __sk_buff *skb, struct policy_key *key, struct session *s,
    int *error) {
  struct policy *policy = bpf_map_lookup_elem(&policies, key);
  if (!policy) return false;
  __sync_fetch_and_add(&policy->packets, 1);
  __sync_fetch_and_add(&policy->bytes, skb->len);
  s->proxy_port = policy->proxy_port;
  *error = policy->deny ? DROP_POLICY : FORWARD;
  return true;
}

/* The most specific rule first; a rule for all ports wins over one for all peers. */
static ALWAYS_INLINE int may_pass(struct __sk_buff *skb, struct session *s, __u32 identity,
    __u8 egress) {
  struct policy_key key = {identity, s->tuple.destination_port, s->tuple.protocol, egress};
  int error = DROP_POLICY;
  if (matches(skb, &key, s, &error)) return error;
  key.identity = 0;
  if (matches(skb, &key, s, &error)) return error;
  key.identity = identity;
  key.port = 0;
  if (matches(skb, &key, s, &error)) return error;
  key.protocol = 0;
  if (matches(skb, &key, s, &error)) return error;
  key.identity = 0;
  if (matches(skb, &key, s, &error)) return error;
  return DROP_POLICY;
}

static ALWAYS_INLINE __u32 identify(const struct address *address, __u32 *tunnel) {
  struct prefix prefix = {128, *address};
  struct identity *identity = bpf_map_lookup_elem(&identities, &prefix);
  if (!identity) return 2;
  if (tunnel) *tunnel = identity->tunnel;
  return identity->label;
}

static ALWAYS_INLINE int undo_nat(struct __sk_buff *skb, struct session *s, __u16 index) {
  __u32 key = index;
  struct endpoint *original = bpf_map_lookup_elem(&reverse_nat, &key);
  if (!original) return FORWARD;
  struct address to = original->address;
  return rewrite(skb, s, &s->tuple.source, &to, s->tuple.source_port, original->port, true);
}

static ALWAYS_INLINE int leave(struct __sk_buff *skb, struct session *s) {
  if (s->tunnel) {
    struct bpf_tunnel_key key = {};
    key.tunnel_id = s->source_identity;
    key.remote_ipv4 = bpf_ntohl(s->tunnel);
    key.tunnel_ttl = 64;
    if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX) < 0)
      return drop(skb, s, DROP_WRITE, 1, __LINE__);
    count(skb, FORWARD, 1, __LINE__);
    return bpf_redirect(7, 0);
  }
  struct bpf_fib_lookup route = {};
  route.family = s->is_ipv6 ? 10 : 2;
  route.l4_protocol = s->tuple.protocol;
  route.sport = s->tuple.source_port;
  route.dport = s->tuple.destination_port;
  route.tot_len = s->length;
  route.ifindex = skb->ifindex;
  if (s->is_ipv6) {
    __builtin_memcpy(route.ipv6_src, &s->tuple.source, 16);
    __builtin_memcpy(route.ipv6_dst, &s->tuple.destination, 16);
  } else {
    route.ipv4_src = s->tuple.source.words[3];
    route.ipv4_dst = s->tuple.destination.words[3];
  }
  if (bpf_fib_lookup(skb, &route, sizeof(route), 0) != BPF_FIB_LKUP_RET_SUCCESS) return TC_ACT_OK;
  if (bpf_skb_store_bytes(skb, 0, route.dmac, 6, 0) < 0)
    return drop(skb, s, DROP_WRITE, 1, __LINE__);
  if (bpf_skb_store_bytes(skb, 6, route.smac, 6, 0) < 0)
    return drop(skb, s, DROP_WRITE, 1, __LINE__);
  count(skb, FORWARD, 1, __LINE__);
  return bpf_redirect(route.ifindex, 0);
}

/* corpus: map values accepted */
SEC("tc")
int from_container(struct __sk_buff *skb) {
  struct session s = {};
  int error = parse_session(skb, &s);
  if (error) return drop(skb, &s, error, 1, __LINE__);
  s.source_identity = skb->mark & 0xffff;
  error = balance_service(skb, &s);
  if (error) return drop(skb, &s, error, 1, __LINE__);
  s.destination_identity = identify(&s.tuple.destination, &s.tunnel);
  struct connection known = {};
  int state = track(&s, 1, &known);
  switch (state) {
    case CT_NEW:
    case CT_ESTABLISHED:
      error = may_pass(skb, &s, s.destination_identity, 1);
      if (error) return drop(skb, &s, error, 1, __LINE__);
      if (s.proxy_port) {
        skb->mark = 0x200 | (__u32)s.proxy_port << 16;
        count(skb, FORWARD, 1, __LINE__);
        return TC_ACT_OK;
      }
      if (state == CT_NEW && create(&s, 1, 0)) return drop(skb, &s, DROP_CT, 1, __LINE__);
      break;
    case CT_REPLY:
    case CT_RELATED:
      if (known.reverse_nat && undo_nat(skb, &s, known.reverse_nat))
        return drop(skb, &s, DROP_WRITE, 1, __LINE__);
      break;
    default:
      return drop(skb, &s, DROP_CT, 1, __LINE__);
  }
  return leave(skb, &s);
}

/* corpus: map values accepted */
SEC("tc")
int to_container(struct __sk_buff *skb) {
  struct session s = {};
  int error = parse_session(skb, &s);
  if (error) return drop(skb, &s, error, 0, __LINE__);
  s.source_identity = identify(&s.tuple.source, NULL);
  s.destination_identity = skb->cb[0];
  struct connection known = {};
  int state = track(&s, 0, &known);
  if (state == CT_REPLY || state == CT_RELATED) {
    if (known.reverse_nat && undo_nat(skb, &s, known.reverse_nat))
      return drop(skb, &s, DROP_WRITE, 0, __LINE__);
  } else {
    error = may_pass(skb, &s, s.source_identity, 0);
    if (error) return drop(skb, &s, error, 0, __LINE__);
    if (state == CT_NEW && create(&s, 0, 0)) return drop(skb, &s, DROP_CT, 0, __LINE__);
    if (s.proxy_port) skb->mark = 0x200 | (__u32)s.proxy_port << 16;
  }
  count(skb, FORWARD, 0, __LINE__);
  return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
