/* Idioms of real tools that strain value tracking: minima, transitive bounds, cursors on the stack,
 * lengths computed from lengths, narrow spills, nested arrays, comparisons in every form. */
#include "corpus.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

struct entry {
  __u16 kind;
  __u16 size;
  __u32 words[5];
};
struct page {
  __u32 used;
  __u32 limit;
  struct entry entries[16];
  __u8 text[256];
};
struct cursor {
  void *at;
  void *end;
};

TABLE(pages, BPF_MAP_TYPE_ARRAY, __u32, struct page, 4);

static ALWAYS_INLINE struct page *page_of(__u32 index) {
  return bpf_map_lookup_elem(&pages, &index);
}

/* corpus: ranges accepted */
SEC("socket")
int minimum(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 index = MIN(page->used, 15);
  return page->entries[index].kind;
}

/* corpus: ranges accepted */
SEC("socket")
int nested_arrays(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 i = page->used, j = page->limit;
  if (i >= 16 || j >= 5) return 0;
  return page->entries[i].words[j];
}

/* corpus: ranges accepted */
SEC("socket")
int transitive_bound(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 used = page->used, limit = page->limit;
  if (limit > 16) return 0;
  if (used >= limit) return 0;
  return page->entries[used].size;
}

/* corpus: ranges accepted */
SEC("socket")
int remaining_length(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 used = page->used & 127;
  __u32 rest = 128 - used;
  return page->text[rest] + page->text[used + 128];
}

