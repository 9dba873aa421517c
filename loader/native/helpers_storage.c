/*
 * Helpers on local storage. A program names the object by a pointer, which here is an address inside
 * the run that stands for the object and is never looked through: the loader refuses programs that read
 * kernel objects. A pointer that is none of those has no storage, like null.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helpers.h"
#include "map_storage.h"

enum { CREATE = 1 }; /* BPF_LOCAL_STORAGE_GET_F_CREATE */

/* The address that stands for the current task. */
static uint64_t task_address(const struct rf_run *run) { return (uintptr_t)&run->identities->task; }
static uint64_t group_address(const struct rf_run *run) { return (uintptr_t)&run->identities->cgroup; }

/* The host's number of the task, or the thread's own. */
static uint64_t task_identity(const struct rf_run *run) {
  if (run->identities->task != 0) return run->identities->task;
  if (run->environment->flags & RF_FIXED_PROCESS) return (uint32_t)run->environment->pid_tgid;
  return (uint64_t)syscall(SYS_gettid);
}

/* False: not an object that this run is about. */
static bool identify(const struct rf_run *run, uint64_t object, uint64_t *identity) {
  if (object == 0) return false;
  if (object == (uintptr_t)run->socket || object == (uintptr_t)run->context) *identity = run->identities->socket;
  else if (object == task_address(run)) *identity = task_identity(run);
  else if (object == group_address(run)) *identity = run->identities->cgroup;
  else return false;
  return true;
}

static RF_HELPER(storage_get) {
  struct rf_map *map = rf_pointer(r1);
  uint64_t identity;
  if ((r4 & ~(uint64_t)CREATE) || !identify(run, r2, &identity)) return 0;
  if (r4 & CREATE) return (uintptr_t)rf_storage_obtain(map, identity, rf_pointer(r3), run->cpu);
  return (uintptr_t)map->kind->lookup(map, &identity, run->cpu);
}

static RF_HELPER(storage_delete) {
  struct rf_map *map = rf_pointer(r1);
  uint64_t identity;
  if (!identify(run, r2, &identity)) return (uint64_t)-EINVAL;
  return (uint64_t)map->kind->remove(map, &identity);
}

static RF_HELPER(get_local_storage) {
  return (uintptr_t)rf_storage_of_group(rf_pointer(r1), run->identities->cgroup, run->cpu);
}

static RF_HELPER(get_current_task) { return task_address(run); }

const struct rf_helper rf_storage_helpers[] = {
    {81, get_local_storage}, {107, storage_get},    {108, storage_delete}, {145, storage_get},
    {146, storage_delete},   {156, storage_get},    {157, storage_delete}, {158, get_current_task},
    {210, storage_get},      {211, storage_delete}, {0, NULL}};
