/*
 * Extensions and instances for loader/extension.ts.
 *
 * createExtension(program) -> extension          shareExtension(extension) -> id
 * findExtension(id) -> extension | null          replaceProgram(extension, program) -> boolean
 * extensionMaps(extension) -> map[]              extensionProgram(extension) -> program
 * closeExtension(extension)
 * createInstance(extension, call | null) -> { run, test, batch, advance, surround, pin, close, exchange, input, contextAt, packetAt, traceAt }
 *
 * `run`, `test`, `batch` and `close` carry their instance inside: nothing to check per call, and
 * nothing to forge.
 */
#include "api.h"

#include <stddef.h>
#include <stdlib.h>

#include "handles.h"
#include "instance.h"
#include "surroundings.h"

static void finalize_extension(napi_env env, void *extension, void *hint) {
  (void)env, (void)hint;
  rf_extension_drop(extension);
}

static void finalize_instance(napi_env env, void *instance, void *hint) {
  (void)env, (void)hint;
  rf_instance_drop(instance);
}

static void finalize_instance_memory(napi_env env, void *data, void *instance) {
  (void)env, (void)data;
  rf_instance_drop(instance);
}

static void finalize_program(napi_env env, void *program, void *hint) {
  (void)env, (void)hint;
  rf_program_drop(program);
}

static napi_value one_argument(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  return argument;
}

static napi_value create_extension(napi_env env, napi_callback_info info) {
  struct rf_program *program = rf_handle_open(env, one_argument(env, info), RF_HANDLE_PROGRAM);
  if (program == NULL) return NULL;
  struct rf_extension *extension = rf_extension_create(program);
  if (extension == NULL) return rf_throw_range(env, "out of memory");
  return rf_handle_wrap(env, RF_HANDLE_EXTENSION, extension, finalize_extension);
}

static napi_value share_extension(napi_env env, napi_callback_info info) {
  struct rf_extension *extension = rf_handle_open(env, one_argument(env, info), RF_HANDLE_EXTENSION);
  return extension == NULL ? NULL : rf_number(env, (double)extension->id);
}

static napi_value find_extension(napi_env env, napi_callback_info info) {
  double id = 0;
  napi_value null;
  if (napi_get_value_double(env, one_argument(env, info), &id) != napi_ok || !(id >= 1 && id < 9e15))
    return rf_throw_type(env, "findExtension(id) expected");
  struct rf_extension *extension = rf_extension_find((uint64_t)id);
  napi_get_null(env, &null);
  return extension == NULL ? null : rf_handle_wrap(env, RF_HANDLE_EXTENSION, extension, finalize_extension);
}

static napi_value close_extension(napi_env env, napi_callback_info info) {
  struct rf_extension *extension = rf_handle_close(env, one_argument(env, info), RF_HANDLE_EXTENSION);
  if (extension != NULL) rf_extension_drop(extension);
  return NULL;
}

static napi_value replace_program(napi_env env, napi_callback_info info) {
  napi_value argv[2], out;
  size_t argc = 2;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  struct rf_extension *extension = rf_handle_open(env, argv[0], RF_HANDLE_EXTENSION);
  struct rf_program *program = extension == NULL ? NULL : rf_handle_open(env, argv[1], RF_HANDLE_PROGRAM);
  if (program == NULL) return NULL;
  napi_get_boolean(env, rf_extension_replace(extension, program), &out);
  return out;
}

/* Another thread may replace the program meanwhile: the epoch keeps it while references are taken. */
static struct rf_program *hold_program(napi_env env, struct rf_extension *extension) {
  struct rf_thread *thread = NULL;
  napi_get_instance_data(env, (void **)&thread);
  rf_epoch_enter(thread);
  struct rf_program *program = atomic_load(&extension->program);
  rf_program_take(program);
  rf_epoch_exit(thread);
  return program;
}

static napi_value extension_program(napi_env env, napi_callback_info info) {
  struct rf_extension *extension = rf_handle_open(env, one_argument(env, info), RF_HANDLE_EXTENSION);
  if (extension == NULL) return NULL;
  return rf_handle_wrap(env, RF_HANDLE_PROGRAM, hold_program(env, extension), finalize_program);
}

static napi_value extension_maps(napi_env env, napi_callback_info info) {
  struct rf_extension *extension = rf_handle_open(env, one_argument(env, info), RF_HANDLE_EXTENSION);
  if (extension == NULL) return NULL;
  struct rf_program *program = hold_program(env, extension);
  napi_value out;
  napi_create_array_with_length(env, program->map_count, &out);
  for (uint32_t i = 0; i < program->map_count; i++) {
    napi_value handle = rf_map_handle(env, program->maps[i]);
    if (handle != NULL) napi_set_element(env, out, i, handle);
  }
  rf_program_drop(program);
  return out;
}

