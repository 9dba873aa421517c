/* Numbers checked in one form and used in another. */
#include "pairs.h"

#define PROLOGUE                          \
  struct page *page = page_of(skb->mark); \
  if (!page) return 0;

/* pair: other offset */
SEC("socket")
int two_sums(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), next = at + 4;
  HIDE(next);
  __u64 end = next + 4;
  HIDE(end);
  if (end > 64) return 0;
  return page->text[at];
}

/* unsafe: other offset */
SEC("socket")
int unsafe_two_sums(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), next = at + 4;
  HIDE(next);
  __u64 end = next - 5;
  HIDE(end);
  if (end > 64) return 0;
  return page->text[at];
}

/* pair: other offset */
SEC("socket")
int reversed_difference(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 left = 64 - at;
  HIDE(left);
  if (left <= 0) return 0;
  return page->text[at];
}

/* unsafe: other offset */
SEC("socket")
int unsafe_reversed_difference(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 left = 64 - at;
  HIDE(left);
  if (left < 0) return 0;
  return page->text[at];
}

/* pair: scaled */
SEC("socket")
int scaled_by_size(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used), bytes = index * 4;
  HIDE(bytes);
  if (PICK(index, bytes) >= PICK(64, 256)) return 0;
  return page->text[index];
}

/* unsafe: scaled */
SEC("socket")
int unsafe_scaled_by_size(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used), bytes = index * 3;
  HIDE(bytes);
  if (bytes >= 256) return 0;
  return page->text[index];
}

/* unsafe: scaled */
SEC("socket")
int unsafe_scaled_that_wraps(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = page->wide, bytes = index * 4;
  HIDE(bytes);
  if (bytes >= sizeof(page->words)) return 0;
  return page->text[index];
}

/* pair: shifted */
SEC("socket")
int high_bits_clear(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), high = at >> 6;
  HIDE(high);
  if (high) return 0;
  return page->text[at];
}

/* unsafe: shifted */
SEC("socket")
int unsafe_high_bits_clear(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), high = at >> 7;
  HIDE(high);
  if (high) return 0;
  return page->text[at];
}

/* pair: shifted */
SEC("socket")
int shifted_index(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), word = at >> 2;
  HIDE(word);
  if (word >= 16) return 0;
  return page->text[at] + page->words[word];
}

/* pair: shifted */
SEC("socket")
int quotient(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), line = at / 10;
  HIDE(line);
  if (line >= 6) return 0;
  return page->text[at];
}

/* unsafe: shifted */
SEC("socket")
int unsafe_quotient(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), line = at / 10;
  HIDE(line);
  if (line > 6) return 0;
  return page->text[at];
}

/* pair: masked */
SEC("socket")
int equal_to_its_low_bits(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), low = at & 63;
  HIDE(low);
  if (PICK(at > 63, (at << 1) != low * 2)) return 0;
  return page->text[at];
}

/* unsafe: masked */
SEC("socket")
int unsafe_equal_to_its_low_bits(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), low = at & 127;
  HIDE(low);
  if (low != at) return 0;
  return page->text[at];
}

/* pair: masked */
SEC("socket")
int no_other_bits(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), others = at & ~63ull;
  HIDE(others);
  if (others) return 0;
  return page->text[at];
}

/* unsafe: masked */
SEC("socket")
int unsafe_no_other_bits(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), others = at & ~127ull;
  HIDE(others);
  if (others) return 0;
  return page->text[at];
}

/* pair: masked */
SEC("socket")
int equal_to_its_remainder(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), rest = at % 48;
  HIDE(rest);
  if (PICK(at > 47, rest != at)) return 0;
  return page->text[at];
}

/* pair: masked */
SEC("socket")
int either_is_small(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), both = a | b;
  HIDE(both);
  if (PICK(a > 63 || b > 63, both > 63)) return 0;
  return page->text[a] + page->text[b];
}

/* unsafe: masked */
SEC("socket")
int unsafe_either_is_small(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), both = a & b;
  HIDE(both);
  if (both > 63) return 0;
  return page->text[a] + page->text[b];
}

