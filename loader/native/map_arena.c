/*
 * Arenas. A program's pointer into one is any number at all: its low 32 bits, less those of the arena's
 * start, are an offset into the arena's memory. Nothing about it has been proven, so every access goes
 * through a routine here that looks whether the offset is inside and whether the page is there. Where
 * it is not, a load yields 0 and a store is dropped, as when the kernel's fault handler steps in. There
 * is no fault to handle: the memory is mapped as a whole from creation to the end, readable and
 * writable, and whether a page is there is a byte in a table.
 *
 * Pages come by `bpf_arena_alloc_pages` and by JavaScript's asking for a view of them. They go by
 * `bpf_arena_free_pages`: the operating system gets their memory back, the mapping stays, so that a
 * thread which was just about to use the page reads a zero or writes into a page that is made zero
 * again before anybody gets it.
 */
#define _GNU_SOURCE
#include "map_arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kfuncs.h"
#include "program.h"

enum { PAGE_BYTES = 4096, PAGES_MAX = 1 << 20 };
enum page { FREE = 0, RESERVED = 1, PRESENT = 2 };

struct arena {
  _Atomic uint32_t lock;
  uint32_t count;
  uint32_t from; /* no page below is free */
  _Atomic uint8_t pages[];
};

static long create(struct rf_map *map) {
  const struct rf_map_spec *spec = &map->spec;
  if (!(spec->flags & RF_F_MMAPABLE) || spec->extra % PAGE_BYTES != 0) return -EINVAL;
  if (spec->max_entries > PAGES_MAX) return -E2BIG;
  map->storage_bytes = (size_t)spec->max_entries * PAGE_BYTES;
  if (spec->extra >> 32 != (spec->extra + map->storage_bytes - 1) >> 32) return -ERANGE;
  struct arena *arena = calloc(1, sizeof *arena + spec->max_entries);
  if (arena == NULL) return -ENOMEM;
  arena->count = spec->max_entries;
  map->state = arena;
  map->values = rf_pages(map->storage_bytes);
  if (map->values != NULL) return 0;
  free(arena);
  return -ENOMEM;
}

static void destroy(struct rf_map *map) {
  rf_pages_free(map->values, map->storage_bytes);
  free(map->state);
}

/* Where `bytes` bytes lie that a program names; NULL: nothing is there. An access takes 8 bytes at most,
 * so its first and its last page are all of them. */
static inline uint8_t *place(const struct rf_map *map, uint64_t address, uint64_t bytes) {
  const struct arena *arena = map->state;
  uint64_t offset = address - (uint32_t)map->spec.extra;
  if (offset > map->storage_bytes - bytes) return NULL;
  if (atomic_load_explicit(&arena->pages[offset / PAGE_BYTES], memory_order_relaxed) != PRESENT) return NULL;
  if (atomic_load_explicit(&arena->pages[(offset + bytes - 1) / PAGE_BYTES], memory_order_relaxed) != PRESENT) return NULL;
  return map->values + offset;
}

/* r1 is the low half of a register plus the instruction's offset; r2 the size in bytes. */
RF_HELPER(rf_arena_load) {
  uint64_t value = 0;
  const uint8_t *from = place(run->program->arena_map, r1, r2);
  if (from == NULL) return 0;
  switch (r2) {
    case 1: return *from;
    case 2: memcpy(&value, from, 2); return value;
    case 4: memcpy(&value, from, 4); return value;
    default: memcpy(&value, from, 8); return value;
  }
}

RF_HELPER(rf_arena_store) {
  uint8_t *to = place(run->program->arena_map, r1, r2);
  if (to == NULL) return 0;
  switch (r2) {
    case 1: *to = (uint8_t)r3; return 0;
    case 2: memcpy(to, &r3, 2); return 0;
    case 4: memcpy(to, &r3, 4); return 0;
    default: memcpy(to, &r3, 8); return 0;
  }
}

/* The numbers of ARENA_ATOMICS in jit/ir/arena.ts. */
enum atomic { ADD = 0, AND = 1, OR = 2, XOR = 3, XCHG = 4, CMPXCHG = 5, LOAD_ACQUIRE = 6, STORE_RELEASE = 7 };

