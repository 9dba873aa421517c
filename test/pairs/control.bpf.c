/* Pointers compared with each other, and relations that cross loops, calls and callbacks. */
#include "pairs.h"

#define PROLOGUE                          \
  struct page *page = page_of(skb->mark); \
  if (!page) return 0;

struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);

/* pair: pointers of one value */
SEC("socket")
int below_an_end(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used);
  __u8 *at = page->text + index, *stop = page->text + 64;
  TIE(at, stop);
  if (PICK(index >= 64, at >= stop)) return 0;
  return *at;
}

/* unsafe: pointers of one value */
SEC("socket")
int unsafe_up_to_an_end(struct __sk_buff *skb) {
  PROLOGUE
  __u8 *at = page->text + number(&page->used), *stop = page->text + 64;
  asm volatile("" : "+r"(at), "+r"(stop));
  if (at > stop) return 0;
  return *at;
}

/* unsafe: pointers of two values */
SEC("socket")
int unsafe_below_another_end(struct __sk_buff *skb) {
  PROLOGUE
  struct page *other = page_of(skb->mark + 1);
  if (!other) return 0;
  __u8 *at = page->text + number(&page->used), *stop = other->text + 64;
  asm volatile("" : "+r"(at), "+r"(stop));
  if (at >= stop) return 0;
  return *at;
}

/* pair: pointers of one value */
SEC("socket")
int distance_from_start(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used);
  __u8 *at = page->text + index;
  HIDE(at);
  __u64 distance = at - page->text;
  HIDE(distance);
  if (PICK(index, distance) > 63) return 0;
  return *at;
}

/* unsafe: pointers of one value */
SEC("socket")
int unsafe_distance_from_start(struct __sk_buff *skb) {
  PROLOGUE
  __u8 *at = page->text + number(&page->used);
  asm volatile("" : "+r"(at));
  __u64 distance = at - page->text;
  asm volatile("" : "+r"(distance));
  if (distance > 64) return 0;
  return *at;
}

/* pair: pointers into the stack */
SEC("socket")
int filled_up_to_an_end(struct __sk_buff *skb) {
  PROLOGUE
  __u8 buffer[32] = {};
  __u64 count = number(&page->used) & 31;
  __u8 *at = buffer, *stop = buffer + count;
  TIE(at, stop);
  for (int i = 0; i < 40; i++) {
    if (PICK(i >= count, at >= stop)) break;
    *at++ = i;
    HIDE(at);
  }
  return buffer[3];
}

/* unsafe: pointers into the stack */
SEC("socket")
int unsafe_filled_beyond_an_end(struct __sk_buff *skb) {
  PROLOGUE
  __u8 buffer[32] = {};
  __u8 *at = buffer, *stop = buffer + (number(&page->used) & 31) + 1;
  asm volatile("" : "+r"(at), "+r"(stop));
  for (int i = 0; i < 40; i++) {
    if (at > stop) break;
    *at++ = i;
    asm volatile("" : "+r"(at));
  }
  return buffer[3];
}

static NOINLINE __u64 left_of(__u64 limit, __u64 at) {
  __u64 left = limit - at;
  asm volatile("" : "+r"(left));
  return left;
}

/* pair: by a function */
SEC("socket")
int checked_by_a_function(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 left = left_of(64, at);
  if (PICK(at >= 64, left <= 0)) return 0;
  return page->text[at];
}

/* unsafe: by a function */
SEC("socket")
int unsafe_checked_by_a_function(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 left = left_of(65, at);
  if (left <= 0) return 0;
  return page->text[at];
}

/* pair: in a loop */
SEC("socket")
int element_by_element(struct __sk_buff *skb) {
  PROLOGUE
  struct bpf_iter_num iterator;
  __u64 sum = 0;
  int *element;
  bpf_iter_num_new(&iterator, 0, 100);
  while ((element = bpf_iter_num_next(&iterator))) {
    __u64 at = number((__u32 *)element), bytes = at * 4;
    HIDE(bytes);
    if (PICK(at >= 64, bytes >= 256)) continue;
    sum += page->text[at];
  }
  bpf_iter_num_destroy(&iterator);
  return sum;
}

/* unsafe: in a loop */
SEC("socket")
int unsafe_from_the_element_before(struct __sk_buff *skb) {
  PROLOGUE
  struct bpf_iter_num iterator;
  __u64 sum = 0, before = 0;
  int *element;
  bpf_iter_num_new(&iterator, 0, 100);
  while ((element = bpf_iter_num_next(&iterator))) {
    __u64 at = number((__u32 *)element), bytes = at * 4;
    asm volatile("" : "+r"(bytes));
    if (bytes >= 256) {
      before = at;
      continue;
    }
    sum += page->text[before];
  }
  bpf_iter_num_destroy(&iterator);
  return sum;
}

struct passed {
  struct page *page;
  __u64 sum;
};

static long add_up(__u32 i, struct passed *passed) {
  __u64 at = number(&passed->page->limit), bytes = at * 4;
  HIDE(bytes);
  if (PICK(at >= 64, bytes >= 256)) return 0;
  passed->sum += passed->page->text[at];
  return 0;
}

/* pair: in a callback */
SEC("socket")
int in_a_callback(struct __sk_buff *skb) {
  PROLOGUE
  struct passed passed = {page, 0};
  bpf_loop(10, add_up, &passed, 0);
  return passed.sum;
}

struct kept {
  __u32 low;
  __u32 high;
};

static long overwrite(__u32 i, struct kept *kept) {
  *(volatile __u32 *)&kept->high = i * 50;
  return 0;
}

/* unsafe: written by a callback */
SEC("socket")
int unsafe_overwritten_by_callback(struct __sk_buff *skb) {
  PROLOGUE
  struct kept kept;
  __u64 at = number(&page->used);
  if (at > 63) return 0;
  *(volatile __u32 *)&kept.low = at;
  *(volatile __u32 *)&kept.high = at;
  bpf_loop(3, overwrite, &kept, 0);
  return page->text[*(volatile __u32 *)&kept.high];
}

/* pair: many passes */
SEC("socket")
int counters_side_by_side(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used), at = index * 2, sum = 0;
  HIDE(at);
  for (int pass = 0; pass < 30; pass++) {
    if (PICK(at >= 64, index >= 32)) break;
    sum += page->text[at];
    index++;
    at += 2;
    TIE(at, index);
  }
  return sum;
}

/* unsafe: many passes */
SEC("socket")
int unsafe_counters_that_drift(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used), at = index * 2, sum = 0;
  asm volatile("" : "+r"(at));
  for (int pass = 0; pass < 30; pass++) {
    if (index >= 32) break;
    sum += page->text[at];
    index++;
    at += 3;
    asm volatile("" : "+r"(at), "+r"(index));
  }
  return sum;
}

char _license[] SEC("license") = "GPL";