/* pair: sum of two */
SEC("socket")
int sum_is_small(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), sum = a + b;
  HIDE(sum);
  if (PICK(a > 31 || b > 31, sum > 63)) return 0;
  return page->text[a] + page->text[b];
}

/* unsafe: sum of two */
SEC("socket")
int unsafe_sum_that_wraps(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = page->wide, b = number(&page->limit), sum = a + b;
  HIDE(sum);
  if (sum > 63) return 0;
  return page->text[a];
}

/* pair: sum of two */
SEC("socket")
int window_from_start(struct __sk_buff *skb) {
  PROLOGUE
  __u64 start = number(&page->used), at = number(&page->limit);
  if (start > 32) return 0;
  __u64 distance = at - start;
  HIDE(distance);
  if (distance > 31) return 0;
  return PICK(at < 64, 1) ? page->text[at] : 0;
}

/* unsafe: sum of two */
SEC("socket")
int unsafe_window_from_start(struct __sk_buff *skb) {
  PROLOGUE
  __u64 start = number(&page->used), at = number(&page->limit);
  if (start > 33) return 0;
  __u64 distance = at - start;
  HIDE(distance);
  if (distance > 31) return 0;
  return page->text[at];
}

/* pair: difference of two */
SEC("socket")
int rest_of_limit(struct __sk_buff *skb) {
  PROLOGUE
  __u64 used = number(&page->used), limit = number(&page->limit);
  if (limit > 63 || used > limit) return 0;
  __u64 rest = limit - used;
  return PICK(rest < 64, 1) ? page->text[rest] : 0;
}

/* unsafe: difference of two */
SEC("socket")
int unsafe_rest_of_limit(struct __sk_buff *skb) {
  PROLOGUE
  __u64 used = number(&page->used), limit = number(&page->limit);
  if (limit > 63 || used > limit + 200) return 0;
  __u64 rest = limit - used;
  return page->text[rest];
}

/* pair: ordered */
SEC("socket")
int below_a_limit_checked_later(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), limit = number(&page->limit);
  if (PICK(limit > 64, at >= limit)) return 0;
  if (PICK(at >= limit, limit > 64)) return 0;
  return page->text[at];
}

/* unsafe: ordered */
SEC("socket")
int unsafe_below_a_limit_checked_later(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), limit = number(&page->limit);
  if (at > limit) return 0;
  if (limit > 64) return 0;
  return page->text[at];
}

/* pair: ordered */
SEC("socket")
int minimum_checked_later(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit);
  __u64 least = a;
  if (PICK(b > 63, 0)) return 0;
  if (b < a) least = b;
  HIDE(least);
  if (PICK(0, b > 63)) return 0;
  return page->text[least];
}

/* pair: ordered */
SEC("socket")
int chain_of_three(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), c = number(&page->words[0]);
  if (PICK(c > 63, a > b)) return 0;
  if (PICK(b > c, b > c)) return 0;
  if (PICK(a > b, c > 63)) return 0;
  return page->text[a];
}

/* pair: ordered */
SEC("socket")
int positive_difference(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), limit = number(&page->limit);
  if (limit > 64) return 0;
  __s64 left = limit - at;
  HIDE(left);
  if (left <= 0) return 0;
  return PICK(at < limit, 1) ? page->text[at] : 0;
}

/* pair: equal */
SEC("socket")
int equal_to_a_checked_one(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit);
  if (PICK(b > 63, a != b)) return 0;
  if (PICK(a != b, b > 63)) return 0;
  return page->text[a];
}

/* unsafe: equal */
SEC("socket")
int unsafe_equal_low_halves(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = page->wide, b = number(&page->limit);
  if ((__u32)a != b) return 0;
  if (b > 63) return 0;
  return page->text[a];
}

/* pair: equal */
SEC("socket")
int no_bit_differs(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), difference = at ^ 37;
  HIDE(difference);
  if (difference) return 0;
  return page->text[at];
}

/* pair: equal */
SEC("socket")
int complement(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), inverse = ~at;
  HIDE(inverse);
  if (inverse < ~63ull) return 0;
  return page->text[at];
}

/* pair: equal */
SEC("socket")
int negated(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 minus = -at;
  HIDE(minus);
  if (minus < -63) return 0;
  return page->text[at];
}

