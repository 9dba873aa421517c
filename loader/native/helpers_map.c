/* Helpers on maps, ring buffers, callbacks and tail calls. Arguments have been proven; what remains
 * here is what depends on the moment: presence, room, flags. */
#include <errno.h>
#include <string.h>

#include "held.h"
#include "helpers.h"
#include "map_objects.h"
#include "map_ringbuf.h"
#include "program.h"

static RF_HELPER(map_lookup_elem) {
  struct rf_map *map = rf_pointer(r1);
  if (map->kind->lookup == NULL) return 0;
  return (uintptr_t)map->kind->lookup(map, rf_pointer(r2), run->cpu);
}

static RF_HELPER(map_update_elem) {
  struct rf_map *map = rf_pointer(r1);
  if (map->kind->update == NULL || (map->spec.flags & RF_F_RDONLY_PROG)) return (uint64_t)-EPERM;
  return (uint64_t)map->kind->update(map, rf_pointer(r2), rf_pointer(r3), r4, run->cpu);
}

static RF_HELPER(map_delete_elem) {
  struct rf_map *map = rf_pointer(r1);
  if (map->kind->remove == NULL || (map->spec.flags & RF_F_RDONLY_PROG)) return (uint64_t)-EPERM;
  return (uint64_t)map->kind->remove(map, rf_pointer(r2));
}

static RF_HELPER(map_push_elem) {
  struct rf_map *map = rf_pointer(r1);
  return map->kind->push == NULL ? (uint64_t)-EOPNOTSUPP
                                 : (uint64_t)map->kind->push(map, rf_pointer(r2), r3);
}

static RF_HELPER(map_pop_elem) {
  struct rf_map *map = rf_pointer(r1);
  return map->kind->pop == NULL ? (uint64_t)-EOPNOTSUPP
                                : (uint64_t)map->kind->pop(map, rf_pointer(r2));
}

static RF_HELPER(map_peek_elem) {
  struct rf_map *map = rf_pointer(r1);
  return map->kind->peek == NULL ? (uint64_t)-EOPNOTSUPP
                                 : (uint64_t)map->kind->peek(map, rf_pointer(r2));
}

static RF_HELPER(map_lookup_percpu_elem) {
  struct rf_map *map = rf_pointer(r1);
  uint32_t cpu = (uint32_t)r3;
  if (cpu >= RF_CPUS || !map->kind->per_cpu) return 0;
  return (uintptr_t)map->kind->lookup(map, rf_pointer(r2), cpu);
}

/* The callback sees (map, key, value, context); a result other than 0 ends the walk. */
static RF_HELPER(for_each_map_elem) {
  struct rf_map *map = rf_pointer(r1);
  rf_function callback = (rf_function)(uintptr_t)r2;
  uint8_t key[512];
  void *value;
  uint64_t visited = 0;
  if (r4 != 0 || map->kind->scan == NULL) return (uint64_t)-EINVAL;
  for (uint32_t at = 0;; at++) {
    at = map->kind->scan(map, at, key, &value, run->cpu);
    if (at == RF_NO_ELEMENT) return visited;
    visited++;
    if (callback(r1, (uintptr_t)key, (uintptr_t)value, r3, 0, run) != 0) return visited;
  }
}

/* BPF_MAX_LOOPS, include/linux/bpf.h. */
enum { LOOPS_MAX = 8 * 1024 * 1024 };

static RF_HELPER(loop) {
  uint32_t count = (uint32_t)r1;
  rf_function callback = (rf_function)(uintptr_t)r2;
  if (r4 != 0) return (uint64_t)-EINVAL;
  if (count > LOOPS_MAX) return (uint64_t)-E2BIG;
  for (uint32_t i = 0; i < count; i++)
    if (callback(i, r3, 0, 0, 0, run) != 0) return i + 1;
  return count;
}

static void release_lock(void *lock) { rf_unlock(lock); }

static RF_HELPER(spin_lock) {
  rf_lock(rf_pointer(r1));
  rf_hold(run, rf_pointer(r1), release_lock);
  return 0;
}

static RF_HELPER(spin_unlock) {
  rf_let_go(run, rf_pointer(r1));
  rf_unlock(rf_pointer(r1));
  return 0;
}

static RF_HELPER(ringbuf_output) {
  return (uint64_t)rf_ringbuf_output(rf_pointer(r1), rf_pointer(r2), r3);
}

static RF_HELPER(ringbuf_reserve) {
  if (r3 != 0) return 0;
  void *record = rf_ringbuf_reserve(rf_pointer(r1), r2);
  rf_hold(run, record, rf_ringbuf_discard);
  return (uintptr_t)record;
}

static RF_HELPER(ringbuf_submit) {
  rf_let_go(run, rf_pointer(r1));
  rf_ringbuf_finish(rf_pointer(r1), 0);
  return 0;
}

static RF_HELPER(ringbuf_discard) {
  rf_let_go(run, rf_pointer(r1));
  rf_ringbuf_finish(rf_pointer(r1), 1);
  return 0;
}

static RF_HELPER(ringbuf_query) { return rf_ringbuf_query(rf_pointer(r1), r2); }

/*
 * Runs the target as a call. The caller's generated code returns right after, so a chain of tail
 * calls nests at most RF_TAIL_CALLS_MAX frames: bounded stack, and no knowledge of frames here. The
 * target is held by the epoch that this run announced. Code that does not count would escape a metered
 * run's limit, so such a run ends instead.
 */
RF_HELPER(rf_tail_call) {
  struct rf_map *map = rf_pointer(r2);
  uint32_t index = (uint32_t)r3;
  struct rf_program *target = map->kind->lookup(map, &index, run->cpu);
  if (target == NULL || run->tail_calls >= RF_TAIL_CALLS_MAX) return 0;
  if (run->held != NULL && !target->plan.metered) {
    run->left_meter = true;
    run->meter = -1;
    return 1;
  }
  run->tail_calls++;
  run->program = target;
  /* `memory` programs expect their size in r2; the array holds programs of one size only. */
  uint64_t bytes = run->plan->kind == RF_CONTEXT_MEMORY ? run->plan->context_bytes : 0;
  run->tail_result = rf_enter(target, r1, bytes, run);
  return 1;
}

const struct rf_helper rf_map_helpers[] = {
    {1, map_lookup_elem},   {2, map_update_elem},  {3, map_delete_elem},
    {12, rf_tail_call},     {87, map_push_elem},   {88, map_pop_elem},
    {89, map_peek_elem},    {93, spin_lock},       {94, spin_unlock},
    {130, ringbuf_output},  {131, ringbuf_reserve}, {132, ringbuf_submit},
    {133, ringbuf_discard}, {134, ringbuf_query},  {164, for_each_map_elem},
    {181, loop},            {195, map_lookup_percpu_elem}, {0, NULL}};
