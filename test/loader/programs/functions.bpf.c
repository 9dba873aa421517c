/*
 * Kernel functions that run outside a kernel too: dynamic pointers, iterators, strings, regions. Each
 * program answers with a number that tells whether all went as it should, or what came back instead;
 * test/loader/kernel-functions.test.ts puts the same question to the running kernel.
 */
#include "../../corpus/corpus.h"

char LICENSE[] SEC("license") = "GPL";

struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
struct bpf_iter_bits {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_res_spin_lock {
  __u32 value;
};

KFUNC int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr);
KFUNC int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr);
KFUNC void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size);
KFUNC void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size);
KFUNC int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end);
KFUNC bool bpf_dynptr_is_null(const struct bpf_dynptr *ptr);
KFUNC bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *ptr);
KFUNC __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr);
KFUNC int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone);
KFUNC int bpf_dynptr_copy(struct bpf_dynptr *to, __u32 to_offset, struct bpf_dynptr *from, __u32 from_offset,
                          __u32 size);
KFUNC int bpf_dynptr_memset(struct bpf_dynptr *ptr, __u32 offset, __u32 size, __u8 value);
KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);
KFUNC int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 count);
KFUNC int *bpf_iter_bits_next(struct bpf_iter_bits *it);
KFUNC void bpf_iter_bits_destroy(struct bpf_iter_bits *it);
KFUNC int bpf_strcmp(const char *a, const char *b);
KFUNC int bpf_strcasecmp(const char *a, const char *b);
KFUNC int bpf_strchr(const char *text, char c);
KFUNC int bpf_strchrnul(const char *text, char c);
KFUNC int bpf_strnchr(const char *text, __u64 count, char c);
KFUNC int bpf_strrchr(const char *text, char c);
KFUNC int bpf_strlen(const char *text);
KFUNC int bpf_strnlen(const char *text, __u64 count);
KFUNC int bpf_strspn(const char *text, const char *set);
KFUNC int bpf_strcspn(const char *text, const char *set);
KFUNC int bpf_strstr(const char *text, const char *wanted);
KFUNC int bpf_strnstr(const char *text, const char *wanted, __u64 room);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);
KFUNC void bpf_preempt_disable(void);
KFUNC void bpf_preempt_enable(void);
KFUNC void bpf_local_irq_save(unsigned long *flags);
KFUNC void bpf_local_irq_restore(unsigned long *flags);
KFUNC int bpf_res_spin_lock(struct bpf_res_spin_lock *lock);
KFUNC void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock);

/* What each step came to; the maps are compared too. */
TABLE(answers, BPF_MAP_TYPE_ARRAY, __u32, __s64, 64);
TABLE(records, BPF_MAP_TYPE_ARRAY, __u32, char[64], 1);
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

static ALWAYS_INLINE void note(__u32 at, __s64 answer) {
  __s64 *slot = bpf_map_lookup_elem(&answers, &at);
  if (slot) *slot = answer;
}

static ALWAYS_INLINE char *record(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&records, &zero);
}

/* Reads, writes and moves within `ptr`; its bytes are some packet's or the record's. */
static ALWAYS_INLINE void exercise(struct bpf_dynptr *ptr, __u32 first) {
  struct bpf_dynptr clone;
  __u32 word = 0x61626364;
  char buffer[8] = {};
  note(first + 0, bpf_dynptr_size(ptr));
  note(first + 1, bpf_dynptr_is_rdonly(ptr));
  note(first + 2, bpf_dynptr_is_null(ptr));
  note(first + 3, bpf_dynptr_write(ptr, 4, &word, sizeof word, 0));
  note(first + 4, bpf_dynptr_write(ptr, 8, &word, sizeof word, 1));
  note(first + 5, bpf_dynptr_write(ptr, 1 << 20, &word, sizeof word, 0));
  note(first + 6, bpf_dynptr_read(&word, sizeof word, ptr, 2, 0));
  note(first + 7, word);
  note(first + 8, bpf_dynptr_read(&word, sizeof word, ptr, 2, 1));
  note(first + 9, bpf_dynptr_clone(ptr, &clone));
  note(first + 10, bpf_dynptr_adjust(&clone, 3, 2));
  note(first + 11, bpf_dynptr_adjust(&clone, 3, 1 << 20));
  note(first + 12, bpf_dynptr_adjust(&clone, 3, 12));
  note(first + 13, bpf_dynptr_size(&clone));
  note(first + 14, bpf_dynptr_memset(&clone, 1, 4, 0x55));
  note(first + 15, bpf_dynptr_memset(&clone, 8, 4, 0x55));
  note(first + 16, bpf_dynptr_copy(ptr, 0, &clone, 2, 5));
  note(first + 17, bpf_dynptr_copy(ptr, 0, &clone, 6, 5));
  __u32 *slice = bpf_dynptr_slice(&clone, 1, buffer, sizeof(__u32));
  note(first + 18, slice ? *slice : -1);
  note(first + 19, bpf_dynptr_slice(&clone, 6, buffer, 8) != NULL);
  note(first + 20, bpf_dynptr_adjust(&clone, 9, 9));
  note(first + 21, bpf_dynptr_size(&clone));
  note(first + 22, bpf_dynptr_read(&word, 0, &clone, 0, 0));
}

