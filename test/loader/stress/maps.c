/*
 * Maps under several threads, for ThreadSanitizer: every operation of every kind at once, for as many
 * seconds as the first argument says. Values carry their key's number in every word, so a reader that
 * finds one checks that it was never given memory that is not a value of that map.
 *
 * What maps promise is less than sequential consistency: values are plain shared memory that programs
 * change at any time, and a reader may compare a key that is just being rewritten. Those accesses are
 * listed in suppressions.txt; everything else must be free of races.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "epoch.h"
#include "kfuncs.h"
#include "map.h"
#include "map_arena.h"
#include "map_deferred.h"
#include "map_objects.h"
#include "map_ringbuf.h"
#include "map_storage.h"
#include "program.h"

enum { THREADS = 4, KEYS = 96, ENTRIES = 64, VALUE_WORDS = 3, RING_BYTES = 4096, PAGES = 32, PAGE_BYTES = 4096 };

/* How the map is used; what has keys takes the operations on elements. */
enum use { ELEMENTS, ENDS, RING, USER_RING, STORAGE, TIMERS, OBJECTS, PAGED };

struct subject {
  const char *name;
  uint32_t type, key_bytes, value_bytes, entries, flags;
  enum use use;
  struct rf_map *map;
};

#define VALUE (VALUE_WORDS * 8)
static struct subject subjects[] = {
    {"hash", 1, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL},
    {"hash without preallocation", 1, 4, VALUE, ENTRIES, RF_F_NO_PREALLOC, ELEMENTS, NULL},
    {"array", 2, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL},
    {"per-CPU hash", 5, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL},
    {"per-CPU array", 6, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL},
    {"stack traces", 7, 4, 8, ENTRIES, 0, ELEMENTS, NULL},
    {"control-group array", 8, 4, 4, ENTRIES, 0, ELEMENTS, NULL},
    {"LRU hash", 9, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL},
    {"per-CPU LRU hash", 10, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL},
    {"trie", 11, 8, VALUE, ENTRIES, RF_F_NO_PREALLOC, ELEMENTS, NULL},
    {"devices", 14, 4, 8, ENTRIES, 0, ELEMENTS, NULL},
    {"sockets", 15, 4, 8, ENTRIES, 0, ELEMENTS, NULL},
    {"processors", 16, 4, 4, ENTRIES, 0, ELEMENTS, NULL},
    {"XDP sockets", 17, 4, 4, ENTRIES, 0, ELEMENTS, NULL},
    {"hash of sockets", 18, 4, 8, ENTRIES, 0, ELEMENTS, NULL},
    {"reuseport sockets", 20, 4, 8, ENTRIES, 0, ELEMENTS, NULL},
    {"hash of devices", 25, 4, 8, ENTRIES, 0, ELEMENTS, NULL},
    {"queue", 22, 0, VALUE, ENTRIES, 0, ENDS, NULL},
    {"stack", 23, 0, VALUE, ENTRIES, 0, ENDS, NULL},
    {"bloom filter", 30, 0, 8, ENTRIES, 0, ENDS, NULL},
    {"ring buffer", 27, 0, 0, RING_BYTES, 0, RING, NULL},
    {"user ring buffer", 31, 0, 0, RING_BYTES, 0, USER_RING, NULL},
    {"perf events", 4, 4, 4, 4, 0, RING, NULL},
    {"socket storage", 24, 4, VALUE, 0, RF_F_NO_PREALLOC, STORAGE, NULL},
    {"inode storage", 28, 4, VALUE, 0, RF_F_NO_PREALLOC, STORAGE, NULL},
    {"task storage", 29, 4, VALUE, 0, RF_F_NO_PREALLOC, STORAGE, NULL},
    {"control-group storage", 32, 4, VALUE, 0, RF_F_NO_PREALLOC, STORAGE, NULL},
    {"older control-group storage", 19, 8, VALUE, 0, 0, STORAGE, NULL},
    {"the same per CPU", 21, 8, VALUE, 0, 0, STORAGE, NULL},
    {"hash of timers", 1, 4, VALUE + 16, ENTRIES, 0, TIMERS, NULL},
    {"array of timers", 2, 4, VALUE + 16, ENTRIES, 0, TIMERS, NULL},
    {"array of maps", 12, 4, 4, ENTRIES, 0, OBJECTS, NULL},
    {"hash of maps", 13, 4, 4, ENTRIES, 0, OBJECTS, NULL},
    {"arena", 33, 0, 0, PAGES, RF_F_MMAPABLE, PAGED, NULL},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

/* What maps of maps lead to, and whose pages the arena's routines use. */
static struct rf_map *inner;
static struct rf_program program;

static struct timespec deadline;
static _Atomic uint64_t operations, wrong;

static bool is_over(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > deadline.tv_sec || (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

static uint32_t next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

/* Words of a value lie below KEYS: anything else was never written by us. */
static void check(const struct subject *subject, const void *value, uint32_t bytes) {
  for (uint32_t at = 0; at + 8 <= bytes; at += 8) {
    uint64_t word = __atomic_load_n((const uint64_t *)((const char *)value + at), __ATOMIC_RELAXED);
    if (word < KEYS) continue;
    atomic_fetch_add(&wrong, 1);
    fprintf(stderr, "%s: foreign value %llx\n", subject->name, (unsigned long long)word);
  }
}

static void use_ring(struct subject *subject, uint32_t chance, uint32_t number) {
  uint64_t out[RING_BYTES / 8];
  struct rf_map *map = rf_samples_of(subject->map);
  if (chance % 3 == 0) {
    uint32_t length = rf_ringbuf_consume(map, (uint8_t *)out, sizeof out);
    if (length != RF_NO_ELEMENT) check(subject, out, length < sizeof out ? length : sizeof out);
    return;
  }
  uint64_t *record = rf_ringbuf_reserve(map, 8 * (1 + number % 5));
  if (record == NULL) return;
  for (uint32_t i = 0; i <= number % 5; i++) record[i] = number;
  rf_ringbuf_finish(record, chance % 7 == 0);
}

static bool see(void *record, uint32_t bytes, void *subject) {
  check(subject, record, bytes);
  return *(const uint64_t *)record % 5 != 0;
}

static void use_user_ring(struct subject *subject, uint32_t chance, uint32_t number) {
  uint64_t record[5] = {number, number, number, number, number};
  if (chance % 3 == 0) rf_user_ringbuf_drain(subject->map, see, subject);
  else rf_ringbuf_output(subject->map, record, 8 * (1 + number % 5));
}

static void use_storage(struct subject *subject, uint32_t chance, uint32_t number, uint32_t cpu) {
  struct rf_map *map = subject->map;
  uint64_t value[VALUE_WORDS] = {number, number, number}, key = number;
  void *found = NULL;
  switch (chance % 4) {
    case 0: map->kind->remove(map, &key); break;
    case 1: map->kind->update(map, &key, value, RF_ANY, cpu); break;
    default: found = rf_storage_obtain(map, number, chance % 3 == 0 ? value : NULL, cpu);
  }
  if (found != NULL) check(subject, found, VALUE);
}

/* A timer's callback: its value is one of the map, whatever became of its element. */
static uint64_t fired(uint64_t map, uint64_t key, uint64_t value, uint64_t r4, uint64_t r5, struct rf_run *run) {
  static const struct subject any = {.name = "timer"};
  (void)map, (void)key, (void)r4, (void)r5;
  check(&any, (const void *)value, VALUE);
  void *field = (uint8_t *)value + VALUE;
  if (*(const uint64_t *)value % 3 == 0) rf_deferred_start(field, 5, 0, run);
  if (*(const uint64_t *)value % 7 == 0) rf_deferred_cancel(field, run);
  return 0;
}

static void use_timers(struct subject *subject, uint32_t chance, uint32_t number, struct rf_run *run) {
  struct rf_map *map = subject->map;
  uint64_t value[VALUE_WORDS + 2] = {number, number, number};
  uint8_t *at = map->kind->lookup(map, &number, run->cpu);
  uint8_t *field = at == NULL ? NULL : at + VALUE;
  if (chance % 8 == 0) map->kind->update(map, &number, value, RF_ANY, run->cpu);
  else if (chance % 16 == 1) map->kind->remove(map, &number);
  else if (chance % 4 == 1) rf_deferred_run(map, chance, run);
  else if (field == NULL) return;
  else if (chance % 4 == 2) rf_deferred_init(map, field, RF_FIELD_TIMER, CLOCK_MONOTONIC);
  else if (chance % 4 == 3) rf_deferred_set_callback(field, fired, run);
  else if (chance % 3 == 0) rf_deferred_cancel(field, run);
  else rf_deferred_start(field, chance % 1000, 0, run);
}

static void use_objects(struct subject *subject, uint32_t chance, uint32_t number, uint32_t cpu) {
  struct rf_map *map = subject->map, *found;
  uint32_t key = number % ENTRIES;
  if (chance % 4 == 0) rf_map_set_object(map, &key, inner);
  else if (chance % 8 == 1) rf_map_set_object(map, &key, NULL);
  else if ((found = map->kind->lookup(map, &key, cpu)) != NULL)
    check(subject, found->kind->lookup(found, &key, cpu), VALUE);
}

/* Words of the arena: what threads store there, or the zero of a page that is not there. */
static void use_arena(uint32_t chance, uint32_t number, struct rf_run *run) {
  static const struct subject arena = {.name = "arena"};
  struct rf_map *map = program.arena_map;
  uint64_t start = map->spec.extra, page = start + (uint64_t)(number % PAGES) * PAGE_BYTES;
  uint64_t address = (uint32_t)page + chance % PAGE_BYTES / 8 * 8, word = number;
  switch (chance % 16) {
    case 0: rf_arena_kfuncs[0].function((uintptr_t)map, chance % 3 == 0 ? page : 0, 1 + chance % 3, (uint64_t)-1, 0, run); break;
    case 1: rf_arena_kfuncs[1].function((uintptr_t)map, page, 1 + chance % 3, 0, 0, run); break;
    case 2: rf_arena_kfuncs[2].function((uintptr_t)map, page, 1, 0, 0, run); break;
    case 3: rf_arena_expose(map, page - start, 8); break;
    case 4: case 5: case 6: rf_arena_store(address, 8, number, 0, 0, run); break;
    case 7: case 8: word = rf_arena_atomic(address, 8 | 4 << 8, number, 0, 0, run); break;
    default: word = rf_arena_load(address, 8, 0, 0, 0, run);
  }
  check(&arena, &word, sizeof word);
}

static void use_keys(struct subject *subject, uint32_t chance, uint32_t number, uint32_t cpu) {
  struct rf_map *map = subject->map;
  uint32_t key[2] = {subject->type == 11 ? 32 : number, number};
  uint64_t value[VALUE_WORDS] = {number, number, number};
  uint8_t found[RF_CPUS * VALUE + 512];
  void *at = NULL;
  uint8_t next[512];
  switch (chance % 10) {
    case 8:
      if (map->kind->take != NULL && map->kind->take(map, key, found) == 0) check(subject, found, subject->value_bytes);
      break;
    case 9:
      for (uint32_t i = 0; i < 8; i++) {
        if (map->kind->next_key == NULL || map->kind->next_key(map, i == 0 ? NULL : next, found) != 0) break;
        memcpy(next, found, subject->key_bytes);
      }
      break;
    case 0: case 1: case 2: map->kind->update(map, key, value, chance % 5 == 0 ? RF_NOEXIST : RF_ANY, cpu); break;
    case 3: map->kind->remove(map, key); break;
    case 4:
      for (uint32_t i = 0, from = 0; i < 8; i++, from++)
        if ((from = map->kind->scan(map, from, found, &at, cpu)) == RF_NO_ELEMENT) break;
      break;
    default:
      at = map->kind->lookup(map, key, cpu);
      if (at != NULL) check(subject, at, subject->value_bytes);
  }
}

static void use_ends(struct subject *subject, uint32_t chance, uint32_t number) {
  struct rf_map *map = subject->map;
  uint64_t value[VALUE_WORDS] = {number, number, number};
  if (chance % 2 == 0 || map->kind->pop == NULL) map->kind->push(map, value, 0);
  else if ((chance % 3 == 0 ? map->kind->peek : map->kind->pop)(map, value) == 0)
    check(subject, value, subject->value_bytes);
  if (map->kind->pop == NULL) map->kind->peek(map, value);
}

static void release(void *object) { free(object); }

static void *work(void *argument) {
  uint64_t state = (uintptr_t)argument + 1;
  struct rf_thread *thread = rf_thread_join();
  struct rf_environment environment = {.flags = RF_FIXED_TIME};
  struct rf_run run = {.thread = thread, .environment = &environment, .program = &program, .cpu = thread->number % RF_CPUS};
  for (uint64_t round = 1; !is_over(); round++) {
    rf_epoch_enter(thread);
    for (uint32_t i = 0; i < 200; i++) {
      struct subject *subject = &subjects[next(&state) % SUBJECTS];
      uint32_t chance = next(&state), number = next(&state) % KEYS;
      switch (subject->use) {
        case ELEMENTS: use_keys(subject, chance, number, run.cpu); break;
        case ENDS: use_ends(subject, chance, number); break;
        case RING: use_ring(subject, chance, number); break;
        case USER_RING: use_user_ring(subject, chance, number); break;
        case STORAGE: use_storage(subject, chance, number, run.cpu); break;
        case TIMERS: use_timers(subject, chance, number, &run); break;
        case OBJECTS: use_objects(subject, chance, number, run.cpu); break;
        case PAGED: use_arena(chance, number, &run); break;
      }
    }
    rf_epoch_exit(thread);
    rf_retire(malloc(16), release);
    atomic_fetch_add(&operations, 200);
  }
  rf_thread_leave(thread);
  return NULL;
}

static struct rf_map *make(const struct subject *subject) {
  struct rf_map_spec spec = {.type = subject->type, .key_bytes = subject->key_bytes,
                             .value_bytes = subject->value_bytes, .max_entries = subject->entries,
                             .flags = subject->flags, .seed = 1,
                             .extra = subject->use == PAGED ? 0x100000010000 : 0};
  if (subject->use == TIMERS) {
    spec.field_count = 1;
    spec.fields[0] = (struct rf_field){RF_FIELD_TIMER, VALUE, 16};
  }
  long error;
  struct rf_map *map = rf_map_create(&spec, subject->use == OBJECTS ? inner : NULL, &error);
  if (map == NULL) fprintf(stderr, "%s: cannot be made (%ld)\n", subject->name, error);
  else atomic_store(&map->handles, 1);
  return map;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  pthread_t threads[THREADS];
  /* Nobody frees it: the references that timers take never are the last one. */
  atomic_init(&program.references, 1);
  if ((inner = make(&(struct subject){"inner", 2, 4, VALUE, ENTRIES, 0, ELEMENTS, NULL})) == NULL) return 1;
  for (uint32_t i = 0; i < SUBJECTS; i++)
    if ((subjects[i].map = make(&subjects[i])) == NULL) return 1;
  program.arena_map = subjects[SUBJECTS - 1].map;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += (time_t)seconds;
  deadline.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (uint32_t i = 0; i < SUBJECTS; i++) rf_map_drop(subjects[i].map);
  rf_map_drop(inner);
  printf("%llu operations, %llu wrong\n", (unsigned long long)operations, (unsigned long long)wrong);
  return wrong == 0 ? 0 : 1;
}