#define PERFORM(type)                                                                             \
  do {                                                                                            \
    type *at = (type *)(void *)to, old = (type)r4;                                                \
    switch ((enum atomic)(r2 >> 8)) {                                                             \
      case ADD: return __atomic_fetch_add(at, (type)r3, __ATOMIC_SEQ_CST);                        \
      case AND: return __atomic_fetch_and(at, (type)r3, __ATOMIC_SEQ_CST);                        \
      case OR: return __atomic_fetch_or(at, (type)r3, __ATOMIC_SEQ_CST);                          \
      case XOR: return __atomic_fetch_xor(at, (type)r3, __ATOMIC_SEQ_CST);                        \
      case XCHG: return __atomic_exchange_n(at, (type)r3, __ATOMIC_SEQ_CST);                      \
      case CMPXCHG:                                                                               \
        __atomic_compare_exchange_n(at, &old, (type)r3, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
        return old;                                                                               \
      case LOAD_ACQUIRE: return __atomic_load_n(at, __ATOMIC_ACQUIRE);                            \
      case STORE_RELEASE: __atomic_store_n(at, (type)r3, __ATOMIC_RELEASE); return 0;             \
    }                                                                                             \
  } while (0)

/* r2: size, and the operation from bit 8 on; r3 the operand, r4 what to compare with. Where nothing is
 * there the register that would be written keeps its value, but a load yields 0. What is not aligned
 * x86 does atomically all the same; others have no such access, and it is dropped. */
__attribute__((no_sanitize("undefined"))) RF_HELPER(rf_arena_atomic) {
  uint64_t bytes = r2 & 0xff;
  uint8_t *to = place(run->program->arena_map, r1, bytes);
#if !defined(__x86_64__)
  if (to != NULL && (uintptr_t)to % bytes != 0) to = NULL;
#endif
  if (to == NULL) return r2 >> 8 == LOAD_ACQUIRE ? 0 : r2 >> 8 == CMPXCHG ? r4 : r3;
  switch (bytes) {
    case 1: PERFORM(uint8_t); break;
    case 2: PERFORM(uint16_t); break;
    case 4: PERFORM(uint32_t); break;
    default: PERFORM(uint64_t); break;
  }
  return 0;
}

/* Under the lock. */
static bool all_are(struct arena *arena, uint32_t first, uint32_t count, enum page wanted) {
  for (uint32_t i = 0; i < count; i++)
    if (arena->pages[first + i] != wanted) return false;
  return true;
}

static void set_pages(struct arena *arena, uint32_t first, uint32_t count, enum page page) {
  for (uint32_t i = 0; i < count; i++) atomic_store_explicit(&arena->pages[first + i], page, memory_order_relaxed);
}

/* Under the lock: the first run of so many free pages, or `arena->count`. */
static uint32_t find_free(struct arena *arena, uint32_t count) {
  while (arena->from < arena->count && arena->pages[arena->from] != FREE) arena->from++;
  uint32_t found = 0;
  for (uint32_t at = arena->from; at < arena->count; at++) {
    found = arena->pages[at] == FREE ? found + 1 : 0;
    if (found == count) return at + 1 - count;
  }
  return arena->count;
}

/* Page of an address that programs pass; `arena->count`: outside. */
static uint32_t page_of(const struct rf_map *map, uint64_t address) {
  const struct arena *arena = map->state;
  uint64_t offset = (uint32_t)(address - map->spec.extra);
  return offset / PAGE_BYTES < arena->count ? (uint32_t)(offset / PAGE_BYTES) : arena->count;
}

/* Zero pages, whoever wrote there while they were nobody's. */
static void clear(struct rf_map *map, uint32_t first, uint32_t count) {
  madvise(map->values + (size_t)first * PAGE_BYTES, (size_t)count * PAGE_BYTES, MADV_DONTNEED);
}

/* Returns the user address of the first page, or 0. */
static RF_HELPER(alloc_pages) {
  struct rf_map *map = rf_pointer(r1);
  struct arena *arena = map->state;
  uint32_t count = (uint32_t)r3, first;
  int32_t node = (int32_t)r4; /* NUMA_NO_NODE, or the one that there is */
  if (r5 != 0 || (node != -1 && node != 0) || count == 0 || count > arena->count || r2 % PAGE_BYTES != 0) return 0;
  rf_lock(&arena->lock);
  first = r2 == 0 ? find_free(arena, count) : page_of(map, r2);
  bool fits = first <= arena->count - count && all_are(arena, first, count, FREE);
  if (fits) {
    clear(map, first, count);
    set_pages(arena, first, count, PRESENT);
  }
  rf_unlock(&arena->lock);
  return fits ? map->spec.extra + (uint64_t)first * PAGE_BYTES : 0;
}

static RF_HELPER(free_pages) {
  struct rf_map *map = rf_pointer(r1);
  struct arena *arena = map->state;
  uint32_t first = page_of(map, r2 & ~(uint64_t)(PAGE_BYTES - 1)), count = (uint32_t)r3;
  if (first == arena->count || count == 0) return 0;
  if (count > arena->count - first) count = arena->count - first;
  rf_lock(&arena->lock);
  set_pages(arena, first, count, FREE);
  clear(map, first, count);
  if (first < arena->from) arena->from = first;
  rf_unlock(&arena->lock);
  return 0;
}

static RF_HELPER(reserve_pages) {
  struct rf_map *map = rf_pointer(r1);
  struct arena *arena = map->state;
  uint32_t first = page_of(map, r2), count = (uint32_t)r3;
  if (count == 0) return 0;
  if (first == arena->count || count > arena->count - first) return rf_int(-EINVAL);
  rf_lock(&arena->lock);
  bool are_free = all_are(arena, first, count, FREE);
  if (are_free) set_pages(arena, first, count, RESERVED);
  rf_unlock(&arena->lock);
  return rf_int(are_free ? 0 : -EBUSY);
}

void *rf_arena_expose(struct rf_map *map, uint64_t offset, uint64_t bytes) {
  struct arena *arena = map->state;
  if (bytes == 0 || offset > map->storage_bytes || bytes > map->storage_bytes - offset) return NULL;
  rf_lock(&arena->lock);
  for (uint64_t page = offset / PAGE_BYTES; page <= (offset + bytes - 1) / PAGE_BYTES; page++) {
    if (arena->pages[page] == PRESENT) continue;
    clear(map, (uint32_t)page, 1);
    set_pages(arena, (uint32_t)page, 1, PRESENT);
  }
  rf_unlock(&arena->lock);
  return map->values + offset;
}

const struct rf_map_kind rf_arena_map = {.type = 33, .create = create, .destroy = destroy};

const struct rf_kfunc rf_arena_kfuncs[] = {{"bpf_arena_alloc_pages", alloc_pages},
                                           {"bpf_arena_free_pages", free_pages},
                                           {"bpf_arena_reserve_pages", reserve_pages},
                                           {NULL, NULL}};