SEC("tc")
int dynptr_of_skb(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  note(30, bpf_dynptr_from_skb(skb, 1, &ptr));
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 1;
  exercise(&ptr, 0);
  char buffer[14] = {};
  struct ethhdr *eth = bpf_dynptr_slice_rdwr(&ptr, 0, buffer, sizeof buffer);
  if (!eth) return 2;
  eth->h_dest[1] = 7;
  note(31, bpf_skb_change_tail(skb, 20, 0));
  note(32, bpf_dynptr_read(buffer, 8, &ptr, 16, 0));
  note(33, bpf_dynptr_write(&ptr, 16, buffer, 8, 0));
  note(34, bpf_dynptr_slice(&ptr, 16, NULL, 8) != NULL);
  return 0;
}

SEC("cgroup_skb/ingress")
int dynptr_of_read_only_skb(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 1;
  exercise(&ptr, 0);
  return 1;
}

SEC("xdp")
int dynptr_of_xdp(struct xdp_md *xdp) {
  struct bpf_dynptr ptr;
  note(30, bpf_dynptr_from_xdp(xdp, 1, &ptr));
  note(31, bpf_dynptr_size(&ptr));
  note(32, bpf_dynptr_is_null(&ptr));
  note(33, bpf_dynptr_adjust(&ptr, 0, 0));
  note(34, bpf_dynptr_memset(&ptr, 0, 0, 0));
  note(35, bpf_dynptr_memset(&ptr, 0, 1, 0));
  note(36, bpf_dynptr_is_rdonly(&ptr));
  if (bpf_dynptr_from_xdp(xdp, 0, &ptr)) return XDP_ABORTED;
  exercise(&ptr, 0);
  note(37, bpf_xdp_adjust_tail(xdp, -10));
  __u64 word = 0;
  note(38, bpf_dynptr_read(&word, 8, &ptr, bpf_dynptr_size(&ptr) - 8, 0));
  note(39, bpf_dynptr_write(&ptr, bpf_dynptr_size(&ptr) - 8, &word, 8, 0));
  return XDP_PASS;
}

SEC("tc")
int dynptr_of_memory(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  char *bytes = record();
  if (!bytes) return 1;
  note(30, bpf_dynptr_from_mem(bytes, 64, 1, &ptr));
  note(31, bpf_dynptr_read(bytes, 4, &ptr, 0, 0));
  if (bpf_dynptr_from_mem(bytes, 64, 0, &ptr)) return 2;
  exercise(&ptr, 0);
  note(32, bpf_dynptr_adjust(&ptr, 10, 30));
  __u32 *data = bpf_dynptr_data(&ptr, 4, 4);
  if (!data) return 3;
  *data = 0x31323334;
  note(33, bpf_dynptr_data(&ptr, 18, 4) != NULL);
  return 0;
}

SEC("tc")
int dynptr_of_ring_buffer(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  struct bpf_dynptr clone;
  __u64 word = 0x123456789;
  note(0, bpf_ringbuf_reserve_dynptr(&events, 32, 0, &ptr));
  note(1, bpf_dynptr_write(&ptr, 8, &word, 8, 0));
  note(2, bpf_dynptr_write(&ptr, 8, &word, 8, 1));
  note(3, bpf_dynptr_clone(&ptr, &clone));
  note(4, bpf_dynptr_adjust(&ptr, 8, 16));
  note(5, bpf_dynptr_read(&word, 8, &ptr, 1, 0));
  note(6, bpf_dynptr_read(&word, 7, &ptr, 1, 0));
  note(7, word);
  note(8, bpf_dynptr_data(&clone, 24, 8) != NULL);
  bpf_ringbuf_submit_dynptr(&ptr, 0);
  note(33, bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA));
  return 0;
}

