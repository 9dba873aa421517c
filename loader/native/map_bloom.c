/*
 * Bloom filter: push adds a value, peek asks whether it may be there. Sized as the kernel does: about
 * max_entries * hashes / ln 2 bits, rounded up to a power of two.
 */
#include <errno.h>
#include <string.h>

#include "map.h"

enum { HASHES_DEFAULT = 5, HASHES_MAX = 15 };

static uint32_t hash_count(const struct rf_map *map) {
  uint32_t count = (uint32_t)(map->spec.extra & 0xf);
  return count == 0 ? HASHES_DEFAULT : count;
}

static long create(struct rf_map *map) {
  if (map->spec.extra > HASHES_MAX) return -EINVAL;
  uint64_t wanted = (uint64_t)map->spec.max_entries * hash_count(map) * 7 / 5, bits = 64;
  while (bits < wanted && bits < 1ull << 32) bits *= 2;
  map->storage_bytes = bits / 8;
  map->values = rf_pages(map->storage_bytes);
  return map->values == NULL ? -ENOMEM : 0;
}

static void destroy(struct rf_map *map) { rf_pages_free(map->values, map->storage_bytes); }

/* Bit of the value for hash function `round`. */
static uint64_t bit_of(const struct rf_map *map, const uint8_t *value, uint32_t round) {
  uint64_t hash = map->spec.seed + round * 0x9e3779b97f4a7c15ull;
  for (uint32_t i = 0; i < map->spec.value_bytes; i++) {
    hash = (hash ^ value[i]) * 0xa0761d6478bd642full;
    hash ^= hash >> 29;
  }
  return hash % ((uint64_t)map->storage_bytes * 8);
}

static long push(struct rf_map *map, const void *value, uint64_t flags) {
  if (flags != RF_ANY) return -EINVAL;
  for (uint32_t round = 0; round < hash_count(map); round++) {
    uint64_t bit = bit_of(map, value, round);
    atomic_fetch_or((_Atomic uint64_t *)map->values + bit / 64, 1ull << bit % 64);
  }
  return 0;
}

static long peek(struct rf_map *map, void *value) {
  for (uint32_t round = 0; round < hash_count(map); round++) {
    uint64_t bit = bit_of(map, value, round);
    if ((atomic_load((_Atomic uint64_t *)map->values + bit / 64) >> bit % 64 & 1) == 0)
      return -ENOENT;
  }
  return 0;
}

const struct rf_map_kind rf_bloom_filter = {
    .type = 30, .create = create, .destroy = destroy, .push = push, .peek = peek};
