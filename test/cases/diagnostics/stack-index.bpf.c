/* expect: pointer-offset-out-of-range at "weights[(int)skb->mark]" */
/* An index from outside reaches over the array. */
#include "../../corpus/corpus.h"

SEC("socket")
int bad(struct __sk_buff *skb) {
  __u32 weights[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  asm volatile("" : "+m"(weights));
  return weights[(int)skb->mark];
}

SEC("socket")
int fixed(struct __sk_buff *skb) {
  __u32 weights[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  asm volatile("" : "+m"(weights));
  return weights[skb->mark & 7];
}

char _license[] SEC("license") = "MIT";
