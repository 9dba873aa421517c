/*
 * Timers and work queues: a program leaves a callback with an element of a map, to be run at some
 * moment (bpf_timer) or soon (bpf_wq). In the kernel interrupts and threads run them; here whoever owns
 * an extension lets its time go on (rf_instance_advance), on the thread that he does it on, in order
 * of their moments, equal ones in the order in which they were started. So a run with a fixed clock
 * can be repeated.
 *
 * The field in the value holds the address of a `struct rf_deferred`, which belongs to the map: all of
 * a map's are in one list, and those that are armed also in a heap. One lock guards them all, because
 * a helper gets the field and not its map; it is held for some dozens of instructions. No copy
 * of a value ever contains the address (rf_value_read, rf_value_write), so what a field holds was
 * put there by `rf_deferred_init` and is taken away when the element goes. A stale pointer to an element
 * that went can at worst start a new timer in it, which lasts until the element goes again.
 *
 * A callback that is under way when its timer is freed runs to its end: its memory is the map's, and
 * the record is freed by who runs it. The program that holds the callback is kept by reference; a
 * thread that is inside a program has announced its epoch, so a reference given up here is not the
 * last one of a program that anybody runs.
 */
#define _GNU_SOURCE
#include "map_deferred.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "epoch.h"
#include "program.h"

/* Flags of bpf_timer_start, uapi/linux/bpf.h. */
enum { TIMER_ABSOLUTE = 1, TIMER_THIS_CPU = 2 };

struct rf_deferred {
  struct rf_map *map;
  uint8_t *value, *field; /* `field` NULL: it is gone */
  enum rf_field_kind kind;
  clockid_t clock;
  struct rf_program *program; /* with `callback`; NULL: none was set */
  rf_function callback;
  struct rf_deferred *next, **link; /* the map's list */
  bool armed;
  uint64_t due, turn;
  /* Pairing heap: first child, next sibling, and the link that leads here. */
  struct rf_deferred *child, *sibling, **from;
  struct rf_thread *running; /* in its callback; NULL: nobody */
};

static _Atomic uint32_t lock;
static uint64_t turns;

static bool is_before(const struct rf_deferred *a, const struct rf_deferred *b) {
  return a->due != b->due ? a->due < b->due : a->turn < b->turn;
}

static struct rf_deferred *merge(struct rf_deferred *a, struct rf_deferred *b) {
  if (a == NULL || b == NULL) return a == NULL ? b : a;
  if (is_before(b, a)) {
    struct rf_deferred *later = a;
    a = b, b = later;
  }
  b->sibling = a->child;
  if (b->sibling != NULL) b->sibling->from = &b->sibling;
  a->child = b;
  b->from = &a->child;
  a->sibling = NULL;
  return a;
}

/* Children in pairs, then the pairs from the last to the first: amortised logarithmic. */
static struct rf_deferred *merge_all(struct rf_deferred *first) {
  struct rf_deferred *pairs = NULL, *all = NULL;
  while (first != NULL) {
    struct rf_deferred *second = first->sibling, *rest = second == NULL ? NULL : second->sibling;
    first->sibling = NULL;
    if (second != NULL) second->sibling = NULL;
    struct rf_deferred *pair = merge(first, second);
    pair->sibling = pairs;
    pairs = pair;
    first = rest;
  }
  while (pairs != NULL) {
    struct rf_deferred *rest = pairs->sibling;
    pairs->sibling = NULL;
    all = merge(all, pairs);
    pairs = rest;
  }
  return all;
}

static void set_top(struct rf_map *map, struct rf_deferred *top) {
  map->armed = top;
  if (top != NULL) top->from = &map->armed;
}

static void disarm(struct rf_deferred *deferred) {
  struct rf_map *map = deferred->map;
  if (!deferred->armed) return;
  deferred->armed = false;
  struct rf_deferred *rest = merge_all(deferred->child);
  deferred->child = NULL;
  if (map->armed == deferred) {
    set_top(map, rest);
    return;
  }
  *deferred->from = deferred->sibling;
  if (deferred->sibling != NULL) deferred->sibling->from = deferred->from;
  deferred->sibling = NULL;
  set_top(map, merge(map->armed, rest));
}

