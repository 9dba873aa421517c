/*
 * What each map type demands of its creation: the kernel's rules and error numbers (the `map_alloc_check`
 * functions of its map types), one row each, compared with the running kernel by
 * test/loader/kernel-maps.test.ts. Sizes that only memory limits are map.c's business.
 */
#include <errno.h>

#include "map.h"

/* A row of sizes: least and most bytes; ANY has no bound of its own. */
#define ANY UINT32_MAX
#define NONE 0, 0
#define WORD 4, 4

enum { ACCESS = RF_F_RDONLY | RF_F_WRONLY | RF_F_RDONLY_PROG | RF_F_WRONLY_PROG, DESCRIPTOR = RF_F_RDONLY | RF_F_WRONLY };
enum { HASH = RF_F_NO_PREALLOC | RF_F_NUMA_NODE | RF_F_ZERO_SEED | ACCESS, ARRAY = RF_F_NUMA_NODE | ACCESS };
enum { REDIRECTS = RF_F_NUMA_NODE | DESCRIPTOR };
/* PCPU_MIN_UNIT_SIZE; the frames of a stack trace (sysctl kernel.perf_event_max_stack); CONFIG_NR_CPUS of
 * common kernels; the 256 bytes that a trie matches, behind their length. */
enum { CPU_VALUE_MAX = 32768, FRAMES_MAX = 127, FRAME_BYTES = 8, BUILD_ID_BYTES = 32, CPUS_MAX = 8192, TRIE_KEY_MAX = 260 };

struct rules {
  uint32_t type;
  uint32_t key_least, key_most, value_least, value_most;
  uint32_t flags;
};

static const struct rules table[] = {
    {1, 1, ANY, 1, ANY, HASH},
    {2, WORD, 1, ANY, ARRAY | RF_F_MMAPABLE | RF_F_INNER_MAP},
    {3, WORD, WORD, RF_F_NUMA_NODE | DESCRIPTOR},
    {4, WORD, WORD, RF_F_NUMA_NODE | DESCRIPTOR | RF_F_PRESERVE_ELEMS},
    {5, 1, ANY, 1, ANY, HASH},
    {6, WORD, 1, ANY, ARRAY},
    {7, WORD, FRAME_BYTES, ANY, REDIRECTS | RF_F_STACK_BUILD_ID},
    {8, WORD, WORD, RF_F_NUMA_NODE | DESCRIPTOR},
    {9, 1, ANY, 1, ANY, HASH | RF_F_NO_COMMON_LRU},
    {10, 1, ANY, 1, ANY, HASH | RF_F_NO_COMMON_LRU},
    {11, 5, TRIE_KEY_MAX, 1, ANY, RF_F_NO_PREALLOC | ARRAY},
    {12, WORD, WORD, RF_F_NUMA_NODE | DESCRIPTOR},
    {13, 1, ANY, WORD, HASH},
    {14, WORD, 4, 8, REDIRECTS},
    {15, WORD, 4, 8, REDIRECTS},
    {16, WORD, 4, 8, RF_F_NUMA_NODE},
    {17, WORD, WORD, REDIRECTS},
    {18, 1, ANY, 4, 8, REDIRECTS},
    {20, WORD, 4, 8, ARRAY},
    {22, NONE, 1, ANY, ARRAY},
    {23, NONE, 1, ANY, ARRAY},
    {25, WORD, 4, 8, REDIRECTS},
    {27, NONE, NONE, RF_F_NUMA_NODE},
    {30, NONE, 1, ANY, ARRAY | RF_F_ZERO_SEED},
    {31, NONE, NONE, RF_F_NUMA_NODE},
    {33, NONE, NONE, RF_F_MMAPABLE | RF_F_SEGV_ON_FAULT | RF_F_NO_USER_CONV},
};

static const struct rules *rules_of(uint32_t type) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].type == type) return &table[i];
  return NULL;
}

static bool is_twofold(uint32_t flags, uint32_t both) { return (flags & both) == both; }

/* Values of several elements side by side: two sizes, or multiples. */
static bool is_odd_value(const struct rf_map_spec *spec, const struct rules *rules) {
  uint32_t frame = spec->flags & RF_F_STACK_BUILD_ID ? BUILD_ID_BYTES : FRAME_BYTES;
  if (spec->type == rf_stack_trace.type)
    return spec->value_bytes % frame != 0 || spec->value_bytes / frame > FRAMES_MAX;
  return rules->value_least == 4 && rules->value_most == 8 && spec->value_bytes != 4 && spec->value_bytes != 8;
}

static bool is_lru(uint32_t type) { return type == rf_lru_hash.type || type == rf_lru_percpu_hash.type; }

long rf_map_check(const struct rf_map_spec *spec, const struct rf_map_kind *kind) {
  const struct rules *rules = rules_of(spec->type);
  if (rules == NULL) return 0; /* local storage sees to it itself */
  if (spec->extra != 0 && kind != &rf_bloom_filter && kind != &rf_arena_map) return -EINVAL;
  uint32_t foreign = spec->flags & ~(rules->flags | RF_F_TOKEN_FD);
  if (foreign != 0 || is_twofold(spec->flags, DESCRIPTOR) ||
      is_twofold(spec->flags, RF_F_RDONLY_PROG | RF_F_WRONLY_PROG))
    return -EINVAL;
  if (is_lru(spec->type) && (spec->flags & RF_F_NO_PREALLOC)) return -RF_ENOTSUPP;
  bool has_own = kind->per_cpu || (spec->flags & RF_F_NO_COMMON_LRU);
  if (has_own && (spec->flags & RF_F_NUMA_NODE)) return -EINVAL;
  if (spec->max_entries == 0 || spec->key_bytes < rules->key_least || spec->key_bytes > rules->key_most ||
      spec->value_bytes < rules->value_least || spec->value_bytes > rules->value_most || is_odd_value(spec, rules))
    return -EINVAL;
  if (kind->per_cpu && spec->value_bytes > CPU_VALUE_MAX) return -E2BIG;
  if (kind == &rf_cpumap && spec->max_entries > CPUS_MAX) return -E2BIG;
  /* There are no tokens, which Linux finds out last. */
  return spec->flags & RF_F_TOKEN_FD ? -EINVAL : 0;
}