static struct rf_instance *instance_of(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv) {
  void *instance = NULL;
  napi_get_cb_info(env, info, argc, argv, NULL, &instance);
  return instance;
}

static napi_value run(napi_env env, napi_callback_info info) {
  rf_instance_run(instance_of(env, info, NULL, NULL));
  return NULL;
}

/*
 * Asking Node for the instance costs as much as a short run. So the first instances of a process get
 * functions of their own, each with its place in a table; the others get `run`.
 */
enum { OWN_FUNCTIONS = 64 };
static _Atomic(struct rf_instance *) owners[OWN_FUNCTIONS];

#define OWN_FUNCTION(n)                                               \
  static napi_value run_##n(napi_env env, napi_callback_info info) { \
    (void)env, (void)info;                                            \
    rf_instance_run(atomic_load_explicit(&owners[n], memory_order_relaxed)); \
    return NULL;                                                      \
  }
#define EIGHT(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define ALL(X) EIGHT(X, 0) EIGHT(X, 01) EIGHT(X, 02) EIGHT(X, 03) EIGHT(X, 04) EIGHT(X, 05) EIGHT(X, 06) EIGHT(X, 07)
ALL(OWN_FUNCTION)
#define NAME(n) run_##n,
static const napi_callback own_functions[OWN_FUNCTIONS] = {ALL(NAME)};

static napi_callback own_function(struct rf_instance *instance) {
  for (uint32_t i = 0; i < OWN_FUNCTIONS; i++) {
    struct rf_instance *nobody = NULL;
    if (atomic_compare_exchange_strong(&owners[i], &nobody, instance)) return own_functions[i];
  }
  return run;
}

/* The function is gone, so its place can be another's. */
static void finalize_run(napi_env env, void *instance, void *hint) {
  for (uint32_t i = 0; i < OWN_FUNCTIONS; i++)
    if (atomic_load(&owners[i]) == instance) atomic_store(&owners[i], NULL);
  finalize_instance(env, instance, hint);
}

static napi_value test(napi_env env, napi_callback_info info) {
  rf_instance_test(instance_of(env, info, NULL, NULL));
  return NULL;
}

static napi_value advance(napi_env env, napi_callback_info info) {
  rf_instance_advance(instance_of(env, info, NULL, NULL));
  return NULL;
}

/* pin(bytes) -> whether `run` may take its input from there. The caller keeps the array alive and shows
 * by its length, before each run, that its memory was neither detached nor shrunk: then the address is
 * what it was, for only memory that is off the JavaScript heap has one here. */
static napi_value pin(napi_env env, napi_callback_info info) {
  napi_value argument = NULL, out;
  size_t argc = 1;
  struct rf_instance *instance = instance_of(env, info, &argc, &argument);
  bool pinned = rf_bytes(env, argument, (uint8_t **)&instance->source, &instance->source_bytes);
  if (!pinned) instance->source = NULL, instance->source_bytes = 0;
  napi_get_boolean(env, pinned, &out);
  return out;
}

/* surround(bytes | null) -> whether they are well-formed. Not while the instance runs. */
static napi_value surround(napi_env env, napi_callback_info info) {
  napi_value argument = NULL, out;
  size_t argc = 1, count;
  uint8_t *bytes;
  struct rf_instance *instance = instance_of(env, info, &argc, &argument);
  struct rf_surroundings *around = NULL;
  bool given = rf_bytes(env, argument, &bytes, &count);
  bool fine = !instance->busy && (!given || (around = rf_surroundings_read(bytes, count)) != NULL);
  if (fine) {
    free(instance->around);
    instance->around = around;
    instance->run.around = around;
  }
  napi_get_boolean(env, fine, &out);
  return out;
}

static napi_value close_instance(napi_env env, napi_callback_info info) {
  rf_instance_close(instance_of(env, info, NULL, NULL));
  return NULL;
}

/* batch(buffer, offsets, lengths, results, shared) -> index of the first bad packet, or their number. The
 * addresses stay valid: no JavaScript runs before the end, so nothing is detached or shrunk, and
 * shared memory never shrinks. */
