/*
 * When may memory be freed that another thread may be using right now? Code that a tail call jumps
 * to, inner maps, replaced programs: readers take no reference, for that would be an atomic
 * operation on a shared line in every run.
 *
 * Epochs: a thread announces the current epoch when it enters native code and withdraws it when it
 * leaves. An object is first made unreachable, then retired with the epoch of that moment, and freed
 * once no thread announces that epoch or an earlier one: whoever entered later cannot have found it.
 */
#ifndef RF_EPOCH_H
#define RF_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rf_thread {
  _Atomic uint64_t epoch; /* 0: outside native code */
  uint32_t depth;         /* nested runs of one thread are one stay */
  uint32_t number;
  _Atomic bool used;
  struct rf_thread *next;
};

extern _Atomic uint64_t rf_epoch_now;
extern bool rf_epoch_fence; /* membarrier(2) is missing: readers must order by themselves */

/* A record for the calling thread, reused after `rf_thread_leave`; NULL: out of memory. */
struct rf_thread *rf_thread_join(void);
void rf_thread_leave(struct rf_thread *thread);

static inline void rf_epoch_enter(struct rf_thread *thread) {
  if (thread->depth++ != 0) return;
  uint64_t now = atomic_load_explicit(&rf_epoch_now, memory_order_acquire);
  atomic_store_explicit(&thread->epoch, now, memory_order_relaxed);
  /* The announcement must be visible before any pointer is read. Usually membarrier(2) in
   * rf_reclaim orders both sides, and the reader pays for a compiler barrier only. */
  if (rf_epoch_fence) atomic_thread_fence(memory_order_seq_cst);
  else atomic_signal_fence(memory_order_seq_cst);
}

static inline void rf_epoch_exit(struct rf_thread *thread) {
  if (--thread->depth != 0) return;
  atomic_store_explicit(&thread->epoch, 0, memory_order_release);
}

/* Calls `release(object)` when no thread can hold it. The object must be unreachable already. */
void rf_retire(void *object, void (*release)(void *));

#endif
