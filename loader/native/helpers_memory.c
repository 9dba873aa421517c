/*
 * Helpers that read memory by number. Numbers are unproven: what does not lie in memory that the program
 * could reach anyway cannot be read, as if it were not mapped.
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "memory.h"
#include "objects.h"
#include "surroundings.h"
#include "program.h"

static bool covers(const void *start, uint64_t bytes, uint64_t address, uint64_t wanted) {
  uint64_t offset = address - (uintptr_t)start;
  return start != NULL && offset <= bytes && wanted <= bytes - offset;
}

RF_HELPER(rf_show_frame) {
  if (run->shown_count < RF_FRAMES_MAX) run->shown[run->shown_count] = (struct rf_frame){r1, r2};
  run->shown_count++;
  return 0;
}

RF_HELPER(rf_hide_frame) {
  run->shown_count--;
  return 0;
}

static bool in_frame(const struct rf_run *run, uint64_t address, uint64_t bytes) {
  uint32_t kept = run->shown_count < RF_FRAMES_MAX ? run->shown_count : RF_FRAMES_MAX;
  for (uint32_t i = kept; i-- > 0;)
    if (covers(rf_pointer(run->shown[i].low), run->shown[i].bytes, address, bytes)) return true;
  return false;
}

static bool in_map(const struct rf_run *run, uint64_t address, uint64_t bytes) {
  for (uint32_t i = 0; i < run->program->map_count; i++) {
    const struct rf_map *map = run->program->maps[i];
    if (covers(map->readable, map->readable_bytes, address, bytes)) return true;
  }
  return false;
}

const void *rf_readable(const struct rf_run *run, uint64_t address, uint64_t bytes) {
  const bool is_memory = run->plan->kind == RF_CONTEXT_MEMORY;
  if (bytes == 0 || (!is_memory && covers(run->context, run->plan->context_bytes, address, bytes)) ||
      (run->end > run->meta && covers(run->meta, (uint64_t)(run->end - run->meta), address, bytes)) ||
      in_frame(run, address, bytes) || in_map(run, address, bytes) ||
      rf_in_object(run->program->types, address, bytes))
    return rf_pointer(address);
  return rf_granted(run->around, address, bytes);
}

/* Loads through pointers that the proof does not vouch for; a kernel's fault handler yields 0 too. */
RF_HELPER(rf_probe_load) {
  uint64_t value = 0;
  const void *from = rf_readable(run, r1, r2);
  if (from != NULL) memcpy(&value, from, r2);
  return value;
}

static uint64_t copy_from(const struct rf_run *run, uint64_t to, uint32_t bytes, uint64_t from, long error) {
  const void *source = rf_readable(run, from, bytes == 0 ? 1 : bytes);
  if (source != NULL) {
    memcpy(rf_pointer(to), source, bytes);
    return 0;
  }
  if (bytes != 0) memset(rf_pointer(to), 0, bytes);
  return (uint64_t)error;
}

/* The length with its terminator; what is cut is terminated too. */
static uint64_t copy_string(const struct rf_run *run, uint64_t to, uint32_t bytes, uint64_t from, long error) {
  uint32_t length = 0;
  char *out = rf_pointer(to);
  if (bytes == 0) return 0;
  for (; length < bytes; length++) {
    const char *character = rf_readable(run, from + length, 1);
    if (character == NULL) {
      memset(out, 0, bytes);
      return (uint64_t)error;
    }
    out[length] = *character;
    if (out[length] == 0) return length + 1;
  }
  out[bytes - 1] = 0;
  return bytes;
}

static RF_HELPER(probe_read) { return copy_from(run, r1, (uint32_t)r2, r3, (uint32_t)r2 == 0 ? 0 : -EFAULT); }
static RF_HELPER(probe_read_kernel) { return copy_from(run, r1, (uint32_t)r2, r3, rf_unreadable(r3)); }
static RF_HELPER(probe_read_str) { return copy_string(run, r1, (uint32_t)r2, r3, -EFAULT); }
static RF_HELPER(probe_read_kernel_str) { return copy_string(run, r1, (uint32_t)r2, r3, rf_unreadable(r3)); }

const struct rf_helper rf_memory_helpers[] = {
    {4, probe_read},       {45, probe_read_str},         {112, probe_read}, {113, probe_read_kernel},
    {114, probe_read_str}, {115, probe_read_kernel_str}, {148, probe_read}, {0, NULL}};
