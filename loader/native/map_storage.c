/*
 * Local storage: what programs keep for a socket, task, inode or control group. The host says which
 * object a run is about by a number of its own (struct rf_identities), and that number is the key,
 * for programs and JavaScript alike: a hash map whose keys have 8 bytes, whatever the declared size.
 *
 * The kernel frees an object's storage with the object; here the host deletes the key.
 */
#include <errno.h>
#include <string.h>

#include "map_storage.h"

/* Objects of one map. Pages are touched when an element is first used, so room costs nothing. */
enum { OBJECTS_MAX = 65536, IDENTITY_BYTES = 8 };
/* BPF_LOCAL_STORAGE_MAX_VALUE_SIZE, include/linux/bpf_local_storage.h: an allocation of 64 KiB less the
 * kernel's own record of an element. */
enum { ELEMENT_BYTES_MAX = 65535, RECORD_BYTES = 192, GROUP_BYTES_MAX = 4096 };

static long create_keyed(struct rf_map *map) {
  map->spec.key_bytes = map->key_stride = IDENTITY_BYTES;
  map->spec.max_entries = OBJECTS_MAX;
  map->spec.flags |= RF_F_NO_PREALLOC;
  return rf_hash.create(map);
}

/* Storage of a kernel object: as many elements as there are objects. */
static long create_local(struct rf_map *map) {
  const struct rf_map_spec *spec = &map->spec;
  if (spec->key_bytes != 4 || spec->value_bytes == 0 || spec->max_entries != 0 || !(spec->flags & RF_F_NO_PREALLOC))
    return -EINVAL;
  return spec->value_bytes > ELEMENT_BYTES_MAX - RECORD_BYTES ? -E2BIG : create_keyed(map);
}

/* Storage of control groups, the older kind: a look-up is proven to find a value. When there is no
 * room for a group's own, it is one that all such groups share. */
static long create_group(struct rf_map *map) {
  const struct rf_map_spec *spec = &map->spec;
  if ((spec->key_bytes != 8 && spec->key_bytes != 16) || spec->value_bytes == 0 || spec->max_entries != 0)
    return -EINVAL;
  if (spec->value_bytes > GROUP_BYTES_MAX) return -E2BIG;
  map->storage_bytes = map->stride;
  map->values = rf_pages(map->storage_bytes);
  long error = map->values == NULL ? -ENOMEM : create_keyed(map);
  if (error != 0) rf_pages_free(map->values, map->storage_bytes);
  return error;
}

static void destroy_group(struct rf_map *map) {
  rf_hash.destroy(map);
  rf_pages_free(map->values, map->storage_bytes);
}

void *rf_storage_obtain(struct rf_map *map, uint64_t identity, const void *value, uint32_t cpu) {
  static const uint8_t zeroes[ELEMENT_BYTES_MAX];
  void *found = rf_hash.lookup(map, &identity, cpu);
  if (found != NULL) return found;
  rf_hash.update(map, &identity, value == NULL ? zeroes : value, RF_NOEXIST, cpu);
  return rf_hash.lookup(map, &identity, cpu);
}

void *rf_storage_of_group(struct rf_map *map, uint64_t identity, uint32_t cpu) {
  void *found = rf_storage_obtain(map, identity, NULL, cpu);
  if (found != NULL) return found;
  return map->values + (map->kind->per_cpu ? (size_t)cpu * map->cpu_stride : 0);
}

/* The functions of hash maps ask `map->kind` whether there is a value for each processor. */
static void destroy(struct rf_map *map) { rf_hash.destroy(map); }
static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) { return rf_hash.lookup(map, key, cpu); }
static long remove_element(struct rf_map *map, const void *key) { return rf_hash.remove(map, key); }
static long next_key(struct rf_map *map, const void *key, uint8_t *next) { return rf_hash.next_key(map, key, next); }
static void key_of(struct rf_map *map, const void *value, uint8_t *key) { rf_hash.key_of(map, value, key); }
static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  return rf_hash.update(map, key, value, flags, cpu);
}
static uint32_t scan(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value, uint32_t cpu) {
  return rf_hash.scan(map, cursor, key, value, cpu);
}

/* A group's storage is there from the start and is never taken away; it may be replaced. */
static long update_group(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  if (flags & ~(uint64_t)(RF_LOCK | RF_EXIST)) return -EINVAL;
  uint64_t identity;
  memcpy(&identity, key, sizeof identity);
  if (rf_storage_obtain(map, identity, NULL, cpu == RF_ALL_CPUS ? 0 : cpu) == NULL) return -ENOMEM;
  return rf_hash.update(map, key, value, flags, cpu);
}

static long refuse_remove(struct rf_map *map, const void *key) {
  (void)map, (void)key;
  return -EINVAL;
}

#define STORAGE_OPERATIONS                                                                        \
  .lookup = lookup, .scan = scan, .next_key = next_key, .key_of = key_of
#define LOCAL_OPERATIONS                                                                          \
  STORAGE_OPERATIONS, .create = create_local, .destroy = destroy, .update = update,               \
  .remove = remove_element
#define GROUP_OPERATIONS                                                                          \
  STORAGE_OPERATIONS, .create = create_group, .destroy = destroy_group, .update = update_group,   \
  .remove = refuse_remove

const struct rf_map_kind rf_sk_storage = {.type = 24, LOCAL_OPERATIONS};
const struct rf_map_kind rf_inode_storage = {.type = 28, LOCAL_OPERATIONS};
const struct rf_map_kind rf_task_storage = {.type = 29, LOCAL_OPERATIONS};
const struct rf_map_kind rf_cgrp_storage = {.type = 32, LOCAL_OPERATIONS};
const struct rf_map_kind rf_cgroup_storage = {.type = 19, GROUP_OPERATIONS};
const struct rf_map_kind rf_percpu_cgroup_storage = {.type = 21, .per_cpu = true, GROUP_OPERATIONS};
