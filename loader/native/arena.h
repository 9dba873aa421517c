/* Sealed memory for machine code; see arena.c. */
#ifndef RF_ARENA_H
#define RF_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the code came into executable memory, best first; the numbers are those of loader/seal.ts. */
enum rf_seal_method { RF_SEAL_MEMFD = 1, RF_SEAL_MEMFD_FUTURE = 2, RF_SEAL_MPROTECT = 3 };

/* What was obtained, each found by trying. */
enum rf_seal_property {
  RF_SEALED_WRITE = 1,     /* F_SEAL_WRITE or F_SEAL_FUTURE_WRITE holds */
  RF_SEALED_EXEC = 2,      /* F_SEAL_EXEC holds */
  RF_SEALED_MAPPING = 4,   /* mseal(2) holds for code and guard pages */
  RF_SEALED_UNWRITABLE = 8 /* the mapping can never be made writable */
};

struct rf_arena {
  _Atomic uint32_t references;
  uint8_t *base; /* the reservation: guard, code, guard */
  size_t reserved_bytes;
  uint8_t *code;
  size_t code_bytes; /* whole pages */
  uint32_t method, properties;
};

/* Codes are copied; slack is filled with traps. On failure NULL and one sentence in `error`. */
struct rf_arena *rf_arena_seal(const uint8_t *code, size_t bytes, bool permanent,
                               uint32_t least_method, uint32_t most_method, char *error,
                               size_t error_bytes);
void rf_arena_take(struct rf_arena *arena);
void rf_arena_drop(struct rf_arena *arena);

/* Totals over the process, for the report. */
extern _Atomic uint64_t rf_arena_bytes, rf_arena_count, rf_arena_permanent;
enum { RF_ARENAS_MAX = 8192, RF_ARENA_TOTAL_MAX = 256 << 20 };

#endif
