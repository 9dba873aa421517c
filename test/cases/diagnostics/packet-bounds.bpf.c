/* expect: packet-out-of-bounds at "ip->protocol" */
/* The size of a pointer is not the size of what it points to. */
#include "../../corpus/corpus.h"

SEC("tc")
int bad(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct iphdr *ip = data + 14;
  if ((void *)ip + sizeof(ip) > end) return TC_ACT_OK;
  return ip->protocol == IPPROTO_UDP ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")
int fixed(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct iphdr *ip = data + 14;
  if ((void *)ip + sizeof(*ip) > end) return TC_ACT_OK;
  return ip->protocol == IPPROTO_UDP ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "MIT";
