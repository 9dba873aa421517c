/* Allocation of objects, references to them, and pointers to them in maps; see objects.h. */
#include <errno.h>
#include <string.h>

#include "held.h"
#include "kfuncs.h"
#include "objects.h"
#include "program.h"

static uint64_t make(struct rf_run *run, uint64_t id, enum rf_object_shape shape) {
  struct rf_types *types = run->program->types;
  const struct rf_type *type = rf_type_by_id(types, id);
  void *object = type == NULL ? NULL : rf_object_new(types, type, shape);
  rf_hold(run, object, rf_object_release);
  return (uintptr_t)object;
}

static RF_HELPER(obj_new) { return make(run, r1, RF_ONE); }
static RF_HELPER(percpu_obj_new) { return make(run, r1, RF_ONE_PER_CPU); }

static RF_HELPER(obj_drop) {
  rf_let_go(run, rf_pointer(r1));
  rf_object_drop(rf_pointer(r1), run);
  return 0;
}

static RF_HELPER(refcount_acquire) {
  if (!rf_object_acquire(rf_pointer(r1))) return 0;
  rf_hold(run, rf_pointer(r1), rf_object_release);
  return r1;
}

const struct rf_kfunc rf_object_kfuncs[] = {
    {"bpf_obj_new_impl", obj_new},               {"bpf_obj_drop_impl", obj_drop},
    {"bpf_percpu_obj_new_impl", percpu_obj_new}, {"bpf_percpu_obj_drop_impl", obj_drop},
    {"bpf_refcount_acquire_impl", refcount_acquire}, {NULL, NULL}};

/* The object goes into the field, what was there comes to the program. */
static RF_HELPER(kptr_xchg) {
  uint64_t old = atomic_exchange((_Atomic uint64_t *)rf_pointer(r1), r2);
  if (r2 != 0) rf_let_go(run, rf_pointer(r2));
  rf_hold(run, rf_pointer(old), rf_object_release);
  return old;
}

/* Objects with a part for each processor are all that can get here: variables of a kernel have no
 * address in this process. */
static RF_HELPER(per_cpu_ptr) {
  return (uint32_t)r2 < RF_CPUS ? (uintptr_t)rf_object_of_cpu(rf_pointer(r1), (uint32_t)r2) : 0;
}
static RF_HELPER(this_cpu_ptr) { return (uintptr_t)rf_object_of_cpu(rf_pointer(r1), run->cpu); }

const struct rf_helper rf_object_helpers[] = {
    {153, per_cpu_ptr}, {154, this_cpu_ptr}, {194, kptr_xchg}, {0, NULL}};
