/* Numbers and pointers that went through the stack: whole, in halves, at odd places. */
#include "pairs.h"

#define PROLOGUE                          \
  struct page *page = page_of(skb->mark); \
  if (!page) return 0;

/* Stored and loaded as written, with nothing remembered by the compiler. */
#if VARIANT
#define STORED volatile
#else
#define STORED
#endif

struct halves {
  __u32 low;
  __u32 high;
};
union whole {
  __u64 wide;
  struct halves part;
  __u8 bytes[8];
};

/* pair: second half of a slot */
SEC("socket")
int second_half(struct __sk_buff *skb) {
  PROLOGUE
  STORED struct halves kept;
  __u64 at = number(&page->used);
  kept.low = 0;
  kept.high = at;
  if (at > 63) return 0;
  return page->text[kept.high + kept.low];
}

/* unsafe: second half of a slot */
SEC("socket")
int unsafe_second_half(struct __sk_buff *skb) {
  PROLOGUE
  volatile struct halves kept;
  __u64 at = number(&page->used);
  kept.high = at;
  kept.low = at;
  if (at > 63) return 0;
  kept.high = at + 1;
  return page->text[kept.high];
}

/* pair: second half of a slot */
SEC("socket")
int half_checked_when_loaded(struct __sk_buff *skb) {
  PROLOGUE
  STORED struct halves kept;
  __u64 at = number(&page->used);
  kept.low = 0;
  kept.high = at;
  __u32 copy = kept.high;
  if (copy > 63) return kept.low;
  return page->text[at];
}

/* pair: half of a whole */
SEC("socket")
int high_half_of_a_spill(struct __sk_buff *skb) {
  PROLOGUE
  STORED union whole kept;
  __u64 wide = page->wide;
  HIDE(wide);
  if (wide >= (64ull << 32)) return 0;
  kept.wide = wide;
  return page->text[kept.part.high];
}

/* unsafe: half of a whole */
SEC("socket")
int unsafe_high_half_of_a_spill(struct __sk_buff *skb) {
  PROLOGUE
  volatile union whole kept;
  __u64 wide = page->wide;
  if (wide > (64ull << 32)) return 0;
  kept.wide = wide;
  return page->text[kept.part.high];
}

/* pair: whole of two halves */
SEC("socket")
int whole_of_halves(struct __sk_buff *skb) {
  PROLOGUE
  STORED union whole kept;
  __u64 low = number(&page->used);
  if (low > 63) return 0;
  kept.part.low = low;
  kept.part.high = 0;
  return page->text[kept.wide];
}

/* unsafe: whole of two halves */
SEC("socket")
int unsafe_whole_of_halves(struct __sk_buff *skb) {
  PROLOGUE
  volatile union whole kept;
  __u64 low = number(&page->used), high = number(&page->limit);
  if (low > 63) return 0;
  kept.part.low = low;
  kept.part.high = high;
  return page->text[kept.wide];
}

/* pair: one byte of a spill */
SEC("socket")
int second_byte(struct __sk_buff *skb) {
  PROLOGUE
  STORED union whole kept;
  __u64 wide = number(&page->used);
  if (wide >= 64 << 8) return 0;
  kept.wide = wide;
  return page->text[kept.bytes[1]];
}

/* unsafe: one byte of a spill */
SEC("socket")
int unsafe_second_byte(struct __sk_buff *skb) {
  PROLOGUE
  volatile union whole kept;
  __u64 wide = number(&page->used);
  if (wide > 64 << 8) return 0;
  kept.wide = wide;
  return page->text[kept.bytes[1]];
}

/* pair: across a call */
SEC("socket")
int half_across_a_call(struct __sk_buff *skb) {
  PROLOGUE
  STORED struct halves kept;
  __u64 at = number(&page->used), wide = at << 32;
  HIDE(wide);
  kept.low = at;
  __u64 now = bpf_ktime_get_ns();
  if (at > 63) return now;
  return page->text[PICK(at, wide >> 32)];
}

/* unsafe: written by a helper */
SEC("socket")
int unsafe_overwritten_by_helper(struct __sk_buff *skb) {
  PROLOGUE
  volatile struct halves kept;
  __u64 at = number(&page->used);
  if (at > 63) return 0;
  kept.high = at;
  bpf_skb_load_bytes(skb, 0, (void *)&kept.high, 4);
  return page->text[kept.high];
}

/* unsafe: written at an offset that varies */
SEC("socket")
int unsafe_overwritten_somewhere(struct __sk_buff *skb) {
  PROLOGUE
  volatile __u32 kept[4] = {0, 0, 0, 0};
  __u64 at = number(&page->used), where = number(&page->limit) & 3;
  if (at > 63) return 0;
  kept[1] = at;
  kept[where] = page->words[0];
  return page->text[kept[1]];
}

static NOINLINE void overwrite(__u32 *kept, __u32 value) {
  *(volatile __u32 *)kept = value;
}

/* unsafe: written by another function */
SEC("socket")
int unsafe_overwritten_by_function(struct __sk_buff *skb) {
  PROLOGUE
  struct halves kept;
  __u64 at = number(&page->used);
  if (at > 63) return 0;
  *(volatile __u32 *)&kept.high = at;
  overwrite(&kept.high, page->words[0]);
  return page->text[*(volatile __u32 *)&kept.high];
}

char _license[] SEC("license") = "GPL";
