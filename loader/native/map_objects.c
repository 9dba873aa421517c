/*
 * Maps whose values are other objects: programs to tail-call, maps to look up in. Only the loader
 * changes them, under one lock per map; programs read them at any time. What is replaced is retired
 * (epoch.h), since a running program may hold it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "epoch.h"
#include "map_deferred.h"
#include "map_objects.h"
#include "program.h"

static void drop_program(void *object) { rf_program_drop(object); }
static void drop_map(void *object) { rf_map_drop(object); }

static bool holds_programs(const struct rf_map *map) { return map->kind == &rf_prog_array; }

static void retire(const struct rf_map *map, void *object) {
  if (object != NULL) rf_retire(object, holds_programs(map) ? drop_program : drop_map);
}

/* Values become one pointer each, whatever the declared size of a descriptor. */
static void widen(struct rf_map *map) {
  map->spec.value_bytes = sizeof(void *);
  map->cpu_stride = map->stride = sizeof(void *);
}

static long create_array(struct rf_map *map) {
  widen(map);
  return rf_array.create(map);
}

static long create_hash(struct rf_map *map) {
  widen(map);
  return rf_hash.create(map);
}

static void *read_slot(void *slot) {
  return slot == NULL ? NULL : atomic_load_explicit((_Atomic(void *) *)slot, memory_order_acquire);
}

/* Programs see the object, the loader (RF_ALL_CPUS) the slot. */
static void *lookup_array(struct rf_map *map, const void *key, uint32_t cpu) {
  void *slot = rf_array.lookup(map, key, cpu);
  return cpu == RF_ALL_CPUS ? slot : read_slot(slot);
}

static void *lookup_hash(struct rf_map *map, const void *key, uint32_t cpu) {
  void *slot = rf_hash.lookup(map, key, cpu);
  return cpu == RF_ALL_CPUS ? slot : read_slot(slot);
}

static long refuse_update(struct rf_map *map, const void *key, const void *value, uint64_t flags,
                          uint32_t cpu) {
  (void)map, (void)key, (void)value, (void)flags, (void)cpu;
  return -EINVAL;
}

static long refuse_remove(struct rf_map *map, const void *key) {
  (void)map, (void)key;
  return -EINVAL;
}

static uint32_t scan_array(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value,
                           uint32_t cpu) {
  for (uint32_t index = cursor; index < map->spec.max_entries; index++) {
    rf_array.scan(map, index, key, value, cpu);
    if (read_slot(*value) != NULL) return index;
  }
  return RF_NO_ELEMENT;
}

static long next_in_hash(struct rf_map *map, const void *key, uint8_t *next) {
  return rf_hash.next_key(map, key, next);
}

static uint32_t scan_hash(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value,
                          uint32_t cpu) {
  return rf_hash.scan(map, cursor, key, value, cpu);
}

static void clear_array(struct rf_map *map) {
  for (uint32_t index = 0; index < map->spec.max_entries; index++) {
    _Atomic(void *) *slot = (_Atomic(void *) *)(map->values + (size_t)index * map->stride);
    retire(map, atomic_exchange(slot, NULL));
  }
}

static void destroy_array(struct rf_map *map) {
  clear_array(map);
  rf_array.destroy(map);
}

static void destroy_hash(struct rf_map *map) {
  uint8_t *key = malloc(map->key_stride);
  void *value;
  uint32_t at = 0;
  while (key != NULL && (at = rf_hash.scan(map, at, key, &value, RF_ALL_CPUS)) != RF_NO_ELEMENT) {
    retire(map, read_slot(value));
    at++;
  }
  free(key);
  rf_hash.destroy(map);
}

/* An inner map must be what the verifier saw: the template. max_entries may differ for all but
 * arrays, whose bound is compiled into the program. */
