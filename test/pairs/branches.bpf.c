/* Branches that depend on each other: the same question asked twice, in other words. */
#include "pairs.h"

#define PROLOGUE                          \
  struct page *page = page_of(skb->mark); \
  if (!page) return 0;

/* pair: bit asked twice */
SEC("socket")
int bit_asked_twice(struct __sk_buff *skb) {
  PROLOGUE
  __u64 flags = number(&page->used), at = 99, again = flags;
  TIE(again, at);
  __u64 first = (flags >> 3) & 1, second = (again >> 3) & 1;
  TIE(first, second);
  if (first) at = 7;
  HIDE(at);
  if (PICK(at > 63, !second)) return 0;
  return page->text[at];
}

/* unsafe: bit asked twice */
SEC("socket")
int unsafe_other_bit_asked(struct __sk_buff *skb) {
  PROLOGUE
  __u64 flags = number(&page->used), at = 99, copy = (flags >> 4) & 1;
  asm volatile("" : "+r"(copy), "+r"(at));
  if ((flags >> 3) & 1) at = 7;
  if (!copy) return 0;
  return page->text[at];
}

/* pair: pointer behind a condition */
SEC("socket")
int pointer_behind_a_condition(struct __sk_buff *skb) {
  PROLOGUE
  __u64 kind = number(&page->used), copy = kind * 2;
  TIE(copy, kind);
  struct page *other = NULL;
  if (kind < 5) {
    other = page_of(1);
    if (!other) return 0;
  }
  HIDE(other);
  if (PICK(!other, copy > 8)) return 0;
  return other->text[3];
}

/* unsafe: pointer behind a condition */
SEC("socket")
int unsafe_pointer_behind_a_condition(struct __sk_buff *skb) {
  PROLOGUE
  __u64 kind = number(&page->used), copy = kind + 1;
  HIDE(copy);
  struct page *other = NULL;
  if (kind < 5) {
    other = page_of(1);
    if (!other) return 0;
  }
  asm volatile("" : "+r"(other));
  if (copy > 6) return 0;
  return other->text[3];
}

/* pair: pointer behind a condition */
SEC("socket")
int pointer_from_one_of_two(struct __sk_buff *skb) {
  PROLOGUE
  __u64 mode = number(&page->used), doubled = mode * 2, sum = 0;
  TIE(doubled, mode);
  struct page *other = NULL;
  if (mode > 20) other = page;
  HIDE(other);
  if (PICK(other != NULL, doubled > 41)) sum = other->text[1];
  return sum;
}

/* unsafe: reference behind a condition */
SEC("tc")
int unsafe_socket_behind_a_condition(struct __sk_buff *skb) {
  PROLOGUE
  __u64 mode = number(&page->used), next = mode + 1;
  HIDE(next);
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = NULL;
  if (mode == 7) sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0);
  asm volatile("" : "+r"(next));
  if (next == 9 && sk) bpf_sk_release(sk);
  return 0;
}

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

/* pair: record behind a condition */
SEC("socket")
int record_behind_a_condition(struct __sk_buff *skb) {
  PROLOGUE
  __u64 mode = number(&page->used), next = mode * 3;
  HIDE(next);
  __u64 *record = NULL;
  if (mode == 7) {
    record = bpf_ringbuf_reserve(&events, 8, 0);
    if (!record) return 0;
    *record = 1;
  }
  if (PICK(record != NULL, next == 21)) bpf_ringbuf_submit(record, 0);
  return 0;
}

/* unsafe: record behind a condition */
SEC("socket")
int unsafe_record_behind_a_condition(struct __sk_buff *skb) {
  PROLOGUE
  __u64 mode = number(&page->used), next = mode * 3;
  asm volatile("" : "+r"(next));
  __u64 *record = NULL;
  if (mode == 7) {
    record = bpf_ringbuf_reserve(&events, 8, 0);
    if (!record) return 0;
    *record = 1;
  }
  if (next == 24) bpf_ringbuf_submit(record, 0);
  return 0;
}

