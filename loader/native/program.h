/* A loaded program: code in an arena, the maps it names, and what its context needs. */
#ifndef RF_PROGRAM_H
#define RF_PROGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#include "arena.h"
#include "map.h"
#include "run.h"

struct rf_types;
struct rf_hosted;

struct rf_program {
  _Atomic uint32_t references;
  struct rf_arena *arena;
  rf_function entry;
  struct rf_plan plan;
  bool keeps_packet; /* proven neither to write nor to resize it */
  uint32_t map_count;
  struct rf_map **maps;
  struct rf_map *arena_map; /* the one among them that is an arena, or NULL */
  struct rf_types *types;    /* structures that it may allocate; objects.h */
  struct rf_hosted *hosted;  /* helpers that are JavaScript functions */
  uint32_t hosted_count;
  bool throws;               /* calls bpf_throw */
  rf_function on_exception;  /* runs then, and has the result; NULL: what was thrown is the result */
  uint32_t code_offset, code_bytes; /* inside the arena */
};

/* Runs a program that may throw; a tail call to one is an entry of its own. */
uint64_t rf_enter_catching(struct rf_program *program, uint64_t r1, uint64_t r2, struct rf_run *run);

static inline uint64_t rf_enter(struct rf_program *program, uint64_t r1, uint64_t r2, struct rf_run *run) {
  return program->throws ? rf_enter_catching(program, r1, r2, run) : program->entry(r1, r2, 0, 0, 0, run);
}

void rf_program_take(struct rf_program *program);
void rf_program_drop(struct rf_program *program);

#endif
