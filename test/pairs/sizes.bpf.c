/* Sizes given to helpers: what is left of a buffer, lengths that add up, checks in other widths. */
#include "pairs.h"

#define PROLOGUE                          \
  struct page *page = page_of(skb->mark); \
  if (!page) return 0;

/* pair: rest of a buffer */
SEC("tc")
int rest_of_buffer(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  if (at > 32) return 0;
  __u64 rest = PICK(32, 64 - at);
  HIDE(rest);
  bpf_skb_load_bytes(skb, 0, page->text + at, rest);
  return page->text[0];
}

/* unsafe: rest of a buffer */
SEC("tc")
int unsafe_rest_of_buffer(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  if (at > 32) return 0;
  __u64 rest = 65 - at;
  HIDE(rest);
  bpf_skb_load_bytes(skb, 0, page->text + at, rest);
  return page->text[0];
}

/* pair: offset and length */
SEC("tc")
int offset_and_length(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), length = number(&page->limit);
  if (at > 32 || length > PICK(32, 64) || length == 0) return 0;
  __u64 end = at + length;
  HIDE(end);
  if (end > 64) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + at, length);
  return page->text[0];
}

/* unsafe: offset and length */
SEC("tc")
int unsafe_offset_and_length(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), length = number(&page->limit);
  if (at > 32 || length > 64 || length == 0) return 0;
  __u64 end = at + length;
  HIDE(end);
  if (end > 65) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + at, length);
  return page->text[0];
}

/* unsafe: offset and length */
SEC("tc")
int unsafe_length_that_wraps(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = page->wide, length = number(&page->limit);
  if (length > 128 || length == 0) return 0;
  __u64 end = at + length;
  HIDE(end);
  if (end > 64) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + at, length);
  return page->text[0];
}

/* pair: offset and length on the stack */
SEC("tc")
int rest_of_stack_buffer(struct __sk_buff *skb) {
  PROLOGUE
  __u8 buffer[64] = {};
  __u64 at = number(&page->used);
  if (at > 32) return 0;
  __u64 rest = PICK(32, 64 - at);
  HIDE(rest);
  bpf_skb_load_bytes(skb, 0, buffer + at, rest);
  return buffer[0] + buffer[40];
}

/* unsafe: offset and length on the stack */
SEC("tc")
int unsafe_rest_of_stack_buffer(struct __sk_buff *skb) {
  PROLOGUE
  __u8 buffer[64] = {};
  __u64 at = number(&page->used);
  if (at > 32) return 0;
  __u64 rest = 72 - at;
  HIDE(rest);
  bpf_skb_load_bytes(skb, 0, buffer + at, rest);
  return buffer[0] + buffer[40];
}

/* pair: copy of a size */
SEC("tc")
int size_checked_in_a_sum(struct __sk_buff *skb) {
  PROLOGUE
  __u64 size = number(&page->used), less = size - 1;
  HIDE(less);
  __u64 least = less - 1;
  HIDE(least);
  if (least > 60) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, size);
  return page->text[0];
}

/* unsafe: copy of a size */
SEC("tc")
int unsafe_size_checked_in_a_sum(struct __sk_buff *skb) {
  PROLOGUE
  __u64 size = number(&page->used), less = size - 1;
  HIDE(less);
  __u64 least = less - 2;
  HIDE(least);
  if (least > 62) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, size);
  return page->text[0];
}

/* pair: size in other units */
SEC("tc")
int size_in_words(struct __sk_buff *skb) {
  PROLOGUE
  __u64 size = number(&page->used), words = size >> 3;
  HIDE(words);
  if (PICK(size > 63, words > 7) || size == 0) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, size);
  return page->text[0];
}

/* pair: signed size */
SEC("tc")
int signed_size(struct __sk_buff *skb) {
  PROLOGUE
  __u64 size = number(&page->used);
  __s64 copy = (__s32)size;
  HIDE(copy);
  if (PICK(size == 0 || size > 64, copy <= 0 || copy > 64)) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, size);
  return page->text[0];
}

/* unsafe: signed size */
SEC("tc")
int unsafe_signed_size(struct __sk_buff *skb) {
  PROLOGUE
  __u64 size = number(&page->used);
  __s64 copy = (__s32)size;
  HIDE(copy);
  if (copy > 64) return 0;
  bpf_skb_load_bytes(skb, 0, page->text, size);
  return page->text[0];
}

/* pair: bytes of a packet */
SEC("tc")
int sum_over_packet_bytes(struct __sk_buff *skb) {
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  if (data + 40 > end) return TC_ACT_OK;
  __u64 size = PICK(16, (data[0] & 15) * 4 + 4);
  HIDE(size);
  __u8 *at = data + 40;
  if (at + size > end) return TC_ACT_OK;
  return bpf_csum_diff(0, 0, (__be32 *)at, size, 0) & 1;
}

/* unsafe: bytes of a packet */
SEC("tc")
int unsafe_sum_over_packet_bytes(struct __sk_buff *skb) {
  __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
  if (data + 40 > end) return TC_ACT_OK;
  __u64 size = (data[0] & 15) * 4 + 4;
  asm volatile("" : "+r"(size));
  __u8 *at = data + 40;
  if (at + size - 1 > end) return TC_ACT_OK;
  return bpf_csum_diff(0, 0, (__be32 *)at, size, 0) & 1;
}

/* pair: end minus start */
SEC("tc")
int between_two_marks(struct __sk_buff *skb) {
  PROLOGUE
  __u64 start = number(&page->used), end = number(&page->limit);
  if (end > PICK(32, 64) || start >= PICK(16, end)) return 0;
  __u64 size = PICK(end & 31, end - start);
  if (PICK(size == 0, 0)) return 0;
  bpf_skb_load_bytes(skb, 0, page->text + start, size);
  return page->text[0];
}

/* unsafe: end minus start */
SEC("tc")
int unsafe_between_two_marks(struct __sk_buff *skb) {
  PROLOGUE
  __u64 start = number(&page->used), end = number(&page->limit);
  if (end > 65 || start >= end) return 0;
  __u64 size = end - start;
  bpf_skb_load_bytes(skb, 0, page->text + start, size);
  return page->text[0];
}

char _license[] SEC("license") = "GPL";
