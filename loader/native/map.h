/*
 * Maps: memory shared by programs, threads and JavaScript. One row of `rf_map_kinds` per map type;
 * error codes are negated errno values, those that the kernel returns in the same situation
 * (kernel/bpf/arraymap.c, hashtab.c, lpm_trie.c, queue_stack_maps.c, ringbuf.c document them).
 *
 * Everything is allocated when a map is created. Elements live in that storage until the map is
 * freed, so a pointer to a value that a program holds stays inside the map whatever others do: it
 * may come to show another element's value, as in the kernel's preallocated maps, and nothing else.
 */
#ifndef RF_MAP_H
#define RF_MAP_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run.h"

/* Flags of update, uapi/linux/bpf.h. */
enum { RF_ANY = 0, RF_NOEXIST = 1, RF_EXIST = 2, RF_LOCK = 4 };
/* Flags of creation, uapi/linux/bpf.h. */
enum {
  RF_F_NO_PREALLOC = 1 << 0,
  RF_F_NO_COMMON_LRU = 1 << 1,
  RF_F_NUMA_NODE = 1 << 2,
  RF_F_RDONLY = 1 << 3,
  RF_F_WRONLY = 1 << 4,
  RF_F_STACK_BUILD_ID = 1 << 5,
  RF_F_ZERO_SEED = 1 << 6,
  RF_F_RDONLY_PROG = 1 << 7,
  RF_F_WRONLY_PROG = 1 << 8,
  RF_F_CLONE = 1 << 9,
  RF_F_MMAPABLE = 1 << 10,
  RF_F_PRESERVE_ELEMS = 1 << 11,
  RF_F_INNER_MAP = 1 << 12,
  RF_F_TOKEN_FD = 1 << 16,
  RF_F_SEGV_ON_FAULT = 1 << 17,
  RF_F_NO_USER_CONV = 1 << 18
};

/* A key on the stack of whoever walks over a map. */
enum { RF_KEY_BYTES_MAX = 512 };

/* Element slots are named by index; this one ends a list. */
enum { RF_NO_ELEMENT = 0xffffffffu };
/* `cpu` of operations that come from JavaScript: values of per-CPU maps cover all slots. */
enum { RF_ALL_CPUS = 0xffffffffu };

/* Parts of a value that are not data: copies leave them alone, helpers alone touch them. The numbers
 * are those of FIELD_KINDS in loader/map-types.ts; as many as the kernel takes (BTF_FIELDS_MAX). */
enum rf_field_kind {
  RF_FIELD_LOCK = 0,
  RF_FIELD_TIMER = 1,
  RF_FIELD_WORK = 2,
  RF_FIELD_RESILIENT_LOCK = 3,
  RF_FIELD_POINTER = 4, /* to an object that the value owns */
  RF_FIELD_LIST = 5,
  RF_FIELD_LIST_NODE = 6,
  RF_FIELD_TREE = 7,
  RF_FIELD_TREE_NODE = 8,
  RF_FIELD_COUNT = 9, /* of references: the head of the object has it */
  RF_FIELD_BORROWED = 10 /* a pointer that owns nothing */
};
enum { RF_FIELDS_MAX = 11 };
struct rf_field {
  uint32_t kind, offset, bytes;
};

struct rf_map_spec {
  uint32_t type; /* enum bpf_map_type */
  uint32_t key_bytes, value_bytes, max_entries, flags;
  uint64_t extra;
  uint64_t seed;
  uint32_t field_count;
  struct rf_field fields[RF_FIELDS_MAX]; /* by offset, not overlapping */
};

struct rf_map;
struct rf_deferred;

struct rf_map_kind {
  uint32_t type;
  bool per_cpu;
  bool holds_objects; /* values are references to maps or programs */
  long (*create)(struct rf_map *map);
  void (*destroy)(struct rf_map *map);
  /* Address of the value, NULL if absent. */
  void *(*lookup)(struct rf_map *map, const void *key, uint32_t cpu);
  long (*update)(struct rf_map *map, const void *key, const void *value, uint64_t flags,
                 uint32_t cpu);
  long (*remove)(struct rf_map *map, const void *key);
  /* First live element at or after `cursor`: its index and where key and value lie; none:
   * RF_NO_ELEMENT. Survives concurrent changes: an element that stays is visited exactly once. */
  uint32_t (*scan)(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value, uint32_t cpu);
  /* The key behind another one; the first one when that is absent or NULL. 0, or -ENOENT. */
  long (*next_key)(struct rf_map *map, const void *key, uint8_t *next);
  /* Writes the key of the element whose value lies at `value`: what callbacks run for it get. */
  void (*key_of)(struct rf_map *map, const void *value, uint8_t *key);
  /* Removes the element and gives its value, in one step. */
  long (*take)(struct rf_map *map, const void *key, void *value);
  long (*push)(struct rf_map *map, const void *value, uint64_t flags);
  long (*pop)(struct rf_map *map, void *value);
  long (*peek)(struct rf_map *map, void *value);
};