SEC("tc")
int no_room_for_dynptr(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  note(0, bpf_ringbuf_reserve_dynptr(&events, 1 << 20, 0, &ptr));
  note(1, bpf_dynptr_is_null(&ptr));
  note(2, bpf_dynptr_size(&ptr));
  bpf_ringbuf_discard_dynptr(&ptr, 0);
  return 0;
}

static ALWAYS_INLINE __s64 sum_between(int start, int end, __u32 at) {
  struct bpf_iter_num it;
  __s64 sum = 0;
  int *number, left = 100;
  note(at, bpf_iter_num_new(&it, start, end));
  while ((number = bpf_iter_num_next(&it))) {
    sum = sum * 3 + *number;
    if (--left == 0) break;
  }
  note(at + 1, bpf_iter_num_next(&it) != NULL);
  bpf_iter_num_destroy(&it);
  return sum;
}

SEC("tc")
int iterate_numbers(struct __sk_buff *skb) {
  note(0, sum_between(0, 10, 10));
  note(1, sum_between(5, 5, 12));
  note(2, sum_between(6, 5, 14));
  note(3, sum_between(-2147483647 - 1, -2147483640, 16));
  note(4, sum_between(2147483640, 2147483647, 18));
  note(5, sum_between(0, 8 * 1024 * 1024, 20));
  note(6, sum_between(0, 8 * 1024 * 1024 + 1, 22));
  note(7, sum_between(-2147483647 - 1, 2147483647, 24));
  note(8, sum_between(-5, 300, 26));
  return 0;
}

static ALWAYS_INLINE __s64 sum_of_bits(const __u64 *words, __u32 count, __u32 at) {
  struct bpf_iter_bits it;
  __s64 sum = 0;
  int *bit;
  note(at, bpf_iter_bits_new(&it, words, count));
  while ((bit = bpf_iter_bits_next(&it))) sum = sum * 5 + *bit;
  note(at + 1, bpf_iter_bits_next(&it) != NULL);
  bpf_iter_bits_destroy(&it);
  return sum;
}

SEC("syscall")
int iterate_bits(void *context) {
  __u64 words[3] = {0x8000000000000001, 0, 0xf0};
  __u64 zeroes[4] = {};
  note(0, sum_of_bits(words, 1, 10));
  note(1, sum_of_bits(words, 3, 12));
  note(2, sum_of_bits(zeroes, 4, 14));
  note(3, sum_of_bits(words, 0, 16));
  note(4, sum_of_bits(NULL, 1, 18));
  note(5, sum_of_bits(words, 512, 20));
  note(6, sum_of_bits((void *)-8, 1, 22));
  note(7, sum_of_bits(zeroes, 1, 24));
  return 0;
}

const char hello[] = "hello world";
const char empty[] = "";
char greeting[] = "HELLO World";
char unterminated[4] = {'a', 'b', 'c', 'd'};

#define ASK(at, call) note(at, call)

SEC("syscall")
int compare_strings(void *context) {
  char local[12] = "hello";
  ASK(0, bpf_strcmp(hello, hello));
  ASK(1, bpf_strcmp(hello, greeting));
  ASK(2, bpf_strcmp(greeting, hello));
  ASK(3, bpf_strcasecmp(greeting, hello));
  ASK(4, bpf_strcmp(local, hello));
  ASK(5, bpf_strcmp(hello, local));
  ASK(6, bpf_strcmp(empty, hello));
  ASK(7, bpf_strcmp(NULL, hello));
  ASK(8, bpf_strcmp(hello, (char *)-1));
  ASK(9, bpf_strcasecmp(hello, (char *)0x1000));
  ASK(10, bpf_strcmp((char *)0xcccccccccccc, hello));
  local[0] = (char)0x90;
  ASK(11, bpf_strcmp(local, hello));
  local[0] = 'H';
  ASK(12, bpf_strcasecmp(local, "hellO"));
  return 0;
}

