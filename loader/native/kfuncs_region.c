/*
 * Regions that a program opens and closes: RCU, preemption, interrupts, resilient locks.
 *
 * A run is one stay in an epoch (epoch.h), which holds every object that it can reach, so RCU sections
 * need nothing of their own. Preemption and interrupts are a kernel's business: nothing of a user
 * process can be kept from being interrupted, and nothing here relies on it. Their calls are balanced,
 * as the verifier has proven, and do nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>

#include "epoch.h"
#include "held.h"
#include "kfuncs.h"

static RF_HELPER(nothing) { return 0; }

/* The saved state is opaque to the program. */
static RF_HELPER(irq_save) {
  memset(rf_pointer(r1), 0, sizeof(uint64_t));
  return 0;
}

/* A lock names the thread that holds it (1: somebody who clears a value). Whoever waits for longer than RES_DEF_TIMEOUT
 * (include/asm-generic/rqspinlock.h) gives up: of two threads that wait for each other, both do. */
enum { SPINS_BEFORE_CLOCK = 1024 };
static const uint64_t TIMEOUT_NS = 250000000;

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static long lock_resilient(_Atomic uint32_t *lock, uint32_t self) {
  uint64_t start = 0;
  for (uint32_t spins = 1;; spins++) {
    uint32_t holder = 0;
    if (atomic_compare_exchange_weak_explicit(lock, &holder, self, memory_order_acquire, memory_order_relaxed))
      return 0;
    if (holder == self) return -EDEADLK;
    if (spins % SPINS_BEFORE_CLOCK != 0) continue;
    uint64_t now = now_ns();
    if (start == 0) start = now;
    if (now - start > TIMEOUT_NS) return -ETIMEDOUT;
    sched_yield();
  }
}

static void release_lock(void *lock) { rf_unlock(lock); }

static RF_HELPER(res_spin_lock) {
  long error = lock_resilient(rf_pointer(r1), run->thread->number + 2);
  if (error == 0) rf_hold(run, rf_pointer(r1), release_lock);
  return rf_int(error);
}

static RF_HELPER(res_spin_unlock) {
  rf_let_go(run, rf_pointer(r1));
  rf_unlock(rf_pointer(r1));
  return 0;
}

static RF_HELPER(res_spin_lock_irqsave) {
  memset(rf_pointer(r2), 0, sizeof(uint64_t));
  return res_spin_lock(r1, 0, 0, 0, 0, run);
}

const struct rf_kfunc rf_region_kfuncs[] = {
    {"bpf_rcu_read_lock", nothing},      {"bpf_rcu_read_unlock", nothing},
    {"bpf_preempt_disable", nothing},    {"bpf_preempt_enable", nothing},
    {"bpf_local_irq_save", irq_save},    {"bpf_local_irq_restore", nothing},
    {"bpf_res_spin_lock", res_spin_lock}, {"bpf_res_spin_unlock", res_spin_unlock},
    {"bpf_res_spin_lock_irqsave", res_spin_lock_irqsave},
    {"bpf_res_spin_unlock_irqrestore", res_spin_unlock},
    {NULL, NULL}};