static napi_value run_batch(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  size_t argc = 5, offsets, lengths, results;
  struct rf_batch batch;
  struct rf_instance *instance = instance_of(env, info, &argc, argv);
  if (argc != 5 || !rf_bytes(env, argv[0], (uint8_t **)&batch.buffer, &batch.buffer_bytes) ||
      !rf_words(env, argv[1], napi_uint32_array, (uint32_t **)&batch.offsets, &offsets) ||
      !rf_words(env, argv[2], napi_uint32_array, (uint32_t **)&batch.lengths, &lengths) ||
      !rf_words(env, argv[3], napi_uint32_array, &batch.results, &results) ||
      napi_get_value_bool(env, argv[4], &batch.shared) != napi_ok)
    return rf_throw_type(env, "runBatch expects a Uint8Array and three Uint32Arrays, and whether it is shared");
  if (instance->run.host != NULL)
    return rf_throw_type(env, "runBatch: helpers in JavaScript could take the packets away");
  if (lengths != offsets || results < offsets)
    return rf_throw_range(env, "runBatch: offsets, lengths and results differ in length");
  batch.count = offsets;
  return rf_number(env, (double)rf_instance_batch(instance, &batch));
}

static bool add_function(napi_env env, napi_value out, const char *name, napi_callback call,
                         struct rf_instance *instance) {
  rf_instance_take(instance);
  napi_finalize finalize = call == run ? finalize_run : finalize_instance;
  if (call == run) call = own_function(instance);
  napi_value function = rf_function_over(env, name, call, instance, finalize);
  return function != NULL && napi_set_named_property(env, out, name, function) == napi_ok;
}

static bool add_number(napi_env env, napi_value out, const char *name, double number) {
  return napi_set_named_property(env, out, name, rf_number(env, number)) == napi_ok;
}

/* Memory of the instance as an array buffer, which keeps the instance. */
static bool add_memory(napi_env env, napi_value out, const char *name, struct rf_instance *instance, uint8_t *at,
                       size_t bytes) {
  napi_value buffer;
  rf_instance_take(instance);
  if (napi_create_external_arraybuffer(env, at, bytes, finalize_instance_memory, instance, &buffer) == napi_ok)
    return napi_set_named_property(env, out, name, buffer) == napi_ok;
  rf_instance_drop(instance);
  return false;
}

/* `function` performs the helpers that are JavaScript functions. */
static bool attach_host(napi_env env, napi_value function, struct rf_instance *instance) {
  napi_valuetype type;
  napi_ref reference;
  if (napi_typeof(env, function, &type) != napi_ok || type != napi_function) return true;
  if (napi_create_reference(env, function, 1, &reference) != napi_ok) return false;
  instance->host = (struct rf_host){.env = env, .function = reference};
  instance->run.host = &instance->host;
  return true;
}

static napi_value create_instance(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  struct rf_extension *extension = rf_handle_open(env, argv[0], RF_HANDLE_EXTENSION);
  struct rf_thread *thread = NULL;
  napi_value out;
  if (extension == NULL) return NULL;
  napi_get_instance_data(env, (void **)&thread);
  struct rf_instance *instance = rf_instance_create(extension, thread);
  if (instance == NULL) return rf_throw_range(env, "out of memory");
  struct rf_input input = rf_instance_input(instance);
  bool made = attach_host(env, argv[1], instance) && napi_create_object(env, &out) == napi_ok &&
         add_memory(env, out, "exchange", instance, instance->exchange, instance->exchange_bytes) &&
         add_memory(env, out, "input", instance, input.at, input.bytes) &&
         add_function(env, out, "run", run, instance) && add_function(env, out, "test", test, instance) &&
         add_function(env, out, "pin", pin, instance) &&
         add_function(env, out, "batch", run_batch, instance) &&
         add_function(env, out, "advance", advance, instance) &&
         add_function(env, out, "surround", surround, instance) &&
         add_function(env, out, "close", close_instance, instance) &&
         add_number(env, out, "contextAt", instance->context_at) &&
         add_number(env, out, "packetAt", instance->packet_at) &&
         add_number(env, out, "traceAt", instance->trace_at);
  rf_instance_drop(instance);
  return made ? out : rf_throw_range(env, "out of memory");
}

const struct rf_export rf_extension_exports[] = {
    {"createExtension", create_extension}, {"shareExtension", share_extension},
    {"findExtension", find_extension},     {"closeExtension", close_extension},
    {"replaceProgram", replace_program},   {"extensionMaps", extension_maps},
    {"extensionProgram", extension_program}, {"createInstance", create_instance},
    {NULL, NULL}};
