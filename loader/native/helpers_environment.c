/* Time, chance and identity: from the system, or fixed by the environment so that a run can be
 * repeated bit for bit. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"

static uint64_t clock_ns(struct rf_run *run, clockid_t clock) {
  struct rf_environment *environment = run->environment;
  if (environment->flags & RF_FIXED_TIME) {
    uint64_t now = environment->time_ns;
    environment->time_ns += environment->time_step_ns;
    return now;
  }
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static RF_HELPER(ktime_get_ns) { return clock_ns(run, CLOCK_MONOTONIC); }
static RF_HELPER(ktime_get_boot_ns) { return clock_ns(run, CLOCK_BOOTTIME); }
static RF_HELPER(ktime_get_coarse_ns) { return clock_ns(run, CLOCK_MONOTONIC_COARSE); }
static RF_HELPER(ktime_get_tai_ns) { return clock_ns(run, CLOCK_TAI); }

/* 250 ticks a second from 5 minutes before zero, as on a kernel with CONFIG_HZ=250. */
static RF_HELPER(jiffies64) { return 4294967296u - 300 * 250 + clock_ns(run, CLOCK_MONOTONIC) / 4000000; }

/* splitmix64: one word of state, every seed good. */
static RF_HELPER(get_prandom_u32) {
  struct rf_environment *environment = run->environment;
  if (environment->random == 0 && !(environment->flags & RF_FIXED_RANDOM) &&
      getrandom(&environment->random, sizeof environment->random, 0) < 0)
    environment->random = clock_ns(run, CLOCK_MONOTONIC);
  uint64_t word = environment->random += 0x9e3779b97f4a7c15ull;
  word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9ull;
  word = (word ^ word >> 27) * 0x94d049bb133111ebull;
  return (uint32_t)(word >> 32 ^ word);
}

static RF_HELPER(get_smp_processor_id) { return run->cpu; }
static RF_HELPER(get_numa_node_id) { return 0; }

static RF_HELPER(get_current_pid_tgid) {
  if (run->environment->flags & RF_FIXED_PROCESS) return run->environment->pid_tgid;
  return (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);
}

static RF_HELPER(get_current_uid_gid) {
  if (run->environment->flags & RF_FIXED_PROCESS) return run->environment->uid_gid;
  return (uint64_t)getgid() << 32 | getuid();
}

static RF_HELPER(get_current_comm) {
  char *buffer = rf_pointer(r1);
  uint32_t size = (uint32_t)r2;
  char comm[16] = "node";
  if (run->environment->flags & RF_FIXED_PROCESS) memcpy(comm, run->environment->comm, sizeof comm);
  memset(buffer, 0, size);
  if (size == 0) return (uint64_t)-EINVAL;
  strncpy(buffer, comm, size - 1);
  return 0;
}

const struct rf_helper rf_environment_helpers[] = {
    {5, ktime_get_ns},          {7, get_prandom_u32},       {8, get_smp_processor_id},
    {14, get_current_pid_tgid}, {15, get_current_uid_gid},  {16, get_current_comm},
    {42, get_numa_node_id},     {118, jiffies64},           {125, ktime_get_boot_ns},
    {160, ktime_get_coarse_ns}, {208, ktime_get_tai_ns},    {0, NULL}};
