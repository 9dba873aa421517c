/*
 * Sets of processors (Documentation/bpf/cpumasks.rst) as small objects. There are as many processors as
 * per-CPU maps have slots; numbers beyond are in no set.
 */
#include <errno.h>

#include "held.h"
#include "kfuncs.h"
#include "objects.h"

/* What a program sees of struct bpf_cpumask is opaque: the words of the mask come first. The kernel's is
 * as long as its largest number of processors (8,192 and a count: 1,032 bytes); reads beyond our one word find zeroes. */
enum { MASK_BYTES = 2048 };
static const uint64_t ALL = ((uint64_t)1 << RF_CPUS) - 1;

static struct rf_types mask_types = {.references = 1};

static RF_HELPER(create) {
  static const struct rf_type mask = {.bytes = MASK_BYTES};
  void *object = rf_object_new(&mask_types, &mask, RF_ONE);
  rf_hold(run, object, rf_object_release);
  return (uintptr_t)object;
}

static RF_HELPER(acquire) {
  rf_object_acquire(rf_pointer(r1));
  rf_hold(run, rf_pointer(r1), rf_object_release);
  return r1;
}

static RF_HELPER(release) {
  rf_let_go(run, rf_pointer(r1));
  rf_object_drop(rf_pointer(r1), run);
  return 0;
}

static _Atomic uint64_t *word_of(uint64_t mask) { return rf_pointer(mask); }
static uint64_t bits_of(uint64_t mask) { return atomic_load(word_of(mask)) & ALL; }
static uint64_t bit_of(uint64_t cpu) { return (uint32_t)cpu < RF_CPUS ? (uint64_t)1 << (uint32_t)cpu : 0; }
/* The lowest member, or the number of processors. */
static uint64_t first_of(uint64_t bits) { return bits == 0 ? RF_CPUS : (uint64_t)__builtin_ctzll(bits); }

static RF_HELPER(first) { return first_of(bits_of(r1)); }
static RF_HELPER(first_zero) { return first_of(~bits_of(r1) & ALL); }
static RF_HELPER(first_and) { return first_of(bits_of(r1) & bits_of(r2)); }
static RF_HELPER(weight) { return (uint64_t)__builtin_popcountll(bits_of(r1)); }
static RF_HELPER(empty) { return bits_of(r1) == 0; }
static RF_HELPER(full) { return bits_of(r1) == ALL; }
static RF_HELPER(equal) { return bits_of(r1) == bits_of(r2); }
static RF_HELPER(intersects) { return (bits_of(r1) & bits_of(r2)) != 0; }
static RF_HELPER(subset) { return (bits_of(r1) & ~bits_of(r2)) == 0; }
static RF_HELPER(test_cpu) { return (bits_of(r2) & bit_of(r1)) != 0; }

static RF_HELPER(set_cpu) {
  atomic_fetch_or(word_of(r2), bit_of(r1));
  return 0;
}
static RF_HELPER(clear_cpu) {
  atomic_fetch_and(word_of(r2), ~bit_of(r1));
  return 0;
}
static RF_HELPER(test_and_set_cpu) { return (atomic_fetch_or(word_of(r2), bit_of(r1)) & bit_of(r1)) != 0; }
static RF_HELPER(test_and_clear_cpu) { return (atomic_fetch_and(word_of(r2), ~bit_of(r1)) & bit_of(r1)) != 0; }

static uint64_t become(uint64_t mask, uint64_t bits) {
  atomic_store(word_of(mask), bits);
  return bits != 0;
}
static RF_HELPER(setall) { return become(r1, ALL); }
static RF_HELPER(clear) { return become(r1, 0); }
static RF_HELPER(and_kfunc) { return become(r1, bits_of(r2) & bits_of(r3)); }
static RF_HELPER(or_kfunc) { return become(r1, bits_of(r2) | bits_of(r3)); }
static RF_HELPER(xor_kfunc) { return become(r1, bits_of(r2) ^ bits_of(r3)); }
static RF_HELPER(copy) { return become(r1, bits_of(r2)); }

/* From words of memory, of which there must be enough for all processors. */
static RF_HELPER(populate) {
  if (r3 < sizeof(uint64_t)) return rf_int(-EACCES);
  if (r2 % sizeof(uint64_t) != 0) return rf_int(-EINVAL);
  become(r1, *(const uint64_t *)rf_pointer(r2) & ALL);
  return 0;
}

const struct rf_kfunc rf_cpumask_kfuncs[] = {
    {"bpf_cpumask_create", create},           {"bpf_cpumask_acquire", acquire},
    {"bpf_cpumask_release", release},         {"bpf_cpumask_first", first},
    {"bpf_cpumask_first_zero", first_zero},   {"bpf_cpumask_any_distribute", first},
    {"bpf_cpumask_weight", weight},           {"bpf_cpumask_first_and", first_and},
    {"bpf_cpumask_any_and_distribute", first_and}, {"bpf_cpumask_empty", empty},
    {"bpf_cpumask_full", full},               {"bpf_cpumask_equal", equal},
    {"bpf_cpumask_intersects", intersects},   {"bpf_cpumask_subset", subset},
    {"bpf_cpumask_test_cpu", test_cpu},       {"bpf_cpumask_set_cpu", set_cpu},
    {"bpf_cpumask_clear_cpu", clear_cpu},     {"bpf_cpumask_test_and_set_cpu", test_and_set_cpu},
    {"bpf_cpumask_test_and_clear_cpu", test_and_clear_cpu}, {"bpf_cpumask_setall", setall},
    {"bpf_cpumask_clear", clear},             {"bpf_cpumask_and", and_kfunc},
    {"bpf_cpumask_or", or_kfunc},             {"bpf_cpumask_xor", xor_kfunc},
    {"bpf_cpumask_copy", copy},               {"bpf_cpumask_populate", populate},
    {NULL, NULL}};