SEC("syscall")
int search_strings(void *context) {
  char local[] = "stack of strings";
  ASK(0, bpf_strchr(hello, 'o'));
  ASK(1, bpf_strchr(hello, 'x'));
  ASK(2, bpf_strchr(hello, 0));
  ASK(3, bpf_strchrnul(hello, 'x'));
  ASK(4, bpf_strchrnul(hello, 'w'));
  ASK(5, bpf_strnchr(hello, 4, 'o'));
  ASK(6, bpf_strnchr(hello, 5, 'o'));
  ASK(7, bpf_strnchr(hello, 100, 'z'));
  ASK(8, bpf_strrchr(hello, 'o'));
  ASK(9, bpf_strrchr(hello, 'z'));
  ASK(10, bpf_strrchr(hello, 0));
  ASK(11, bpf_strlen(hello));
  ASK(12, bpf_strlen(local));
  ASK(13, bpf_strlen(empty));
  ASK(14, bpf_strnlen(hello, 3));
  ASK(15, bpf_strnlen(hello, 300));
  ASK(16, bpf_strnlen(hello, 0));
  ASK(17, bpf_strspn(hello, "hel"));
  ASK(18, bpf_strspn(hello, ""));
  ASK(19, bpf_strspn(hello, "helo wrd"));
  ASK(20, bpf_strcspn(hello, "wo"));
  ASK(21, bpf_strcspn(hello, ""));
  ASK(22, bpf_strcspn(hello, "xyz"));
  ASK(23, bpf_strstr(hello, "world"));
  ASK(24, bpf_strstr(hello, ""));
  ASK(25, bpf_strstr(hello, "worlds"));
  ASK(26, bpf_strstr(local, "of"));
  ASK(27, bpf_strnstr(hello, "lo", 5));
  ASK(28, bpf_strnstr(hello, "lo", 4));
  ASK(29, bpf_strnstr(hello, "", 0));
  ASK(30, bpf_strnstr(hello, "h", 0));
  ASK(31, bpf_strlen(NULL));
  ASK(32, bpf_strlen((char *)-1));
  ASK(33, bpf_strchr((char *)0x100, 'c'));
  ASK(34, bpf_strspn(hello, NULL));
  ASK(35, bpf_strspn((char *)-1, hello));
  ASK(36, bpf_strstr(hello, (char *)-1));
  ASK(37, bpf_strstr(empty, empty));
  ASK(38, bpf_strstr(empty, hello));
  ASK(39, bpf_strchr(empty, 'a'));
  ASK(40, bpf_strspn(empty, hello));
  ASK(41, bpf_strnstr(hello, "hello world", 11));
  ASK(42, bpf_strnstr(hello, "hello world", 10));
  ASK(43, bpf_strrchr(hello, 'h'));
  ASK(44, bpf_strnlen(unterminated, 4));
  ASK(45, bpf_strnchr(unterminated, 4, 'd'));
  return 0;
}

struct guarded {
  struct bpf_res_spin_lock lock;
  int value;
};
TABLE(guards, BPF_MAP_TYPE_ARRAY, __u32, struct guarded, 1);

SEC("tc")
int regions(struct __sk_buff *skb) {
  unsigned long flags, inner;
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  bpf_preempt_disable();
  bpf_preempt_enable();
  bpf_local_irq_save(&flags);
  bpf_local_irq_save(&inner);
  bpf_local_irq_restore(&inner);
  bpf_local_irq_restore(&flags);
  return 5;
}

SEC("tc")
int resilient_locks(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct guarded *lock = bpf_map_lookup_elem(&guards, &zero);
  struct guarded *same = bpf_map_lookup_elem(&guards, &zero);
  if (!lock || !same || bpf_res_spin_lock(&lock->lock)) return 1;
  int error = bpf_res_spin_lock(&same->lock);
  if (!error) bpf_res_spin_unlock(&same->lock);
  bpf_res_spin_unlock(&lock->lock);
  if (bpf_res_spin_lock(&lock->lock)) return 2;
  bpf_res_spin_unlock(&lock->lock);
  return -error;
}

KFUNC int bpf_probe_read_kernel_dynptr(struct bpf_dynptr *ptr, __u32 offset, __u32 size, const void *source);
KFUNC int bpf_probe_read_kernel_str_dynptr(struct bpf_dynptr *ptr, __u32 offset, __u32 size, const void *source);

SEC("xdp")
int probe_into_dynptr(struct xdp_md *xdp) {
  struct bpf_dynptr ptr, small;
  if (bpf_dynptr_from_xdp(xdp, 0, &ptr)) return XDP_ABORTED;
  /* What a fault leaves is no matter. */
  note(1, bpf_probe_read_kernel_dynptr(&ptr, 3, 5, (void *)-8));
  note(0, bpf_probe_read_kernel_dynptr(&ptr, 3, 5, hello));
  note(2, bpf_probe_read_kernel_dynptr(&ptr, 1 << 20, 5, hello));
  note(3, bpf_probe_read_kernel_str_dynptr(&ptr, 20, 30, hello));
  note(4, bpf_probe_read_kernel_str_dynptr(&ptr, 10, 4, hello));
  note(5, bpf_probe_read_kernel_str_dynptr(&ptr, 10, 0, hello));
  note(6, bpf_probe_read_kernel_str_dynptr(&ptr, 10, 9, (void *)-8));
  note(7, bpf_probe_read_kernel_str_dynptr(&ptr, 11, 9, empty));
  note(8, bpf_dynptr_clone(&ptr, &small));
  note(9, bpf_dynptr_adjust(&small, 4, 8));
  note(10, bpf_probe_read_kernel_dynptr(&small, 1, 4, hello));
  note(11, bpf_probe_read_kernel_dynptr(&small, 1, 3, hello));
  return XDP_PASS;
}

