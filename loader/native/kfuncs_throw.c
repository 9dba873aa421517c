/*
 * Exceptions: bpf_throw leaves all frames of the program at once. What it returns is the result of
 * the program's exception callback, or what was thrown. The verifier lets nobody throw who holds
 * anything, or whom a helper has called back: between the throw and the entry lie frames of generated
 * code only, and those need no farewell.
 */
#include "kfuncs.h"
#include "program.h"

RF_HELPER(rf_throw) {
  rf_function callback = run->program->on_exception;
  run->thrown = callback == NULL ? r1 : callback(r1, 0, 0, 0, 0, run);
  longjmp(*run->unwind, 1);
}

uint64_t rf_enter_catching(struct rf_program *program, uint64_t r1, uint64_t r2, struct rf_run *run) {
  jmp_buf here, *outer = run->unwind;
  const uint32_t shown_count = run->shown_count;
  run->unwind = &here;
  uint64_t result = _setjmp(here) == 0 ? program->entry(r1, r2, 0, 0, 0, run) : run->thrown;
  run->shown_count = shown_count;
  run->unwind = outer;
  return result;
}

const struct rf_kfunc rf_throw_kfuncs[] = {{"bpf_throw", rf_throw}, {NULL, NULL}};