/* corpus: ranges accepted */
SEC("tc")
int load_rest(struct __sk_buff *skb) {
  struct page *page = page_of(0);
  if (!page) return TC_ACT_OK;
  __u32 length = skb->len;
  if (length <= 54) return TC_ACT_OK;
  length -= 54;
  if (length > sizeof(page->text)) length = sizeof(page->text);
  bpf_skb_load_bytes(skb, 54, page->text, length);
  return page->text[0] ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: ranges accepted */
SEC("socket")
int narrow_spill(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u8 a = page->text[0], b = page->text[1];
  __u16 c = page->entries[0].size;
  __u64 noise = bpf_ktime_get_ns() + bpf_get_prandom_u32() * bpf_get_smp_processor_id();
  asm volatile("" ::: "r6", "r7", "r8", "r9", "memory");
  return page->text[a] + page->text[b] + page->text[c & 0xff] + noise;
}

/* corpus: ranges accepted */
SEC("socket")
int signed_window(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  int shift = (int)page->used;
  if (shift < -100 || shift > 100) return 0;
  return page->text[100 + shift];
}

/* corpus: ranges accepted */
SEC("socket")
int scaled_index(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u64 index = page->used;
  if (index > 20) return 0;
  return *(__u32 *)&page->text[index * 12];
}

/* corpus: ranges accepted */
SEC("socket")
int bounded_step(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 step = page->limit, position = 0, sum = 0;
  if (step == 0 || step > 8) return 0;
  for (int i = 0; i < 16; i++) {
    if (position >= 256) break;
    sum += page->text[position];
    position += step;
  }
  return sum;
}

/* corpus: ALU and encoding accepted */
SEC("socket")
int switch_on_kind(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  switch (page->entries[1].kind) {
    case 0: return page->text[3];
    case 1: return skb->len;
    case 2: return skb->protocol;
    case 3: return page->entries[2].words[1] << 3;
    case 7: return -1;
    case 9: return page->limit / 3;
    default: return page->used % 7;
  }
}

static NOINLINE void *advance(struct cursor *cursor, __u32 bytes) {
  void *at = cursor->at;
  if (bytes > 64 || at + bytes > cursor->end) return NULL;
  cursor->at = at + bytes;
  return at;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_cursor_of_variable_size(struct xdp_md *ctx) {
  struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
  struct ethhdr *eth = advance(&cursor, 13 + (ctx->rx_queue_index & 1));
  if (!eth) return XDP_DROP;
  return eth->h_proto == 8 ? XDP_PASS : XDP_DROP;
}

/* corpus: packet accepted */
SEC("xdp")
int cursor_on_stack(struct xdp_md *ctx) {
  struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
  struct ethhdr *eth = advance(&cursor, 14);
  if (!eth) return XDP_DROP;
  struct iphdr *ip = advance(&cursor, 20);
  if (!ip) return XDP_DROP;
  return ip->ttl > 3 && eth->h_proto == 8 ? XDP_PASS : XDP_DROP;
}

/* corpus: packet accepted */
SEC("xdp")
int every_comparison(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u32 sum = 0;
  if (data + 1 <= end) sum += data[0];
  if (end >= data + 2) sum += data[1];
  if (!(data + 3 > end)) sum += data[2];
  if (!(end < data + 4)) sum += data[3];
  if (data + 4 < end) sum += data[4];
  if (end > data + 5) sum += data[5];
  return sum & 1 ? XDP_PASS : XDP_DROP;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_length_difference(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  long length = end - data;
  BARRIER(length);
  if (length < 12) return XDP_DROP;
  return data[12] ? XDP_PASS : XDP_DROP;
}

/* corpus: packet accepted */
SEC("tc")
int variable_header(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct iphdr *ip = data + 14;
  if ((void *)(ip + 1) > end) return TC_ACT_OK;
  __u32 header = ip->ihl << 2;
  if (header < 20) return TC_ACT_OK;
  struct tcphdr *tcp = (void *)ip + header;
  if ((void *)(tcp + 1) > end) return TC_ACT_OK;
  __u32 offset = tcp->doff << 2;
  __u8 *payload = (void *)tcp + offset;
  __u32 sum = 0;
  for (int i = 0; i < 8; i++) {
    if ((void *)(payload + i + 1) > end) break;
    sum = sum * 31 + payload[i];
  }
  return sum == 99 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: packet accepted */
SEC("xdp")
int type_length_value(struct xdp_md *ctx) {
  __u8 *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  for (int i = 0; i < 12; i++) {
    if (at + 2 > end) return XDP_PASS;
    __u8 type = at[0], length = at[1];
    if (type == 0) return XDP_PASS;
    if (type == 7 && at + 6 <= end && at[5] == 1) return XDP_DROP;
    at += length + 2;
  }
  return XDP_PASS;
}

/* corpus: stack accepted */
SEC("tc")
int pointers_across_calls(struct __sk_buff *skb) {
  struct page *page = page_of(1);
  if (!page) return TC_ACT_OK;
  __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 16 > end) return TC_ACT_OK;
  __u64 a = bpf_ktime_get_ns(), b = bpf_get_prandom_u32(), c = skb->hash, d = skb->len;
  __u64 e = bpf_get_smp_processor_id();
  page->text[0] = data[15] + a + b;
  page->text[1] = data[3] + c + d + e;
  return page->text[2];
}

/* corpus: ranges rejected */
SEC("socket")
int bad_transitive_bound(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 used = page->used, limit = page->limit;
  if (limit > 30) return 0;
  if (used >= limit) return 0;
  return page->entries[used].size;
}

/* corpus: ranges rejected */
SEC("socket")
int bad_maximum(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 index = page->used > 15 ? page->used : 15;
  return page->entries[index].kind;
}

/* corpus: ranges rejected */
SEC("socket")
int bad_underflow(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u32 used = page->used & 255;
  return page->text[used - 10];
}

/* corpus: ranges rejected */
SEC("tc")
int bad_load_rest(struct __sk_buff *skb) {
  struct page *page = page_of(0);
  if (!page) return TC_ACT_OK;
  __u32 length = skb->len - 54;
  if (length > sizeof(page->text) + 4) return TC_ACT_OK;
  bpf_skb_load_bytes(skb, 54, page->text, length);
  return TC_ACT_OK;
}

/* corpus: packet rejected */
SEC("xdp")
int bad_type_length_value(struct xdp_md *ctx) {
  __u8 *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  for (int i = 0; i < 12; i++) {
    if (at + 2 > end) return XDP_PASS;
    __u8 type = at[0], length = at[1];
    if (type == 0) return XDP_PASS;
    at += length + 2;
    if (type == 7 && at[0] == 1) return XDP_DROP;
  }
  return XDP_PASS;
}

/* corpus: ranges rejected */
SEC("socket")
int bad_truncated_check(struct __sk_buff *skb) {
  struct page *page = page_of(skb->mark);
  if (!page) return 0;
  __u64 wide = *(__u64 *)&page->used;
  __u32 low = wide;
  BARRIER(low);
  if (low >= 256) return 0;
  return page->text[wide];
}

char _license[] SEC("license") = "GPL";