/* pair: flag */
SEC("socket")
int sign_of_difference(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), below = (at - 64) >> 63;
  HIDE(below);
  if (!below) return 0;
  return page->text[at];
}

/* unsafe: flag */
SEC("socket")
int unsafe_sign_of_difference(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), below = (at - 65) >> 63;
  HIDE(below);
  if (!below) return 0;
  return page->text[at];
}

/* pair: flag */
SEC("socket")
int masked_by_comparison(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 mask = (__s64)(at - 64) >> 63;
  HIDE(mask);
  at &= mask;
  return PICK(at < 64, 1) ? page->text[at] : 0;
}

/* unsafe: flag */
SEC("socket")
int unsafe_masked_by_comparison(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = page->wide;
  __s64 mask = (__s64)(at - 64) >> 63;
  HIDE(mask);
  at &= mask;
  return page->text[at];
}

/* pair: flag */
SEC("socket")
int minimum_without_branch(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 less = (__s64)(at - 63) >> 63;
  HIDE(less);
  __u64 least = 63 ^ ((at ^ 63) & less);
  return PICK(least < 64, 1) ? page->text[least] : 0;
}

/* pair: other width */
SEC("socket")
int sign_extended_copy(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 copy = (__s32)at;
  HIDE(copy);
  if (copy < 0 || copy > 63) return 0;
  return page->text[PICK(copy, at)];
}

/* unsafe: other width */
SEC("socket")
int unsafe_sign_extended_copy(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used);
  __s64 copy = (__s32)at;
  HIDE(copy);
  if (copy > 63) return 0;
  return page->text[at];
}

/* pair: other width */
SEC("socket")
int shifted_up_and_down(struct __sk_buff *skb) {
  PROLOGUE
  __u64 at = number(&page->used), copy = at << 35;
  HIDE(copy);
  copy >>= 35;
  HIDE(copy);
  if (PICK(at, copy) > 63 || at >> 29) return 0;
  return page->text[at];
}

/* pair: other width */
SEC("socket")
int high_half_clear(struct __sk_buff *skb) {
  PROLOGUE
  __u64 wide = page->wide, high = wide >> 32;
  HIDE(high);
  __u32 low = wide;
  HIDE(low);
  if (high || low > 63) return 0;
  return page->text[PICK(low, wide)];
}

/* unsafe: other width */
SEC("socket")
int unsafe_high_half_clear(struct __sk_buff *skb) {
  PROLOGUE
  __u64 wide = page->wide, high = wide >> 33;
  HIDE(high);
  __u32 low = wide;
  HIDE(low);
  if (high || low > 63) return 0;
  return page->text[wide];
}

/* pair: second counter */
SEC("socket")
int two_counters(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used), at = index * 8, sum = 0;
  HIDE(at);
  for (int pass = 0; pass < 4; pass++) {
    if (PICK(at >= 64, index >= 8)) break;
    sum += page->text[at];
    index++;
    at += 8;
    HIDE(at);
    HIDE(index);
  }
  return sum;
}

/* unsafe: second counter */
SEC("socket")
int unsafe_two_counters(struct __sk_buff *skb) {
  PROLOGUE
  __u64 index = number(&page->used), at = index * 8, sum = 0;
  HIDE(at);
  for (int pass = 0; pass < 4; pass++) {
    if (index >= 8) break;
    sum += page->text[at];
    index++;
    at += 24;
    HIDE(at);
    HIDE(index);
  }
  return sum;
}

/* unsafe: map value read twice */
SEC("socket")
int unsafe_read_twice(struct __sk_buff *skb) {
  PROLOGUE
  if (*(volatile __u32 *)&page->used >= 64) return 0;
  return page->text[*(volatile __u32 *)&page->used];
}

/* unsafe: other register */
SEC("socket")
int unsafe_other_number(struct __sk_buff *skb) {
  PROLOGUE
  __u64 a = number(&page->used), b = number(&page->limit), next = a + 4;
  HIDE(next);
  if (next > 63) return 0;
  return page->text[b];
}

char _license[] SEC("license") = "GPL";