SEC("raw_tp")
int probe_by_number(void *context) {
  char local[8] = "abcdef", out[8];
  note(0, bpf_probe_read_kernel(out, 4, local + 2));
  note(1, *(__u32 *)out);
  note(2, bpf_probe_read_kernel(out, 4, NULL));
  note(3, *(__u32 *)out);
  note(4, bpf_probe_read_kernel_str(out, sizeof out, hello));
  note(5, *(__u64 *)out);
  note(6, bpf_probe_read_kernel_str(out, sizeof out, local + 3));
  note(7, bpf_probe_read_kernel_str(out, 3, local));
  note(8, bpf_probe_read_kernel_str(out, sizeof out, (void *)-4));
  note(9, bpf_probe_read_kernel(out, 0, NULL));
  note(10, bpf_probe_read(out, 4, hello + 1));
  note(11, bpf_probe_read_kernel(out, 8, (void *)-4));
  return 7;
}

SEC("tc")
int tunnels(struct __sk_buff *skb) {
  struct bpf_tunnel_key key = {}, got = {};
  __u32 options[4] = {1, 2, 3, 4};
  note(0, bpf_skb_get_tunnel_key(skb, &got, sizeof got, 0));
  note(1, bpf_skb_get_tunnel_opt(skb, options, sizeof options));
  note(2, bpf_skb_set_tunnel_opt(skb, options, sizeof options));
  key.tunnel_id = 0x1234;
  key.remote_ipv4 = 0x0a000001;
  key.local_ipv4 = 0x0a000002;
  key.tunnel_tos = 3;
  key.tunnel_ttl = 64;
  note(3, bpf_skb_set_tunnel_key(skb, &key, sizeof key, 1 << 20));
  note(4, bpf_skb_set_tunnel_key(skb, &key, 13, 0));
  note(5, bpf_skb_set_tunnel_key(skb, &key, sizeof key, BPF_F_ZERO_CSUM_TX | BPF_F_SEQ_NUMBER));
  note(6, bpf_skb_get_tunnel_key(skb, &got, sizeof got, 0));
  note(7, got.tunnel_id + ((__u64)got.remote_ipv4 << 32));
  note(8, got.local_ipv4 + ((__u64)got.tunnel_tos << 32) + ((__u64)got.tunnel_ttl << 40));
  note(9, bpf_skb_get_tunnel_key(skb, &got, sizeof got, BPF_F_TUNINFO_FLAGS));
  note(10, got.tunnel_flags);
  note(11, bpf_skb_get_tunnel_key(skb, &got, sizeof got, BPF_F_TUNINFO_IPV6));
  note(12, bpf_skb_get_tunnel_opt(skb, options, sizeof options));
  options[1] = 9;
  note(13, bpf_skb_set_tunnel_opt(skb, options, 8));
  note(14, bpf_skb_get_tunnel_opt(skb, options, 4));
  options[1] = 7;
  note(15, bpf_skb_get_tunnel_opt(skb, options, sizeof options));
  note(16, options[1] + ((__u64)options[2] << 32));
  key.tunnel_label = 5;
  note(17, bpf_skb_set_tunnel_key(skb, &key, sizeof key, 0));
  note(18, bpf_skb_set_tunnel_key(skb, &key, sizeof key, BPF_F_TUNINFO_IPV6 | BPF_F_DONT_FRAGMENT));
  note(19, bpf_skb_get_tunnel_key(skb, &got, sizeof got, BPF_F_TUNINFO_IPV6 | BPF_F_TUNINFO_FLAGS));
  note(20, got.tunnel_label + ((__u64)got.tunnel_flags << 32));
  note(21, got.remote_ipv6[0] + ((__u64)got.local_ipv6[0] << 32));
  note(22, bpf_skb_get_tunnel_key(skb, &got, 28, BPF_F_TUNINFO_IPV6));
  note(23, bpf_skb_set_tunnel_key(skb, &key, 8, 0));
  note(24, bpf_skb_get_tunnel_key(skb, &got, 8, 0));
  note(25, bpf_skb_get_tunnel_opt(skb, options, sizeof options));
  return 0;
}