static bool like_template(const struct rf_map *map, const struct rf_map *inner) {
  const struct rf_map *template = map->inner;
  return template != NULL && inner->kind == template->kind &&
         inner->spec.key_bytes == template->spec.key_bytes &&
         inner->spec.value_bytes == template->spec.value_bytes &&
         inner->spec.flags == template->spec.flags &&
         (inner->kind != &rf_array || inner->spec.max_entries == template->spec.max_entries) &&
         inner->spec.field_count == template->spec.field_count &&
         memcmp(inner->spec.fields, template->spec.fields, sizeof inner->spec.fields) == 0;
}

/* What callers and targets must share: the program type; for `memory` programs, whose type is 0, the
 * size of the buffer too, since each is proven for its own. */
static uint32_t kinship(const struct rf_plan *plan) {
  return plan->kind == RF_CONTEXT_MEMORY ? 0x80000000u | plan->context_bytes : plan->program_type + 1;
}

bool rf_prog_array_accepts(struct rf_map *map, const struct rf_plan *plan) {
  uint32_t type = kinship(plan), owner = 0;
  return atomic_compare_exchange_strong(&map->owner_type, &owner, type) || owner == type;
}

/* Tail calls stay among kin: checked where caller and target enter. */
static bool may_hold(struct rf_map *map, void *object) {
  if (!holds_programs(map)) return like_template(map, object);
  const struct rf_program *program = object;
  return rf_prog_array_accepts(map, &program->plan);
}

void rf_map_forget_objects(struct rf_map *map) {
  if (holds_programs(map)) clear_array(map);
  rf_deferred_free_all(map);
}

static long set_in_array(struct rf_map *map, const void *key, void *object) {
  _Atomic(void *) *slot = rf_array.lookup(map, key, RF_ALL_CPUS);
  if (slot == NULL) return -E2BIG;
  void *old = atomic_exchange(slot, object);
  retire(map, old);
  return object == NULL && old == NULL ? -ENOENT : 0;
}

static long set_in_hash(struct rf_map *map, const void *key, void *object) {
  void *old = read_slot(rf_hash.lookup(map, key, RF_ALL_CPUS));
  long error = object == NULL ? rf_hash.remove(map, key)
                              : rf_hash.update(map, key, &object, RF_ANY, RF_ALL_CPUS);
  if (error == 0) retire(map, old);
  return error;
}

long rf_map_set_object(struct rf_map *map, const void *key, void *object) {
  if (object != NULL && !may_hold(map, object)) return -EINVAL;
  if (object != NULL) {
    if (holds_programs(map)) rf_program_take(object);
    else rf_map_take(object);
  }
  rf_lock(&map->object_lock);
  long error = map->kind == &rf_hash_of_maps ? set_in_hash(map, key, object)
                                             : set_in_array(map, key, object);
  rf_unlock(&map->object_lock);
  if (error != 0 && object != NULL) retire(map, object);
  return error;
}

void rf_map_visit(struct rf_map *map, void (*visit)(struct rf_map *map, void *argument), void *argument) {
  uint8_t key[RF_KEY_BYTES_MAX];
  void *slot;
  visit(map, argument);
  if (!map->kind->holds_objects || holds_programs(map)) return;
  for (uint32_t at = 0; (at = map->kind->scan(map, at, key, &slot, RF_ALL_CPUS)) != RF_NO_ELEMENT; at++) {
    struct rf_map *inner = read_slot(slot);
    if (inner != NULL) visit(inner, argument);
  }
}

const struct rf_map_kind rf_prog_array = {
    .type = 3, .holds_objects = true, .create = create_array, .destroy = destroy_array,
    .lookup = lookup_array, .update = refuse_update, .remove = refuse_remove, .scan = scan_array, .next_key = rf_next_index};
const struct rf_map_kind rf_array_of_maps = {
    .type = 12, .holds_objects = true, .create = create_array, .destroy = destroy_array,
    .lookup = lookup_array, .update = refuse_update, .remove = refuse_remove, .scan = scan_array, .next_key = rf_next_index};
const struct rf_map_kind rf_hash_of_maps = {
    .type = 13, .holds_objects = true, .create = create_hash, .destroy = destroy_hash,
    .lookup = lookup_hash, .update = refuse_update, .remove = refuse_remove, .scan = scan_hash, .next_key = next_in_hash};