/* pair: table of ranges */
SEC("socket")
int length_by_kind(struct __sk_buff *skb) {
  PROLOGUE
  __u64 kind = number(&page->used), copy = kind ^ 3, length = 200;
  HIDE(copy);
  if (kind == 1) length = 4;
  else if (kind == 2) length = 8;
  else if (kind == 5) length = 40;
  HIDE(length);
  if (PICK(length > 63, copy != 2 && copy != 1 && copy != 6)) return 0;
  return page->text[length];
}

/* unsafe: table of ranges */
SEC("socket")
int unsafe_length_by_kind(struct __sk_buff *skb) {
  PROLOGUE
  __u64 kind = number(&page->used), copy = kind ^ 3, length = 200;
  asm volatile("" : "+r"(copy));
  if (kind == 1) length = 4;
  else if (kind == 2) length = 8;
  else if (kind == 5) length = 40;
  asm volatile("" : "+r"(length));
  if (copy != 2 && copy != 1 && copy != 7) return 0;
  return page->text[length];
}

/* pair: narrower question */
SEC("socket")
int implied_by_a_stricter_one(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), at = 64;
  HIDE(at);
  if (a <= b) at = 3;
  HIDE(at);
  if (PICK(at > 63, a >= b)) return 0;
  return page->text[at];
}

/* unsafe: narrower question */
SEC("socket")
int unsafe_implied_by_a_weaker_one(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), at = 64;
  asm volatile("" : "+r"(at));
  if (a < b) at = 3;
  if (a > b) return 0;
  return page->text[at];
}

/* pair: signed and unsigned */
SEC("socket")
int negative_asked_twice(struct __sk_buff *skb) {
  PROLOGUE
  __s64 value = (__s64)page->wide, at = 70, top = (__u64)value >> 63;
  TIE(value, top);
  TIE(top, at);
  if (value < 0) at = 9;
  HIDE(at);
  if (PICK(at > 63, !top)) return 0;
  return page->text[at];
}

/* unsafe: signed and unsigned */
SEC("socket")
int unsafe_negative_asked_twice(struct __sk_buff *skb) {
  PROLOGUE
  __s64 value = (__s64)page->wide, at = 70, top = (__u64)value >> 62;
  asm volatile("" : "+r"(value), "+r"(top), "+r"(at));
  if (value < 0) at = 9;
  if (!top) return 0;
  return page->text[at];
}

/* pair: divided question */
SEC("socket")
int asked_of_a_quotient(struct __sk_buff *skb) {
  PROLOGUE
  __u64 value = number(&page->used), at = 80, tens = value / 10;
  HIDE(tens);
  if (value < 100) at = 5;
  HIDE(at);
  if (PICK(at > 63, tens > 9)) return 0;
  return page->text[at];
}

/* unsafe: divided question */
SEC("socket")
int unsafe_asked_of_a_quotient(struct __sk_buff *skb) {
  PROLOGUE
  __u64 value = number(&page->used), at = 80, tens = value / 10;
  asm volatile("" : "+r"(tens), "+r"(at));
  if (value < 100) at = 5;
  if (tens > 10) return 0;
  return page->text[at];
}

/* pair: packet or not */
SEC("xdp")
int checked_where_long(struct xdp_md *ctx) {
  __u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
  if (data + 14 > end) return XDP_DROP;
  __u64 type = data[12], same = type << 4, is_long = 0;
  HIDE(same);
  if (type == 8) {
    if (data + 34 > end) return XDP_DROP;
    is_long = 1;
  }
  if (PICK(is_long, same == 128)) return data[33] ? XDP_PASS : XDP_DROP;
  return XDP_PASS;
}

/* unsafe: packet or not */
SEC("xdp")
int unsafe_checked_where_long(struct xdp_md *ctx) {
  __u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
  if (data + 14 > end) return XDP_DROP;
  __u64 type = data[12], same = type << 4;
  asm volatile("" : "+r"(same));
  if (type == 8) {
    if (data + 34 > end) return XDP_DROP;
  }
  if (same == 144) return data[33] ? XDP_PASS : XDP_DROP;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
