/*
 * Objects that programs allocate (bpf_obj_new and the like) and hand to each other through lists,
 * trees and pointers in maps. The verifier proves who owns an object; what is proven here is how long
 * its memory lasts.
 *
 * A dropped object gives up what its fields own at once. Its memory is used again when no thread can
 * hold a pointer to it any more: a proof allows a program to look at an object that it took from a map
 * without owning it, until the end of its RCU section, and a run is such a section (epoch.h).
 */
#ifndef RF_OBJECTS_H
#define RF_OBJECTS_H

#include "map.h"
#include "run.h"

/* A structure of a program's BTF. */
struct rf_type {
  uint32_t id, bytes, field_count;
  struct rf_field fields[RF_FIELDS_MAX];
};

/* Those of one program, by id. They live as long as the program or an object of theirs. */
struct rf_types {
  _Atomic uint32_t references;
  uint32_t count;
  struct rf_type types[];
};
void rf_types_drop(struct rf_types *types);

enum rf_object_shape { RF_ONE = 0, RF_ONE_PER_CPU = 1 };

/* Zeroed, its nodes in no list; NULL: no memory, or too much of it is in use. */
void *rf_object_new(struct rf_types *types, const struct rf_type *type, enum rf_object_shape shape);
const struct rf_type *rf_type_by_id(const struct rf_types *types, uint64_t id);

/* One more reference; false: the last one is gone. */
bool rf_object_acquire(void *object);
/* Gives up a reference; in a run the memory waits for its end. */
void rf_object_drop(void *object, struct rf_run *run);
/* Outside of runs. */
void rf_object_release(void *object);
/* To be called at the end of a run when so many were dropped, and when there will be no other: whatever
 * waits costs memory, and telling that nobody holds it costs a system call. */
enum { RF_DROPPED_MAX = 256 };
void rf_objects_collect(struct rf_run *run);

/* The part of an object of which every processor has its own. */
void *rf_object_of_cpu(void *object, uint32_t cpu);

/* Drops what the special fields of a value or object own, and leaves them empty. */
void rf_fields_clear(const struct rf_field *fields, uint32_t count, void *value);

/* Whether [address, address + bytes) lies in a live object. */
bool rf_in_object(const struct rf_types *types, uint64_t address, uint64_t bytes);

#endif
