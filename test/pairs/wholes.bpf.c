/* Wholes and their parts: alignment, records in arrays, quotients that are taken away again. */
#include "pairs.h"

#define PROLOGUE                          \
  struct page *page = page_of(skb->mark); \
  if (!page) return 0;

/* pair: rounded down */
SEC("socket")
int without_remainder(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), rest = at % 12;
  if (at > 63) return 0;
  HIDE(rest);
  __u64 start = at - rest;
  return page->text[PICK(at, start)];
}

/* unsafe: rounded down */
SEC("socket")
int unsafe_more_than_the_remainder(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), rest = at % 200;
  if (at > 63) return 0;
  asm volatile("" : "+r"(rest));
  __u64 start = at - rest * 3;
  return page->text[start];
}

/* pair: rounded down */
SEC("socket")
int without_low_bits(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), low = at & 40;
  if (at > 63) return 0;
  HIDE(low);
  return page->text[PICK(at, at - low)];
}

/* pair: there and back */
SEC("socket")
int exclusive_or_twice(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), key = number(&page->limit), mixed = at ^ key;
  HIDE(mixed);
  if (at > 63) return 0;
  return page->text[PICK(at, mixed ^ key)];
}

/* unsafe: there and back */
SEC("socket")
int unsafe_exclusive_or_once(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), key = number(&page->limit), mixed = at ^ key;
  asm volatile("" : "+r"(mixed));
  if (at > 63) return 0;
  return page->text[mixed ^ at];
}

/* pair: records in a packet */
SEC("xdp")
int record_of_many(struct xdp_md *ctx) {
  __u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
  if (data + 20 > end) return XDP_DROP;
  __u64 count = data[0], index = data[1];
  if (data + 20 + count * 8 > end) return XDP_DROP;
  if (index >= count) return XDP_DROP;
  __u8 *record = data + 20 + index * 8;
  if (PICK(record + 8 > end, 0)) return XDP_DROP;
  return record[7] ? XDP_PASS : XDP_DROP;
}

/* unsafe: records in a packet */
SEC("xdp")
int unsafe_record_of_many(struct xdp_md *ctx) {
  __u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
  if (data + 20 > end) return XDP_DROP;
  __u64 count = data[0], index = data[1];
  if (data + 20 + count * 8 > end) return XDP_DROP;
  if (index >= count) return XDP_DROP;
  __u8 *record = data + 20 + index * 8;
  return record[8] ? XDP_PASS : XDP_DROP;
}

/* pair: length of a header */
SEC("xdp")
int header_within_total(struct xdp_md *ctx) {
  __u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
  if (data + 34 > end) return XDP_DROP;
  __u64 total = bpf_ntohs(*(__u16 *)(data + 16)), header = (data[14] & 15) * 4;
  if (data + 14 + total > end) return XDP_DROP;
  if (header + 8 > total) return XDP_DROP;
  __u8 *payload = data + 14 + header;
  if (PICK(payload + 8 > end, 0)) return XDP_DROP;
  return payload[7] ? XDP_PASS : XDP_DROP;
}

/* unsafe: length of a header */
SEC("xdp")
int unsafe_header_within_total(struct xdp_md *ctx) {
  __u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
  if (data + 34 > end) return XDP_DROP;
  __u64 total = bpf_ntohs(*(__u16 *)(data + 16)), header = (data[14] & 15) * 4;
  if (data + 14 + total > end) return XDP_DROP;
  if (header + 8 > total + 1) return XDP_DROP;
  __u8 *payload = data + 14 + header;
  return payload[7] ? XDP_PASS : XDP_DROP;
}

/* pair: clamped to what is left */
SEC("tc")
int clamped_to_the_rest(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), length = number(&page->limit);
  if (at > PICK(31, 63)) return 0;
  __u64 rest = PICK(32, 64 - at);
  if (length > rest) length = rest;
  if (length == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + at, length);
  return page->text[0];
}

/* unsafe: clamped to what is left */
SEC("tc")
int unsafe_clamped_to_the_rest(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), length = number(&page->limit);
  if (at > 63) return 0;
  __u64 rest = 65 - at;
  if (length > rest) length = rest;
  if (length == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + at, length);
  return page->text[0];
}

/* pair: two strings, one behind the other */
SEC("tc")
int appended(struct __sk_buff *skb) {
  PROLOGUE
  __u64 first = number(&page->used), second = number(&page->limit);
  if (first > 32 || first == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, first);
  if (PICK(second > 32, first + second > 64) || second == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + first, second);
  return page->text[0];
}

/* unsafe: two strings, one behind the other */
SEC("tc")
int unsafe_appended(struct __sk_buff *skb) {
  PROLOGUE
  __u64 first = number(&page->used), second = number(&page->limit);
  if (first > 32 || first == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, first);
  if (second > 33 || second == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + first, second);
  return page->text[0];
}

char _license[] SEC("license") = "GPL";
