/* Bounded loops, strings, sorting; open-coded iterators. */
#include "corpus.h"

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
#endif
KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);

struct table {
  __u32 length;
  __u32 values[64];
};

struct pattern {
  char text[16];
};

TABLE(tables, BPF_MAP_TYPE_ARRAY, __u32, struct table, 1);
TABLE(patterns, BPF_MAP_TYPE_ARRAY, __u32, struct pattern, 8);

/* corpus: loops accepted */
SEC("socket")
int sort_on_stack(struct __sk_buff *skb) {
  __u32 values[4] = {skb->len, skb->hash, skb->mark, skb->priority};
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j + 1 < 4; j++) {
      __u32 a = values[j], b = values[j + 1];
      values[j] = a < b ? a : b;
      values[j + 1] = a < b ? b : a;
    }
  }
  return values[0] <= values[3];
}

/* corpus: loops accepted */
SEC("socket")
int binary_search(struct __sk_buff *skb) {
  __u32 zero = 0, wanted = skb->mark;
  struct table *table = bpf_map_lookup_elem(&tables, &zero);
  if (!table) return 0;
  __u32 low = 0, high = 64;
  for (int i = 0; i < 7 && low < high; i++) {
    __u32 middle = (low + high) / 2;
    if (middle >= 64) break;
    __u32 value = table->values[middle];
    if (value == wanted) return middle;
    if (value < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return 0;
}

/* corpus: loops accepted */
SEC("socket")
int bounded_by_variable(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct table *table = bpf_map_lookup_elem(&tables, &zero);
  if (!table) return 0;
  __u32 length = table->length, sum = 0;
  if (length > 64) length = 64;
  for (__u32 i = 0; i < length; i++) sum += table->values[i];
  return sum;
}

/* corpus: loops accepted */
SEC("tc")
int match_prefixes(struct __sk_buff *skb) {
  char text[16] = {};
  if (bpf_skb_load_bytes(skb, 54, text, sizeof(text))) return TC_ACT_OK;
  for (__u32 i = 0; i < 8; i++) {
    __u32 key = i;
    struct pattern *pattern = bpf_map_lookup_elem(&patterns, &key);
    if (!pattern) break;
    int j;
    for (j = 0; j < 16; j++) {
      if (pattern->text[j] == 0) break;
      if (pattern->text[j] != text[j]) break;
    }
    if (j < 16 && j > 0 && pattern->text[j] == 0) return TC_ACT_SHOT;
  }
  return TC_ACT_OK;
}

/* corpus: loops accepted */
SEC("tc")
int checksum_words(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  __u16 *word = data;
  __u32 sum = 0;
  for (int i = 0; i < 100; i++) {
    if ((void *)(word + 1) > end) break;
    sum += *word++;
  }
  return fold_checksum(sum) == 0 ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: loops accepted */
SEC("socket")
int collatz(struct __sk_buff *skb) {
  __u32 n = skb->len, steps = 0;
  while (n > 1 && steps < 100) {
    n = n & 1 ? 3 * n + 1 : n / 2;
    steps++;
  }
  return steps;
}

/* corpus: loops accepted */
SEC("socket")
int hash_name(struct __sk_buff *skb) {
  char name[32];
  if (bpf_skb_load_bytes(skb, 0, name, sizeof(name))) return 0;
  __u32 hash = 2166136261;
  for (int i = 0; i < 32; i++) {
    if (name[i] == 0) break;
    char c = name[i];
    if (c >= 'A' && c <= 'Z') c += 32;
    hash = (hash ^ (__u8)c) * 16777619;
  }
  return hash;
}

/* corpus: iterators accepted */
SEC("tc")
int iterate_numbers(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  __u32 sum = 0;
  int *value;
  bpf_iter_num_new(&it, 0, 1000);
  while ((value = bpf_iter_num_next(&it))) sum += *value;
  bpf_iter_num_destroy(&it);
  return sum == 499500 ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: iterators accepted */
SEC("tc")
int iterate_table(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct table *table = bpf_map_lookup_elem(&tables, &zero);
  if (!table) return TC_ACT_OK;
  struct bpf_iter_num it;
  int *value;
  bool found = false;
  bpf_iter_num_new(&it, 0, skb->len);
  while ((value = bpf_iter_num_next(&it))) {
    __u32 index = *value;
    if (index >= 64) break;
    if (table->values[index] == skb->mark) {
      found = true;
      break;
    }
  }
  bpf_iter_num_destroy(&it);
  return found ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: iterators accepted */
SEC("tc")
int nested_iterators(struct __sk_buff *skb) {
  struct bpf_iter_num outer, inner;
  int *i, *j;
  __u64 product = 0;
  bpf_iter_num_new(&outer, 0, 10);
  while ((i = bpf_iter_num_next(&outer))) {
    bpf_iter_num_new(&inner, 0, 10);
    while ((j = bpf_iter_num_next(&inner))) product += *i * *j;
    bpf_iter_num_destroy(&inner);
  }
  bpf_iter_num_destroy(&outer);
  return product == 2025;
}

/* corpus: iterators rejected */
SEC("tc")
int bad_iterator_leak(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int *value;
  bpf_iter_num_new(&it, 0, 10);
  while ((value = bpf_iter_num_next(&it)))
    if (*value == skb->mark) return TC_ACT_SHOT;
  bpf_iter_num_destroy(&it);
  return TC_ACT_OK;
}

/* corpus: iterators rejected */
SEC("tc")
int bad_iterator_unchecked(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int sum;
  bpf_iter_num_new(&it, 0, 10);
  sum = *bpf_iter_num_next(&it);
  bpf_iter_num_destroy(&it);
  return sum;
}

/* corpus: iterators rejected */
SEC("tc")
int bad_iterator_uninitialised(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int *value = bpf_iter_num_next(&it);
  return value ? *value : 0;
}

/* corpus: iterators rejected */
SEC("tc")
int bad_iterator_twice(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_destroy(&it);
  bpf_iter_num_destroy(&it);
  return TC_ACT_OK;
}

/* corpus: iterators rejected */
SEC("tc")
int bad_iterator_overwritten(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  *(volatile __u64 *)&it = 0;
  bpf_iter_num_destroy(&it);
  return TC_ACT_OK;
}

/* corpus: iterators rejected */
SEC("tc")
int bad_iterator_index(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct table *table = bpf_map_lookup_elem(&tables, &zero);
  if (!table) return TC_ACT_OK;
  struct bpf_iter_num it;
  int *value;
  __u32 sum = 0;
  bpf_iter_num_new(&it, 0, 65);
  while ((value = bpf_iter_num_next(&it))) sum += table->values[*value];
  bpf_iter_num_destroy(&it);
  return sum;
}

/* corpus: loops rejected */
SEC("socket")
int bad_endless(struct __sk_buff *skb) {
  __u32 n = skb->len;
  while (n != 1) {
    n = n & 1 ? 3 * n + 1 : n / 2;
    BARRIER(n);
  }
  return n;
}

/* corpus: loops rejected */
SEC("xdp")
int bad_until_end(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u32 sum = 0;
  while (data + 1 <= end) sum += *data++;
  return sum & 1 ? XDP_DROP : XDP_PASS;
}

/* corpus: loops rejected */
SEC("socket")
int bad_one_too_far(struct __sk_buff *skb) {
  __u32 zero = 0, sum = 0;
  struct table *table = bpf_map_lookup_elem(&tables, &zero);
  if (!table) return 0;
  __u32 length = table->length;
  if (length > 65) return 0;
  for (__u32 i = 0; i < length; i++) sum += table->values[i];
  return sum;
}

/* corpus: loops rejected */
SEC("socket")
int bad_unbounded_sum(struct __sk_buff *skb) {
  __u32 zero = 0, sum = 0;
  struct table *table = bpf_map_lookup_elem(&tables, &zero);
  if (!table) return 0;
  for (__u32 i = 0; i < table->length; i++) sum += table->values[i];
  return sum;
}

char _license[] SEC("license") = "GPL";
