/* Arenas: pointers that may be anything, and numbers until they are cast. */
#include "../../../corpus/corpus.h"
/* corpus: needs v3, clang-19 */

#define ARENA __attribute__((address_space(1)))
#define TAG(name) __attribute__((btf_decl_tag("arg:" name)))
#define NAKED __attribute__((naked))
#define USES(map) asm volatile("" ::"r"(&map) : "memory")
/* r1 = addr_space_cast(r1, 0, 1), and back. */
#define INTO_ARENA ".8byte 0x00000001000111bf;"
#define OUT_OF_ARENA ".8byte 0x00010000000111bf;"
#define ANY_NUMBER "r1 = %[pages] ll; r1 = %[number] ll; r1 = *(u64 *)(r1 + 0);"
#define CODE(text) asm volatile(text "r0 = 0; exit;" ::[pages] "i"(&pages), [number] "i"(&number) : "memory")

KFUNC void ARENA *bpf_arena_alloc_pages(void *map, void ARENA *at, __u32 count, int node, __u64 flags);
KFUNC void bpf_arena_free_pages(void *map, void ARENA *pages, __u32 count);

struct {
  __uint(type, 33); /* BPF_MAP_TYPE_ARENA */
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 10);
} pages SEC(".maps"), others SEC(".maps");

__u64 number;
__u64 ARENA shared[8];

/* corpus: map values accepted */
SEC("syscall")
int allocates(void *ctx) {
  __u64 ARENA *page = bpf_arena_alloc_pages(&pages, 0, 1, -1, 0);
  if (!page) return 1;
  page[1000000] = 3;
  bpf_arena_free_pages(&pages, page, 1);
  return page[2];
}

/* corpus: map values accepted */
SEC("tc")
int reads_variable(struct __sk_buff *skb) {
  USES(pages);
  shared[skb->len] = 1;
  return shared[3];
}

/* corpus: map values accepted */
SEC("syscall")
int any_number_is_an_address(void *ctx) {
  USES(pages);
  return *(int ARENA *)number;
}

/* corpus: atomics accepted */
SEC("syscall")
int adds(void *ctx) {
  USES(pages);
  return __sync_fetch_and_add((__u64 ARENA *)number, 1);
}

/* corpus: atomics rejected */
SEC("syscall")
int bad_fetch_and(void *ctx) {
  USES(pages);
  return __sync_fetch_and_and((__u64 ARENA *)number, 1);
}

/* corpus: map values rejected */
SEC("syscall")
int bad_without_arena(void *ctx) {
  return *(int ARENA *)number;
}

/* corpus: map values rejected */
SEC("syscall")
int bad_two_arenas(void *ctx) {
  bpf_arena_alloc_pages(&pages, 0, 1, -1, 0);
  bpf_arena_alloc_pages(&others, 0, 1, -1, 0);
  return 0;
}

/* corpus: map values rejected */
SEC("tc")
int bad_allocates_awake(struct __sk_buff *skb) {
  bpf_arena_alloc_pages(&pages, 0, 1, -1, 0);
  return 0;
}

/* corpus: helper arguments rejected */
SEC("syscall")
int bad_as_memory(void *ctx) {
  USES(pages);
  return bpf_probe_read_kernel((void *)(__u64)(__u64 ARENA *)number, 8, 0);
}

/* corpus: map values rejected */
SEC("syscall")
NAKED int bad_not_cast(void) {
  CODE(ANY_NUMBER "r2 = *(u64 *)(r1 + 0);");
}

/* corpus: map values rejected */
SEC("syscall")
NAKED int bad_cast_back(void) {
  CODE(ANY_NUMBER INTO_ARENA OUT_OF_ARENA "r2 = *(u64 *)(r1 + 0);");
}

/* corpus: ALU and encoding accepted */
SEC("syscall")
NAKED int computes(void) {
  CODE(ANY_NUMBER INTO_ARENA
       "r1 += 5; r1 *= 3; r1 &= 77; w1 <<= 2; r1 /= 3; r1 ^= r1; r2 = *(u64 *)(r1 + 0);");
}

/* corpus: ALU and encoding accepted */
SEC("syscall")
NAKED int computes_with_others(void) {
  CODE(ANY_NUMBER INTO_ARENA
       "r2 = 7; r2 -= r1; r3 = *(u64 *)(r2 + 0); r2 = r10; r2 += r1; r3 = *(u64 *)(r2 + 0);");
}

/* corpus: ALU and encoding rejected */
SEC("syscall")
NAKED int bad_negated(void) {
  CODE(ANY_NUMBER INTO_ARENA "r1 = -r1; r2 = *(u64 *)(r1 + 0);");
}

/* corpus: ALU and encoding rejected */
SEC("syscall")
NAKED int bad_lower_half(void) {
  CODE(ANY_NUMBER INTO_ARENA "w2 = w1; r3 = *(u64 *)(r2 + 0);");
}

/* The pointer may be zero: both ways of the comparison are walked. */
/* corpus: map values rejected */
SEC("syscall")
NAKED int bad_behind_comparison(void) {
  CODE(ANY_NUMBER INTO_ARENA "if r1 != 0 goto +2; r2 = 0; r2 = *(u64 *)(r2 + 0);");
}

__attribute__((noinline)) int takes_arena(__u64 ARENA *at TAG("arena")) {
  return at[3];
}

/* corpus: calls accepted */
SEC("syscall")
int passes_number(void *ctx) {
  USES(pages);
  return takes_arena((__u64 ARENA *)number);
}

/* corpus: calls rejected */
SEC("syscall")
int bad_passes_stack(void *ctx) {
  __u64 word = number;
  USES(pages);
  return takes_arena((__u64 ARENA *)(__u64)&word);
}

char _license[] SEC("license") = "GPL";
