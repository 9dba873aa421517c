/* Epoch-based reclamation; the argument is in epoch.h. */
#define _GNU_SOURCE
#include "epoch.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct retired {
  struct retired *next;
  void *object;
  void (*release)(void *);
  uint64_t epoch;
};

_Atomic uint64_t rf_epoch_now = 1;
bool rf_epoch_fence = true;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rf_thread *threads; /* records are never freed, so readers of the list need no lock */
static uint32_t thread_count;
static struct retired *limbo;

static void probe_membarrier(void) {
  long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  if (commands < 0 || (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) return;
  rf_epoch_fence = false;
}

struct rf_thread *rf_thread_join(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, probe_membarrier);
  pthread_mutex_lock(&lock);
  struct rf_thread *thread = threads;
  while (thread != NULL && atomic_load(&thread->used)) thread = thread->next;
  if (thread == NULL && (thread = calloc(1, sizeof *thread)) != NULL) {
    thread->number = thread_count++;
    thread->next = threads;
    threads = thread;
  }
  if (thread != NULL) atomic_store(&thread->used, true);
  pthread_mutex_unlock(&lock);
  return thread;
}

/* Oldest epoch that a thread inside native code announced; UINT64_MAX: no thread is inside. */
static uint64_t oldest_announced(void) {
  uint64_t oldest = UINT64_MAX;
  for (struct rf_thread *thread = threads; thread != NULL; thread = thread->next) {
    uint64_t epoch = atomic_load(&thread->epoch);
    if (epoch != 0 && epoch < oldest) oldest = epoch;
  }
  return oldest;
}

/* Detaches what can be released; the caller releases outside the lock, since releasing may retire. */
static struct retired *take_reclaimable(void) {
  struct retired *ready = NULL;
  if (limbo == NULL) return NULL;
  if (rf_epoch_fence) atomic_thread_fence(memory_order_seq_cst);
  else syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  uint64_t oldest = oldest_announced();
  for (struct retired **link = &limbo; *link != NULL;) {
    struct retired *entry = *link;
    if (entry->epoch >= oldest) {
      link = &entry->next;
      continue;
    }
    *link = entry->next;
    entry->next = ready;
    ready = entry;
  }
  return ready;
}

static void release_all(struct retired *ready) {
  while (ready != NULL) {
    struct retired *next = ready->next;
    ready->release(ready->object);
    free(ready);
    ready = next;
  }
}

void rf_retire(void *object, void (*release)(void *)) {
  struct retired *entry = malloc(sizeof *entry);
  /* Out of memory: leaking one object is the only answer that is safe. */
  if (entry == NULL) return;
  pthread_mutex_lock(&lock);
  *entry = (struct retired){limbo, object, release, atomic_fetch_add(&rf_epoch_now, 1)};
  limbo = entry;
  struct retired *ready = take_reclaimable();
  pthread_mutex_unlock(&lock);
  release_all(ready);
}

void rf_thread_leave(struct rf_thread *thread) {
  atomic_store(&thread->epoch, 0);
  thread->depth = 0;
  atomic_store(&thread->used, false);
  pthread_mutex_lock(&lock);
  struct retired *ready = take_reclaimable();
  pthread_mutex_unlock(&lock);
  release_all(ready);
}
