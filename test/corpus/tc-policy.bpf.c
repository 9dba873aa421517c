/* Classifiers and actions: rewriting, policing, marking, redirecting. */
#include "corpus.h"

struct bucket {
  __u64 tokens;
  __u64 last;
};

struct prefix {
  __u32 length;
  __be32 address;
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __type(key, struct prefix);
  __type(value, __u32);
  __uint(max_entries, 1024);
  __uint(map_flags, BPF_F_NO_PREALLOC);
} routes SEC(".maps");
TABLE(buckets, BPF_MAP_TYPE_LRU_HASH, __be32, struct bucket, 4096);
TABLE(marks, BPF_MAP_TYPE_ARRAY, __u32, __u32, 16);

#define RATE 1000000
#define BURST 50000

/* corpus: map values accepted */
SEC("tc")
int police(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return TC_ACT_OK;
  __be32 source = layers.ip->saddr;
  __u64 now = bpf_ktime_get_ns();
  struct bucket *bucket = bpf_map_lookup_elem(&buckets, &source);
  if (!bucket) {
    struct bucket fresh = {BURST, now};
    bpf_map_update_elem(&buckets, &source, &fresh, BPF_ANY);
    return TC_ACT_OK;
  }
  __u64 tokens = bucket->tokens + (now - bucket->last) * RATE / 1000000000;
  if (tokens > BURST) tokens = BURST;
  bucket->last = now;
  if (tokens < skb->len) {
    bucket->tokens = tokens;
    return TC_ACT_SHOT;
  }
  bucket->tokens = tokens - skb->len;
  return TC_ACT_OK;
}

/* corpus: helper arguments accepted */
SEC("tc")
int rewrite_destination(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers) || layers.ip->protocol != IPPROTO_TCP) return TC_ACT_OK;
  __be32 old = layers.ip->daddr, new = bpf_htonl(0xc0a80001);
  bpf_l4_csum_replace(skb, 14 + 20 + offsetof(struct tcphdr, check), old, new,
                      BPF_F_PSEUDO_HDR | sizeof(new));
  bpf_l3_csum_replace(skb, 14 + offsetof(struct iphdr, check), old, new, sizeof(new));
  bpf_skb_store_bytes(skb, 14 + offsetof(struct iphdr, daddr), &new, sizeof(new), 0);
  return TC_ACT_OK;
}

/* corpus: map values accepted */
SEC("classifier")
int mark_by_route(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return TC_ACT_OK;
  struct prefix key = {32, layers.ip->daddr};
  __u32 *class = bpf_map_lookup_elem(&routes, &key);
  if (!class) return TC_ACT_OK;
  __u32 index = *class & 15;
  __u32 *mark = bpf_map_lookup_elem(&marks, &index);
  if (mark) skb->mark = *mark;
  skb->priority = index;
  skb->tc_classid = index << 16;
  return TC_ACT_OK;
}

/* corpus: context accepted */
SEC("tc")
int use_control_block(struct __sk_buff *skb) {
  skb->cb[0] = skb->hash;
  skb->cb[4] = skb->ifindex ^ skb->ingress_ifindex;
  skb->queue_mapping = skb->cb[0] & 7;
  skb->tstamp = bpf_ktime_get_ns() + 1000;
  return skb->vlan_present && skb->vlan_tci == 5 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: helper arguments accepted */
SEC("action")
int push_vlan(struct __sk_buff *skb) {
  if (skb->vlan_present) return TC_ACT_OK;
  if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 100)) return TC_ACT_SHOT;
  return TC_ACT_OK;
}

/* corpus: packet accepted */
SEC("tc")
int pull_then_parse(struct __sk_buff *skb) {
  if (bpf_skb_pull_data(skb, 54)) return TC_ACT_OK;
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 54 > end) return TC_ACT_OK;
  struct tcphdr *tcp = data + 34;
  tcp->window = bpf_htons(1024);
  return TC_ACT_OK;
}

/* corpus: helper arguments accepted */
SEC("tc")
int tunnel_key(struct __sk_buff *skb) {
  struct bpf_tunnel_key key = {};
  key.tunnel_id = 42;
  key.remote_ipv4 = 0xac100164;
  key.tunnel_ttl = 64;
  if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX) < 0) return TC_ACT_SHOT;
  return bpf_redirect(skb->ifindex, 0);
}

/* corpus: stack accepted */
SEC("tc")
int sum_payload(struct __sk_buff *skb) {
  __u8 bytes[64];
  if (bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes))) return TC_ACT_OK;
  __u32 sum = 0;
  for (int i = 0; i < 64; i++) sum += bytes[i];
  return sum == 0x1234 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: ranges accepted */
SEC("tc")
int load_bounded(struct __sk_buff *skb) {
  __u8 bytes[128] = {};
  __u32 length = skb->len;
  if (length > sizeof(bytes)) length = sizeof(bytes);
  if (length == 0) return TC_ACT_OK;
  if (bpf_skb_load_bytes(skb, 0, bytes, length)) return TC_ACT_OK;
  return bytes[length - 1] == 0xff ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: context rejected */
SEC("tc")
int bad_write_length(struct __sk_buff *skb) {
  skb->len = 0;
  return TC_ACT_OK;
}

/* corpus: context rejected */
SEC("tc")
int bad_control_block_index(struct __sk_buff *skb) {
  __u32 index = skb->mark & 3;
  BARRIER(index);
  return skb->cb[index];
}

/* corpus: packet rejected */
SEC("tc")
int bad_pull_without_reload(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 54 > end) return TC_ACT_OK;
  if (bpf_skb_pull_data(skb, 128)) return TC_ACT_OK;
  struct tcphdr *tcp = data + 34;
  return tcp->syn ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: ranges rejected */
SEC("tc")
int bad_load_unbounded(struct __sk_buff *skb) {
  __u8 bytes[128] = {};
  if (bpf_skb_load_bytes(skb, 0, bytes, skb->len)) return TC_ACT_OK;
  return bytes[0] ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: ranges rejected */
SEC("tc")
int bad_length_off_by_one(struct __sk_buff *skb) {
  __u8 bytes[128] = {};
  __u32 length = skb->len;
  if (length > sizeof(bytes) + 1) return TC_ACT_OK;
  if (length == 0) return TC_ACT_OK;
  if (bpf_skb_load_bytes(skb, 0, bytes, length)) return TC_ACT_OK;
  return bytes[0] == 0xff ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: helper arguments rejected */
SEC("tc")
int bad_trie_delete_key(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  return bpf_map_delete_elem(&routes, &key);
}

char _license[] SEC("license") = "GPL";
