/*
 * tc classifier: marks DNS and SSH for low delay by rewriting the IPv4 DSCP field, and keeps the
 * header checksum right. Everything else passes unchanged.
 */
#include "packet.h"

#include <linux/pkt_cls.h>

enum {
  ETHERNET_BYTES = 14,
  TOS_OFFSET = ETHERNET_BYTES + 1,
  CHECKSUM_OFFSET = ETHERNET_BYTES + 10,
  LOW_DELAY = 46 << 2, /* expedited forwarding, RFC 3246 */
};

static ALWAYS_INLINE int is_urgent(__u16 port) { return port == 22 || port == 53; }

SEC("tc")
int remark(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct ethernet *ethernet = data;
  struct ipv4 *ip = data + sizeof(*ethernet);
  if ((void *)(ip + 1) > end) return TC_ACT_OK;
  if (ethernet->type != bpf_htons(ETHERTYPE_IPV4) || ip->version_length != 0x45) return TC_ACT_OK;
  if (ip->protocol != PROTOCOL_TCP && ip->protocol != PROTOCOL_UDP) return TC_ACT_OK;
  struct ports *ports = (void *)(ip + 1);
  if ((void *)(ports + 1) > end) return TC_ACT_OK;
  if (!is_urgent(bpf_ntohs(ports->source)) && !is_urgent(bpf_ntohs(ports->destination)))
    return TC_ACT_OK;

  __u8 old = ip->tos, new = LOW_DELAY | (old & 3);
  if (old == new) return TC_ACT_OK;
  bpf_l3_csum_replace(skb, CHECKSUM_OFFSET, bpf_htons(old), bpf_htons(new), 2);
  bpf_skb_store_bytes(skb, TOS_OFFSET, &new, sizeof(new), 0);
  return TC_ACT_OK;
}

char _license[] SEC("license") = "MIT";