static void arm(struct rf_deferred *deferred, uint64_t due) {
  disarm(deferred);
  deferred->due = due;
  deferred->turn = turns++;
  deferred->armed = true;
  deferred->child = deferred->sibling = NULL;
  set_top(deferred->map, merge(deferred->map->armed, deferred));
}

static struct rf_deferred *read_field(const void *field) {
  struct rf_deferred *deferred;
  memcpy(&deferred, field, sizeof deferred);
  return deferred;
}

static void write_field(void *field, struct rf_deferred *deferred) { memcpy(field, &deferred, sizeof deferred); }

/* What both clocks and programs mean by now. A fixed clock is all clocks; reading it here is not the
 * program's reading, so it does not step. */
static uint64_t now_of(const struct rf_run *run, clockid_t clock) {
  const struct rf_environment *environment = run->environment;
  struct timespec time;
  if (environment->flags & RF_FIXED_TIME) return environment->time_ns;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Under the lock: takes the record apart; whoever runs its callback frees it afterwards. */
static void discard(struct rf_deferred *deferred) {
  disarm(deferred);
  *deferred->link = deferred->next;
  if (deferred->next != NULL) deferred->next->link = deferred->link;
  deferred->field = NULL;
}

static void destroy(struct rf_deferred *deferred) {
  if (deferred->program != NULL) rf_program_drop(deferred->program);
  free(deferred);
}

static bool is_clock(uint64_t flags) {
  return flags == CLOCK_REALTIME || flags == CLOCK_MONOTONIC || flags == CLOCK_BOOTTIME;
}

/* A value has at most one field of each kind: loader/map-types.ts. */
static uint8_t *value_around(const struct rf_map *map, uint8_t *field, enum rf_field_kind kind) {
  for (uint32_t i = 0; i < map->spec.field_count; i++)
    if (map->spec.fields[i].kind == kind) return field - map->spec.fields[i].offset;
  return NULL;
}

long rf_deferred_init(struct rf_map *map, void *field, enum rf_field_kind kind, uint64_t flags) {
  uint8_t *value = value_around(map, field, kind);
  bool valid = kind == RF_FIELD_TIMER ? is_clock(flags) : flags == 0;
  if (!valid || value == NULL) return -EINVAL;
  struct rf_deferred *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return -ENOMEM;
  *fresh = (struct rf_deferred){.map = map, .value = value, .field = field, .kind = kind,
                                .link = &map->deferred,
                                .clock = kind == RF_FIELD_TIMER ? (clockid_t)flags : CLOCK_MONOTONIC};
  rf_lock(&lock);
  /* As in the kernel: no new timers in a map that nobody outside can reach any more. */
  long error = read_field(field) != NULL ? -EBUSY : atomic_load(&map->handles) == 0 ? -EPERM : 0;
  if (error == 0) {
    fresh->next = map->deferred;
    if (fresh->next != NULL) fresh->next->link = &fresh->next;
    map->deferred = fresh;
    write_field(field, fresh);
  }
  rf_unlock(&lock);
  if (error != 0) free(fresh);
  return error;
}

long rf_deferred_set_callback(void *field, rf_function callback, struct rf_run *run) {
  struct rf_program *program = (struct rf_program *)(uintptr_t)run->program, *old = NULL;
  rf_program_take(program);
  rf_lock(&lock);
  struct rf_deferred *deferred = read_field(field);
  long error = deferred == NULL ? -EINVAL : atomic_load(&deferred->map->handles) == 0 ? -EPERM : 0;
  if (error == 0) {
    old = deferred->program;
    deferred->program = program;
    deferred->callback = callback;
  }
  rf_unlock(&lock);
  if (error != 0) rf_program_drop(program);
  if (old != NULL) rf_program_drop(old);
  return error;
}

/* The moment on the clock that `rf_instance_advance` goes by. */
static uint64_t due_of(const struct rf_deferred *deferred, uint64_t nanoseconds, uint64_t flags, const struct rf_run *run) {
  uint64_t now = now_of(run, CLOCK_MONOTONIC), distance = nanoseconds;
  if (flags & TIMER_ABSOLUTE) {
    uint64_t own = now_of(run, deferred->clock);
    distance = nanoseconds > own ? nanoseconds - own : 0;
  }
  /* What a callback starts runs later than it, so time that goes on comes to an end. */
  if (distance == 0 && run->in_deferred) distance = 1;
  return now + distance < now ? UINT64_MAX : now + distance;
}

long rf_deferred_start(void *field, uint64_t nanoseconds, uint64_t flags, struct rf_run *run) {
  rf_lock(&lock);
  struct rf_deferred *deferred = read_field(field);
  long error = deferred == NULL || deferred->program == NULL ? -EINVAL : 0;
  uint64_t known = deferred != NULL && deferred->kind == RF_FIELD_TIMER ? TIMER_ABSOLUTE | TIMER_THIS_CPU : 0;
  if (flags & ~known) error = -EINVAL;
  if (error == 0) arm(deferred, due_of(deferred, nanoseconds, flags, run));
  rf_unlock(&lock);
  return error;
}

/* Waits for a callback on another thread, unless that one could be waiting for ours. */
long rf_deferred_cancel(void *field, struct rf_run *run) {
  long was_armed = 0;
  for (;;) {
    rf_lock(&lock);
    struct rf_deferred *deferred = read_field(field);
    if (deferred == NULL) {
      rf_unlock(&lock);
      return -EINVAL;
    }
    bool running = deferred->running != NULL, own = deferred->running == run->thread;
    if (!own && deferred->armed) was_armed = 1;
    if (!own) disarm(deferred);
    rf_unlock(&lock);
    if (running && (own || run->in_deferred)) return -EDEADLK;
    if (!running) return was_armed;
    sched_yield();
  }
}

void rf_deferred_free(void *field) {
  rf_lock(&lock);
  struct rf_deferred *deferred = read_field(field);
  bool running = deferred != NULL && deferred->running != NULL;
  if (deferred != NULL) {
    discard(deferred);
    write_field(field, NULL);
  }
  rf_unlock(&lock);
  if (deferred != NULL && !running) destroy(deferred);
}

void rf_deferred_free_all(struct rf_map *map) {
  for (;;) {
    rf_lock(&lock);
    struct rf_deferred *deferred = map->deferred;
    bool running = deferred != NULL && deferred->running != NULL;
    if (deferred != NULL) {
      write_field(deferred->field, NULL);
      discard(deferred);
    }
    rf_unlock(&lock);
    if (deferred == NULL) return;
    if (!running) destroy(deferred);
  }
}

bool rf_deferred_next(struct rf_map *map, uint64_t *due, uint64_t *turn) {
  rf_lock(&lock);
  const struct rf_deferred *first = map->armed;
  if (first != NULL) *due = first->due, *turn = first->turn;
  rf_unlock(&lock);
  return first != NULL;
}

/* Under the lock: the first armed callback, if it is due and nobody is in it. */
static struct rf_deferred *take_due(struct rf_map *map, uint64_t until, struct rf_run *run) {
  struct rf_deferred *first = map->armed;
  if (first == NULL || first->due > until || first->running != NULL) return NULL;
  disarm(first);
  first->running = run->thread;
  return first;
}

bool rf_deferred_run(struct rf_map *map, uint64_t until, struct rf_run *run) {
  uint64_t key[RF_KEY_BYTES_MAX / 8];
  rf_lock(&lock);
  struct rf_deferred *deferred = take_due(map, until, run);
  uint8_t *value = deferred == NULL ? NULL : deferred->value;
  rf_function callback = deferred == NULL ? NULL : deferred->callback;
  struct rf_program *program = deferred == NULL ? NULL : deferred->program;
  if (program != NULL) rf_program_take(program);
  rf_unlock(&lock);
  if (deferred == NULL) return false;
  map->kind->key_of(map, value, (uint8_t *)key);
  run->program = program;
  run->in_deferred = true;
  callback((uintptr_t)map, (uintptr_t)key, (uintptr_t)value, 0, 0, run);
  run->in_deferred = false;
  rf_lock(&lock);
  deferred->running = NULL;
  bool gone = deferred->field == NULL;
  rf_unlock(&lock);
  if (gone) destroy(deferred);
  rf_program_drop(program);
  return true;
}
