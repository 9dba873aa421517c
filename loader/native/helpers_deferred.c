/* Timers, work queues and user ring buffers: callbacks that run later, or for what JavaScript wrote. */
#include <errno.h>

#include "dynptr.h"
#include "kfuncs.h"
#include "map_deferred.h"
#include "map_ringbuf.h"

static RF_HELPER(timer_init) {
  return (uint64_t)rf_deferred_init(rf_pointer(r2), rf_pointer(r1), RF_FIELD_TIMER, r3);
}

static RF_HELPER(set_callback) {
  return (uint64_t)rf_deferred_set_callback(rf_pointer(r1), (rf_function)(uintptr_t)r2, run);
}

static RF_HELPER(timer_start) { return (uint64_t)rf_deferred_start(rf_pointer(r1), r2, r3, run); }
static RF_HELPER(timer_cancel) { return (uint64_t)rf_deferred_cancel(rf_pointer(r1), run); }

static RF_HELPER(wq_init) {
  return rf_int(rf_deferred_init(rf_pointer(r2), rf_pointer(r1), RF_FIELD_WORK, (uint32_t)r3));
}

static RF_HELPER(wq_set_callback) {
  if ((uint32_t)r3 != 0) return rf_int(-EINVAL);
  return rf_int(rf_deferred_set_callback(rf_pointer(r1), (rf_function)(uintptr_t)r2, run));
}

static RF_HELPER(wq_start) { return rf_int(rf_deferred_start(rf_pointer(r1), 0, (uint32_t)r2, run)); }

struct drain {
  rf_function callback;
  uint64_t context;
  struct rf_run *run;
};

static bool visit(void *record, uint32_t bytes, void *argument) {
  const struct drain *drain = argument;
  struct rf_dynptr dynptr = {.data = record, .bytes = bytes, .kind = RF_DYNPTR_LOCAL};
  return drain->callback((uintptr_t)&dynptr, drain->context, 0, 0, 0, drain->run) == 0;
}

static RF_HELPER(user_ringbuf_drain) {
  enum { NO_WAKEUP = 1, FORCE_WAKEUP = 2 };
  struct drain drain = {(rf_function)(uintptr_t)r2, r3, run};
  if (r4 & ~(uint64_t)(NO_WAKEUP | FORCE_WAKEUP)) return (uint64_t)-EINVAL;
  return (uint64_t)rf_user_ringbuf_drain(rf_pointer(r1), visit, &drain);
}

const struct rf_helper rf_deferred_helpers[] = {
    {169, timer_init},   {170, set_callback},       {171, timer_start},
    {172, timer_cancel}, {209, user_ringbuf_drain}, {0, NULL}};

const struct rf_kfunc rf_deferred_kfuncs[] = {{"bpf_wq_init", wq_init},
                                              {"bpf_wq_set_callback_impl", wq_set_callback},
                                              {"bpf_wq_start", wq_start},
                                              {NULL, NULL}};
