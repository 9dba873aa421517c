/*
 * Programs, counted by who refers to them, and extensions: programs that can be replaced, and found by
 * other threads under a number.
 */
#include <pthread.h>
#include <stdlib.h>

#include "instance.h"
#include "objects.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rf_extension *registry;
static uint64_t last_id;

void rf_program_take(struct rf_program *program) { atomic_fetch_add(&program->references, 1); }

void rf_program_drop(struct rf_program *program) {
  if (atomic_fetch_sub(&program->references, 1) != 1) return;
  for (uint32_t i = 0; i < program->map_count; i++) rf_map_drop(program->maps[i]);
  if (program->arena != NULL) rf_arena_drop(program->arena);
  free(program->maps);
  free(program->hosted);
  rf_types_drop(program->types);
  free(program);
}

static void drop_program(void *program) { rf_program_drop(program); }

struct rf_extension *rf_extension_create(struct rf_program *program) {
  struct rf_extension *extension = calloc(1, sizeof *extension);
  if (extension == NULL) return NULL;
  rf_program_take(program);
  atomic_init(&extension->references, 1);
  atomic_init(&extension->program, program);
  pthread_mutex_lock(&registry_lock);
  extension->id = ++last_id;
  extension->next = registry;
  registry = extension;
  pthread_mutex_unlock(&registry_lock);
  return extension;
}

struct rf_extension *rf_extension_find(uint64_t id) {
  pthread_mutex_lock(&registry_lock);
  struct rf_extension *extension = registry;
  while (extension != NULL && extension->id != id) extension = extension->next;
  if (extension != NULL) atomic_fetch_add(&extension->references, 1);
  pthread_mutex_unlock(&registry_lock);
  return extension;
}

/* The last reference is given up under the registry's lock, so that it cannot be found again. */
void rf_extension_drop(struct rf_extension *extension) {
  pthread_mutex_lock(&registry_lock);
  bool last = atomic_fetch_sub(&extension->references, 1) == 1;
  if (last) {
    struct rf_extension **link = &registry;
    while (*link != extension) link = &(*link)->next;
    *link = extension->next;
  }
  pthread_mutex_unlock(&registry_lock);
  if (!last) return;
  rf_retire(atomic_load(&extension->program), drop_program);
  free(extension);
}

static bool same_plan(const struct rf_plan *a, const struct rf_plan *b) {
  return a->kind == b->kind && a->context_bytes == b->context_bytes && a->data_slot == b->data_slot &&
         a->end_slot == b->end_slot && a->meta_slot == b->meta_slot && a->link_layer == b->link_layer &&
         a->socket_slots == b->socket_slots && a->program_type == b->program_type &&
         a->return_bits == b->return_bits && a->metered == b->metered;
}

bool rf_extension_replace(struct rf_extension *extension, struct rf_program *program) {
  if (!same_plan(&atomic_load(&extension->program)->plan, &program->plan)) return false;
  rf_program_take(program);
  rf_retire(atomic_exchange(&extension->program, program), drop_program);
  return true;
}
