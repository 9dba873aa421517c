/* Packet lengths and offsets: checked as numbers, by another pointer, or in parts. */
#include "pairs.h"

#define PROLOGUE                                \
  __u8 *data = (__u8 *)(long)ctx->data;         \
  __u8 *end = (__u8 *)(long)ctx->data_end;

/* pair: length as a number */
SEC("xdp")
int length(struct xdp_md *ctx) {
  PROLOGUE
  __u64 bytes = end - data;
  HIDE(bytes);
  if (PICK(data + 34 > end, bytes < 34)) return XDP_DROP;
  return data[33] ? XDP_PASS : XDP_DROP;
}

/* unsafe: length as a number */
SEC("xdp")
int unsafe_length(struct xdp_md *ctx) {
  PROLOGUE
  __u64 bytes = end - data;
  HIDE(bytes);
  if (bytes < 33) return XDP_DROP;
  return data[33] ? XDP_PASS : XDP_DROP;
}

/* unsafe: length as a number */
SEC("xdp")
int unsafe_length_from_metadata(struct xdp_md *ctx) {
  PROLOGUE
  __u8 *meta = (__u8 *)(long)ctx->data_meta;
  __u64 bytes = end - meta;
  HIDE(bytes);
  if (bytes < 34) return XDP_DROP;
  return data[33] ? XDP_PASS : XDP_DROP;
}

/* pair: length as a number */
SEC("xdp")
int signed_length(struct xdp_md *ctx) {
  PROLOGUE
  long bytes = end - data;
  HIDE(bytes);
  if (PICK(data + 14 > end, bytes <= 13)) return XDP_DROP;
  return data[13] ? XDP_PASS : XDP_DROP;
}

/* pair: length as a number */
SEC("xdp")
int narrow_length(struct xdp_md *ctx) {
  PROLOGUE
  __u32 bytes = end - data;
  HIDE(bytes);
  if (PICK(data + 34 > end, bytes < 34)) return XDP_DROP;
  return data[33] ? XDP_PASS : XDP_DROP;
}

/* unsafe: length as a number */
SEC("xdp")
int unsafe_narrower_length(struct xdp_md *ctx) {
  PROLOGUE
  __u64 bytes = (__u16)(data - end);
  HIDE(bytes);
  if (bytes < 34) return XDP_DROP;
  return data[33] ? XDP_PASS : XDP_DROP;
}

/* pair: length as a number */
SEC("xdp")
int rest_behind_header(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 14 > end) return XDP_DROP;
  __u8 *at = data + 14;
  long rest = end - at;
  HIDE(rest);
  if (PICK(at + 20 > end, rest < 20)) return XDP_DROP;
  return at[19] ? XDP_PASS : XDP_DROP;
}

/* pair: length as a number */
SEC("tc")
int length_after_pull(struct __sk_buff *skb) {
  if (bpf_skb_pull_data(skb, 34)) return TC_ACT_OK;
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  long bytes = end - data;
  HIDE(bytes);
  if (PICK(data + 34 > end, bytes < 34)) return TC_ACT_OK;
  return data[33] ? TC_ACT_OK : TC_ACT_SHOT;
}

/* unsafe: length before the packet moved */
SEC("tc")
int unsafe_length_before_pull(struct __sk_buff *skb) {
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  long bytes = end - data;
  HIDE(bytes);
  if (bpf_skb_pull_data(skb, 20)) return TC_ACT_OK;
  data = (__u8 *)(long)skb->data;
  if (bytes < 34) return TC_ACT_OK;
  return data[33] ? TC_ACT_OK : TC_ACT_SHOT;
}

static NOINLINE int pull(struct __sk_buff *skb) {
  return bpf_skb_pull_data(skb, 20);
}

/* unsafe: length before the packet moved */
SEC("tc")
int unsafe_length_before_a_function_pulls(struct __sk_buff *skb) {
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  long bytes = end - data;
  asm volatile("" : "+r"(bytes));
  if (pull(skb)) return TC_ACT_OK;
  data = (__u8 *)(long)skb->data;
  if (bytes < 34) return TC_ACT_OK;
  return data[33] ? TC_ACT_OK : TC_ACT_SHOT;
}

__weak NOINLINE int pull_globally(struct __sk_buff *skb) {
  return bpf_skb_pull_data(skb, 20);
}

/* unsafe: length before the packet moved */
SEC("tc")
int unsafe_length_before_a_global_function_pulls(struct __sk_buff *skb) {
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  long bytes = end - data;
  asm volatile("" : "+r"(bytes));
  if (pull_globally(skb)) return TC_ACT_OK;
  data = (__u8 *)(long)skb->data;
  if (bytes < 34) return TC_ACT_OK;
  return data[33] ? TC_ACT_OK : TC_ACT_SHOT;
}

