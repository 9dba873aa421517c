/* Map pointers as pointers to the kernel's structures, and formats in read-only maps. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct bpf_map {
  __u32 key_size;
  __u32 max_entries;
} CORE;

struct bpf_array {
  struct bpf_map map;
  __u32 elem_size;
} CORE;

struct bpf_htab {
  struct bpf_map map;
  __u32 n_buckets;
} CORE;

TABLE(array, BPF_MAP_TYPE_ARRAY, __u32, __u64, 4);
TABLE(hash, BPF_MAP_TYPE_HASH, __u32, __u64, 4);

/* corpus: map values accepted */
SEC("raw_tp/sys_enter")
int reads_map(void *ctx) {
  return ((struct bpf_map *)&array)->max_entries;
}

/* corpus: map values accepted */
SEC("raw_tp/sys_enter")
int reads_array(void *ctx) {
  return ((struct bpf_array *)&array)->elem_size;
}

/* corpus: map values accepted */
SEC("raw_tp/sys_enter")
int reads_hash(void *ctx) {
  return ((struct bpf_htab *)&hash)->n_buckets;
}

/* corpus: map values rejected */
SEC("raw_tp/sys_enter")
int bad_write(void *ctx) {
  *(volatile __u32 *)&((struct bpf_map *)&array)->max_entries = 3;
  return 0;
}

/* corpus: map values rejected */
SEC("raw_tp/sys_enter")
int bad_before(void *ctx) {
  return *(volatile __u32 *)((void *)&array - 8);
}

/* corpus: map values rejected */
SEC("raw_tp/sys_enter")
int bad_behind(void *ctx) {
  return *(volatile __u32 *)((void *)&array + 100000);
}

char text[64];
const char number[] = "%d";
char writable[8] = "%d";

/* corpus: helper arguments accepted */
SEC("raw_tp/sys_enter")
int format_of_one(void *ctx) {
  __u64 numbers[1] = {1};
  return bpf_snprintf(text, sizeof(text), number, numbers, sizeof(numbers));
}

/* corpus: helper arguments rejected */
SEC("raw_tp/sys_enter")
int bad_format_without_number(void *ctx) {
  return bpf_snprintf(text, sizeof(text), number, 0, 0);
}

/* corpus: helper arguments rejected */
SEC("raw_tp/sys_enter")
int bad_format_writable(void *ctx) {
  __u64 numbers[1] = {1};
  return bpf_snprintf(text, sizeof(text), writable, numbers, sizeof(numbers));
}

/* corpus: helper arguments rejected */
SEC("raw_tp/sys_enter")
int bad_conversion(void *ctx) {
  static const char format[] = "%f";
  __u64 numbers[1] = {1};
  return bpf_snprintf(text, sizeof(text), format, numbers, sizeof(numbers));
}

char _license[] SEC("license") = "GPL";
