/*
 * What a run must give back. A verified program gives back whatever it took before it ends by itself;
 * a metered run may be stopped in between, with a lock held or a record reserved. So while a run is
 * metered, whoever takes something notes here how it is given back. Other runs note nothing.
 */
#ifndef RF_HELD_H
#define RF_HELD_H

#include "run.h"

/* The verifier allows 256 references at once (verifier/limits.ts); locks come on top. */
enum { RF_HELD_MAX = 320 };

struct rf_held {
  void *object;
  void (*release)(void *object);
};

static inline void rf_hold(struct rf_run *run, void *object, void (*release)(void *object)) {
  if (run->held == NULL || object == NULL || run->held_count == RF_HELD_MAX) return;
  run->held[run->held_count++] = (struct rf_held){object, release};
}

/* The program gave it back, or into other hands. */
static inline void rf_let_go(struct rf_run *run, const void *object) {
  for (uint32_t i = run->held_count; i-- > 0;)
    if (run->held[i].object == object) {
      run->held[i] = run->held[--run->held_count];
      return;
    }
}

/* Locks come last, as nothing is taken inside their sections. */
static inline void rf_release_held(struct rf_run *run) {
  while (run->held_count > 0) {
    const struct rf_held *last = &run->held[--run->held_count];
    last->release(last->object);
  }
}

#endif
