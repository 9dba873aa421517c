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
#include "map.h"
#include "map_ringbuf.h"

enum { THREADS = 4, KEYS = 96, ENTRIES = 64, VALUE_WORDS = 3, RING_BYTES = 4096 };

struct subject {
  const char *name;
  uint32_t type, key_bytes, value_bytes, entries, flags;
  struct rf_map *map;
};

static struct subject subjects[] = {
    {"hash", 1, 4, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"array", 2, 4, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"percpu hash", 5, 4, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"percpu array", 6, 4, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"lru hash", 9, 4, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"lpm trie", 11, 8, VALUE_WORDS * 8, ENTRIES, RF_F_NO_PREALLOC, NULL},
    {"devmap", 14, 4, 8, ENTRIES, 0, NULL},
    {"queue", 22, 0, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"stack", 23, 0, VALUE_WORDS * 8, ENTRIES, 0, NULL},
    {"ring buffer", 27, 0, 0, RING_BYTES, 0, NULL},
    {"bloom filter", 30, 0, 8, ENTRIES, 0, NULL},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

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
  if (chance % 3 == 0) {
    uint32_t length = rf_ringbuf_consume(subject->map, (uint8_t *)out, sizeof out);
    if (length != RF_NO_ELEMENT) check(subject, out, length);
    return;
  }
  uint64_t *record = rf_ringbuf_reserve(subject->map, 8 * (1 + number % 5));
  if (record == NULL) return;
  for (uint32_t i = 0; i <= number % 5; i++) record[i] = number;
  rf_ringbuf_finish(record, chance % 7 == 0);
}

static void use_keys(struct subject *subject, uint32_t chance, uint32_t number, uint32_t cpu) {
  struct rf_map *map = subject->map;
  uint32_t key[2] = {subject->type == 11 ? 32 : number, number};
  uint64_t value[VALUE_WORDS] = {number, number, number};
  uint8_t found[512];
  void *at = NULL;
  switch (chance % 8) {
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
  for (uint64_t round = 1; !is_over(); round++) {
    rf_epoch_enter(thread);
    for (uint32_t i = 0; i < 200; i++) {
      struct subject *subject = &subjects[next(&state) % SUBJECTS];
      uint32_t chance = next(&state), number = next(&state) % KEYS;
      if (subject->type == 27) use_ring(subject, chance, number);
      else if (subject->key_bytes == 0) use_ends(subject, chance, number);
      else use_keys(subject, chance, number, thread->number % RF_CPUS);
    }
    rf_epoch_exit(thread);
    rf_retire(malloc(16), release);
    atomic_fetch_add(&operations, 200);
  }
  rf_thread_leave(thread);
  return NULL;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  pthread_t threads[THREADS];
  for (uint32_t i = 0; i < SUBJECTS; i++) {
    struct subject *subject = &subjects[i];
    const struct rf_map_spec spec = {.type = subject->type, .key_bytes = subject->key_bytes,
                                     .value_bytes = subject->value_bytes, .max_entries = subject->entries,
                                     .flags = subject->flags, .seed = 1};
    long error;
    if ((subject->map = rf_map_create(&spec, NULL, &error)) != NULL) continue;
    fprintf(stderr, "%s: cannot be made (%ld)\n", subject->name, error);
    return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += (time_t)seconds;
  deadline.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (uint32_t i = 0; i < SUBJECTS; i++) rf_map_drop(subjects[i].map);
  printf("%llu operations, %llu wrong\n", (unsigned long long)operations, (unsigned long long)wrong);
  return wrong == 0 ? 0 : 1;
}
