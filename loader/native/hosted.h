/*
 * Helpers that are JavaScript functions: a trampoline for each of a program's, and what it must know
 * to pass arguments. Programs call them like any helper; loader/hosted.ts is the other side.
 */
#ifndef RF_HOSTED_H
#define RF_HOSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "run.h"

enum { RF_HOSTED_MAX = 32, RF_HOSTED_PARAMETERS = 5, RF_HOSTED_WORDS = RF_HOSTED_PARAMETERS * 3 + 2 };
enum rf_parameter_kind { RF_PARAMETER_NONE = 0, RF_PARAMETER_NUMBER = 1, RF_PARAMETER_BYTES = 2 };
enum { RF_PARAMETER_READ = 1, RF_PARAMETER_WRITE = 2 };

struct rf_parameter {
  uint8_t kind, reg, access;
  uint32_t bytes; /* behind the register's pointer; 0: the next register says */
};

struct rf_hosted {
  struct rf_parameter parameters[RF_HOSTED_PARAMETERS];
  uint64_t least; /* the result where the function has none: the least that the contract allows */
};

/* The JavaScript side of one instance: an environment and a reference to its function. */
struct rf_host {
  void *env, *function;
  bool failed; /* in this run: nothing is called any more */
};

void rf_host_close(struct rf_host *host);

/* From loader/hosted.ts, `count` rows of RF_HOSTED_WORDS; false: malformed. */
bool rf_hosted_read(const uint32_t *words, uint32_t count, struct rf_hosted *out);

/* The address that programs call for the helper of this index; NULL beyond RF_HOSTED_MAX. */
rf_function rf_hosted_at(uint32_t index);

#endif
