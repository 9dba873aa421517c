/* A loaded program: code in an arena, the maps it names, and what its context needs. */
#ifndef RF_PROGRAM_H
#define RF_PROGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#include "arena.h"
#include "map.h"
#include "run.h"

struct rf_program {
  _Atomic uint32_t references;
  struct rf_arena *arena;
  rf_function entry;
  struct rf_plan plan;
  bool keeps_packet; /* proven neither to write nor to resize it */
  uint32_t map_count;
  struct rf_map **maps;
  uint32_t code_offset, code_bytes; /* inside the arena */
};

void rf_program_take(struct rf_program *program);
void rf_program_drop(struct rf_program *program);

#endif