struct rf_map {
  _Atomic uint32_t references;
  const struct rf_map_kind *kind;
  struct rf_map_spec spec;
  uint32_t stride;      /* of one value: value size rounded up to 8, times the slots if per-CPU */
  uint32_t cpu_stride;  /* of one per-CPU slot */
  uint32_t key_stride;  /* key size rounded up to 8 */
  uint8_t *values;      /* arrays: value storage, 8-byte aligned at least */
  size_t storage_bytes; /* of the mapping behind `values` */
  const void *readable; /* what programs may read by number: elements, or records */
  size_t readable_bytes;
  void *state;          /* the kind's own */
  bool frozen;
  struct rf_map *inner; /* maps of maps: what an inner map must look like */
  _Atomic uint32_t object_lock;
  _Atomic uint32_t owner_type; /* program arrays: what all programs inside share, 0: none yet */
  _Atomic uint32_t handles;    /* JavaScript objects that name this map */
  bool owns_fields;            /* some field names an object that goes with its element */
  struct rf_deferred *deferred; /* timers and work of its values: map_deferred.c */
  struct rf_deferred *armed;    /* those that wait for their moment, the first one on top */
};

extern const struct rf_map_kind *const rf_map_kinds[];
extern const struct rf_map_kind rf_array, rf_percpu_array, rf_hash, rf_percpu_hash, rf_lru_hash,
    rf_lru_percpu_hash, rf_lpm_trie, rf_queue, rf_stack, rf_ringbuf, rf_prog_array,
    rf_array_of_maps, rf_hash_of_maps, rf_bloom_filter, rf_perf_event_array, rf_devmap,
    rf_devmap_hash, rf_cpumap, rf_xskmap, rf_sockmap, rf_sockhash,
    rf_reuseport_sockarray, rf_cgroup_array, rf_stack_trace, rf_cgroup_storage, rf_percpu_cgroup_storage,
    rf_sk_storage, rf_inode_storage, rf_task_storage, rf_cgrp_storage, rf_user_ringbuf, rf_arena_map;

/* The kernel's own number for what a map or helper does not do; errno(3) has no name for it. */
enum { RF_ENOTSUPP = 524 };

/* 0, or why a map of the kind cannot be made so: -errno. */
long rf_map_check(const struct rf_map_spec *spec, const struct rf_map_kind *kind);
/* NULL: `*error` is -errno. */
struct rf_map *rf_map_create(const struct rf_map_spec *spec, struct rf_map *inner, long *error);
void rf_map_take(struct rf_map *map);
void rf_map_drop(struct rf_map *map);

/* Bytes of one value as JavaScript sees it. */
uint32_t rf_map_outer_value_bytes(const struct rf_map *map);
/* Copies a value in or out; from outside (`RF_ALL_CPUS`) all per-CPU slots. */
void rf_value_read(const struct rf_map *map, void *out, const void *value, uint32_t cpu);
void rf_value_write(const struct rf_map *map, void *value, const void *in, uint32_t cpu);

static inline bool rf_map_has(const struct rf_map *map, enum rf_field_kind kind) {
  for (uint32_t i = 0; i < map->spec.field_count; i++)
    if (map->spec.fields[i].kind == kind) return true;
  return false;
}
/* `next_key` of maps whose keys are the numbers below max_entries, present or not. */
long rf_next_index(struct rf_map *map, const void *key, uint8_t *next);
/* `next_key` by `scan`, given where the key is: RF_NO_ELEMENT if it is absent. */
long rf_next_scanned(struct rf_map *map, uint32_t at, uint8_t *next);
/* The value's spin lock, or NULL. */
_Atomic uint32_t *rf_value_lock(const struct rf_map *map, void *value);
/* The element is no longer the map's: gives back what its fields name, and clears them. */
void rf_value_release(struct rf_map *map, void *value);

/* Puts a stack into a bucket of a stack trace map, for programs: nobody else may. */
long rf_stack_keep(struct rf_map *map, uint32_t bucket, const void *entries);

/* Zeroed pages; NULL: out of memory. */
void *rf_pages(size_t bytes);
/* The same for storage that will be used as a whole: in large pages where it fills some, which saves
 * look-ups of addresses. */
void *rf_large_pages(size_t bytes);
void rf_pages_free(void *pages, size_t bytes);

static inline size_t rf_round8(size_t bytes) { return (bytes + 7) & ~(size_t)7; }

/* Spin locks for sections of a few dozen instructions; the holder may have lost its CPU. */
static inline void rf_lock(_Atomic uint32_t *lock) {
  for (uint32_t spins = 0; atomic_exchange_explicit(lock, 1, memory_order_acquire) != 0; spins++) {
    while (atomic_load_explicit(lock, memory_order_relaxed) != 0)
      if (++spins > 64) sched_yield();
  }
}
static inline void rf_unlock(_Atomic uint32_t *lock) {
  atomic_store_explicit(lock, 0, memory_order_release);
}

#endif