/* unsafe: length of the whole packet */
SEC("tc")
int unsafe_length_of_skb(struct __sk_buff *skb) {
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  if (data + 14 > end) return TC_ACT_OK;
  if (skb->len < 34) return TC_ACT_OK;
  return data[33] ? TC_ACT_OK : TC_ACT_SHOT;
}

/* pair: offset added again */
SEC("xdp")
int header_found_twice(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 offset = 14 + (data[14] & 15) * 4;
  __u8 *first = data + offset;
  if (first + 20 > end) return XDP_DROP;
  HIDE(offset);
  __u8 *again = data + offset;
  return PICK(first, again)[19] ? XDP_PASS : XDP_DROP;
}

/* unsafe: offset added again */
SEC("xdp")
int unsafe_header_found_twice(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 offset = 14 + (data[14] & 15) * 4;
  __u8 *first = data + offset;
  if (first + 20 > end) return XDP_DROP;
  HIDE(offset);
  __u8 *again = data + offset + 1;
  return again[19] ? XDP_PASS : XDP_DROP;
}

/* pair: offset against length */
SEC("xdp")
int offset_against_length(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 offset = 14 + (data[14] & 15) * 4, bytes = end - data;
  HIDE(bytes);
  __u8 *header = data + offset;
  if (PICK(header + 20 > end, offset + 20 > bytes)) return XDP_DROP;
  return header[19] ? XDP_PASS : XDP_DROP;
}

/* unsafe: offset against length */
SEC("xdp")
int unsafe_offset_against_length(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 offset = 14 + (data[14] & 15) * 4, bytes = end - data;
  HIDE(bytes);
  __u8 *header = data + offset;
  if (offset + 19 > bytes) return XDP_DROP;
  return header[19] ? XDP_PASS : XDP_DROP;
}

/* pair: offset against length */
SEC("xdp")
int rest_against_size(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 offset = data[14], rest = end - data - 20;
  HIDE(rest);
  __u8 *header = data + offset;
  if (PICK(header + 20 > end, offset > rest)) return XDP_DROP;
  return header[19] ? XDP_PASS : XDP_DROP;
}

/* unsafe: offset against length */
SEC("xdp")
int unsafe_rest_that_wraps(struct xdp_md *ctx) {
  PROLOGUE
  __u64 offset = ctx->rx_queue_index & 255, rest = end - data - 20;
  HIDE(rest);
  __u8 *header = data + offset;
  if (offset > rest) return XDP_DROP;
  return header[19] ? XDP_PASS : XDP_DROP;
}

/* pair: two offsets */
SEC("xdp")
int offsets_in_another_order(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 first = data[0], second = data[1], both = first + second;
  HIDE(both);
  __u8 *checked = data + both;
  if (checked + 1 > end) return XDP_DROP;
  __u8 *used = data + first;
  HIDE(used);
  used += second;
  return *PICK(checked, used) ? XDP_PASS : XDP_DROP;
}

/* unsafe: two offsets */
SEC("xdp")
int unsafe_offsets_in_another_order(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 first = data[0], second = data[1], both = first + second;
  HIDE(both);
  __u8 *checked = data + both;
  if (checked + 1 > end) return XDP_DROP;
  __u8 *used = data + first;
  HIDE(used);
  used += first;
  return *used ? XDP_PASS : XDP_DROP;
}

/* pair: own end */
SEC("xdp")
int bytes_before_an_end_of_their_own(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 count = data[14] & 31, sum = 0;
  __u8 *at = data + 34, *stop = at + count;
  if (stop > end) return XDP_DROP;
  for (int i = 0; i < 16; i++) {
    if (PICK(at + 1 > end, at >= stop)) break;
    sum += *at;
    at++;
  }
  return sum & 1 ? XDP_PASS : XDP_DROP;
}

/* unsafe: own end */
SEC("xdp")
int unsafe_bytes_before_an_end_of_their_own(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 count = data[14] & 31, sum = 0;
  __u8 *at = data + 34, *stop = at + count;
  if (stop > end) return XDP_DROP;
  for (int i = 0; i < 16; i++) {
    if (at > stop) break;
    sum += *at;
    at++;
  }
  return sum & 1 ? XDP_PASS : XDP_DROP;
}

/* pair: index below a checked count */
SEC("xdp")
int index_below_a_count(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 count = data[14], index = data[15];
  if (data + 34 + count > end) return XDP_DROP;
  if (index >= count) return XDP_DROP;
  __u8 *at = data + 34 + index;
  if (PICK(at + 1 > end, 0)) return XDP_DROP;
  return *at ? XDP_PASS : XDP_DROP;
}

/* unsafe: index below a checked count */
SEC("xdp")
int unsafe_index_up_to_a_count(struct xdp_md *ctx) {
  PROLOGUE
  if (data + 34 > end) return XDP_DROP;
  __u64 count = data[14], index = data[15];
  if (data + 34 + count > end) return XDP_DROP;
  if (index > count) return XDP_DROP;
  __u8 *at = data + 34 + index;
  return *at ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
