/* What the corpus shares: uapi headers, wire formats, and what libbpf-dev does not declare yet. */
#ifndef CORPUS_H
#define CORPUS_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define CORE __attribute__((preserve_access_index))
#define KFUNC extern __attribute__((section(".ksyms")))
#define WEAK_KFUNC extern __weak __attribute__((section(".ksyms")))
#define BARRIER(x) asm volatile("" : "+r"(x))

#ifndef TC_ACT_OK
#define TC_ACT_OK 0
#define TC_ACT_SHOT 2
#endif

#define TABLE(name, kind, key_type, value_type, entries) \
  struct {                                               \
    __uint(type, kind);                                  \
    __type(key, key_type);                               \
    __type(value, value_type);                           \
    __uint(max_entries, entries);                        \
  } name SEC(".maps")

struct vlan_header {
  __be16 tag;
  __be16 type;
};

struct flow {
  __be32 source;
  __be32 destination;
  __be16 source_port;
  __be16 destination_port;
  __u32 protocol;
};

/* The layers of an IPv4 packet, each proven to be inside. */
struct layers {
  struct ethhdr *eth;
  struct iphdr *ip;
  void *transport;
  void *end;
};

static ALWAYS_INLINE bool parse_ipv4(void *data, void *end, struct layers *out) {
  struct ethhdr *eth = data;
  if ((void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return false;
  struct iphdr *ip = (void *)(eth + 1);
  if ((void *)(ip + 1) > end || ip->ihl < 5) return false;
  out->eth = eth;
  out->ip = ip;
  out->transport = (void *)ip + ip->ihl * 4;
  out->end = end;
  return true;
}

static ALWAYS_INLINE bool parse_flow(void *data, void *end, struct flow *flow) {
  struct layers layers;
  if (!parse_ipv4(data, end, &layers)) return false;
  flow->source = layers.ip->saddr;
  flow->destination = layers.ip->daddr;
  flow->protocol = layers.ip->protocol;
  if (layers.ip->protocol == IPPROTO_TCP) {
    struct tcphdr *tcp = layers.transport;
    if ((void *)(tcp + 1) > end) return false;
    flow->source_port = tcp->source;
    flow->destination_port = tcp->dest;
    return true;
  }
  if (layers.ip->protocol == IPPROTO_UDP) {
    struct udphdr *udp = layers.transport;
    if ((void *)(udp + 1) > end) return false;
    flow->source_port = udp->source;
    flow->destination_port = udp->dest;
    return true;
  }
  return false;
}

static ALWAYS_INLINE __u16 fold_checksum(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

#endif
