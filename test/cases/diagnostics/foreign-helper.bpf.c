/* expect: helper-not-allowed at "bpf_xdp_adjust_head(" */
/* Helpers belong to program types. */
#include "../../corpus/corpus.h"

SEC("tc")
int bad(struct __sk_buff *skb) {
  return bpf_xdp_adjust_head((void *)skb, 14) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")
int fixed(struct __sk_buff *skb) {
  return bpf_skb_change_head(skb, 14, 0) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
