/*
 * Calls from native code into JavaScript, on the thread that the instance belongs to.
 *
 * Nothing of the program's is handed out: bytes travel as copies in array buffers of their own. A
 * buffer may have been detached when the function returns, so its state is asked again before bytes
 * are written back. Whatever happens in JavaScript, an exception or the end of its thread, the
 * program gets a result that its proof allows; `failed` keeps later calls of the run from JavaScript.
 */
#include "hosted.h"

#include <string.h>

#include "kernel.h"
#include "program.h"

void rf_host_close(struct rf_host *host) {
  if (host->function != NULL) napi_delete_reference(host->env, host->function);
  host->function = NULL;
}

bool rf_hosted_read(const uint32_t *words, uint32_t count, struct rf_hosted *out) {
  for (uint32_t i = 0; i < count; i++, words += RF_HOSTED_WORDS) {
    for (uint32_t p = 0; p < RF_HOSTED_PARAMETERS; p++) {
      const uint32_t *row = words + p * 3;
      uint8_t reg = (uint8_t)row[1], access = (uint8_t)(row[1] >> 8);
      bool sized = row[0] == RF_PARAMETER_BYTES && row[2] == 0;
      if (row[0] > RF_PARAMETER_BYTES || reg + sized >= RF_HOSTED_PARAMETERS) return false;
      out[i].parameters[p] = (struct rf_parameter){(uint8_t)row[0], reg, access, row[2]};
    }
    out[i].least = words[RF_HOSTED_WORDS - 2] | (uint64_t)words[RF_HOSTED_WORDS - 1] << 32;
  }
  return true;
}

static uint32_t bytes_of(const struct rf_parameter *parameter, const uint64_t *registers) {
  return parameter->bytes != 0 ? parameter->bytes : (uint32_t)registers[parameter->reg + 1];
}

static napi_value pass(napi_env env, const struct rf_parameter *parameter, const uint64_t *registers) {
  napi_value buffer, value = NULL;
  void *data;
  uint64_t word = registers[parameter->reg];
  if (parameter->kind == RF_PARAMETER_NUMBER)
    return napi_create_bigint_uint64(env, word, &value) == napi_ok ? value : NULL;
  uint32_t bytes = bytes_of(parameter, registers);
  if (napi_create_arraybuffer(env, bytes, &data, &buffer) != napi_ok) return NULL;
  if (parameter->access & RF_PARAMETER_READ) memcpy(data, (const void *)(uintptr_t)word, bytes);
  return napi_create_typedarray(env, napi_uint8_array, bytes, buffer, 0, &value) == napi_ok ? value : NULL;
}

/* The caller's bytes: what the function left in the copy; zeroes where there is no copy any more. */
static void take_back(napi_env env, const struct rf_parameter *parameter, const uint64_t *registers,
                      napi_value value) {
  if (parameter->kind != RF_PARAMETER_BYTES || !(parameter->access & RF_PARAMETER_WRITE)) return;
  uint8_t *target = (uint8_t *)(uintptr_t)registers[parameter->reg];
  uint32_t bytes = bytes_of(parameter, registers);
  napi_value buffer;
  void *data = NULL;
  size_t length = 0;
  bool known = value != NULL &&
               napi_get_typedarray_info(env, value, NULL, NULL, NULL, &buffer, NULL) == napi_ok &&
               napi_get_arraybuffer_info(env, buffer, &data, &length) == napi_ok;
  if (known && data != NULL && length == bytes) memcpy(target, data, bytes);
  else if (!(parameter->access & RF_PARAMETER_READ)) memset(target, 0, bytes);
}

static bool perform(struct rf_host *host, uint32_t index, const struct rf_hosted *hosted,
                    const uint64_t *registers, uint64_t *result) {
  napi_env env = host->env;
  napi_value function, receiver, out, argv[RF_HOSTED_PARAMETERS + 1] = {NULL};
  size_t argc = 1;
  bool lossless, done = napi_create_uint32(env, index, &argv[0]) == napi_ok &&
                        napi_get_reference_value(env, host->function, &function) == napi_ok &&
                        napi_get_undefined(env, &receiver) == napi_ok;
  for (; done && argc <= RF_HOSTED_PARAMETERS && hosted->parameters[argc - 1].kind != RF_PARAMETER_NONE; argc++)
    done = (argv[argc] = pass(env, &hosted->parameters[argc - 1], registers)) != NULL;
  done = done && napi_call_function(env, receiver, function, argc, argv, &out) == napi_ok &&
         napi_get_value_bigint_uint64(env, out, result, &lossless) == napi_ok;
  for (size_t i = 1; i < argc; i++) take_back(env, &hosted->parameters[i - 1], registers, argv[i]);
  return done;
}

static uint64_t call(uint32_t index, const uint64_t *registers, struct rf_run *run) {
  struct rf_host *host = run->host;
  const struct rf_hosted *hosted = &run->program->hosted[index];
  uint64_t result = 0;
  napi_handle_scope scope;
  /* A timer of another definition's program may be due in a map that is shared with it. */
  bool kin = run->program->plan.program_type == run->plan->program_type;
  bool done = host != NULL && kin && !host->failed && napi_open_handle_scope(host->env, &scope) == napi_ok;
  if (!done) {
    for (uint32_t i = 0; i < RF_HOSTED_PARAMETERS; i++) take_back(NULL, &hosted->parameters[i], registers, NULL);
    return hosted->least;
  }
  done = perform(host, index, hosted, registers, &result);
  napi_close_handle_scope(host->env, scope);
  run->called_back = true;
  if (done) return result;
  host->failed = true;
  return hosted->least;
}

#define TRAMPOLINE(n)                                                                               \
  static uint64_t hosted_##n(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,       \
                             struct rf_run *run) {                                                  \
    return call(n, (const uint64_t[]){r1, r2, r3, r4, r5}, run);                                    \
  }
#define EIGHT(m, a, b, c, d, e, f, g, h) m(a) m(b) m(c) m(d) m(e) m(f) m(g) m(h)
#define ALL(m)                                                                                      \
  EIGHT(m, 0, 1, 2, 3, 4, 5, 6, 7)                                                                  \
  EIGHT(m, 8, 9, 10, 11, 12, 13, 14, 15)                                                            \
  EIGHT(m, 16, 17, 18, 19, 20, 21, 22, 23)                                                          \
  EIGHT(m, 24, 25, 26, 27, 28, 29, 30, 31)
#define NAME(n) hosted_##n,

ALL(TRAMPOLINE)
static const rf_function trampolines[] = {ALL(NAME)};
_Static_assert(sizeof trampolines / sizeof *trampolines == RF_HOSTED_MAX, "one for each helper");

rf_function rf_hosted_at(uint32_t index) { return index < RF_HOSTED_MAX ? trampolines[index] : NULL; }
