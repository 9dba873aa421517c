/*
 * Maps for loader/map.ts.
 *
 * createMap(words: Uint32Array, inner: map | null) -> map; setObject(map, key, map | program | null)
 * -> 0 or -errno; freezeMap(map); closeMap(map)
 * openPort(map) -> { call, batch, close, exchange, keyBytes, valueAt, valueBytes }: one thread's way to use
 * a map (map_port.h). `call(op, flags)` works on the key and value in the exchange area and returns a
 * result >= 0 or -errno, so a lookup costs one crossing.
 */
#include "api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "handles.h"
#include "map.h"
#include "map_arena.h"
#include "map_objects.h"
#include "map_port.h"

/* type, sizes, entries, flags, extra (2), then three for each field. */
enum { SPEC_WORDS = 7, FIELD_WORDS = 3 };

static void finalize_map(napi_env env, void *data, void *hint) {
  struct rf_map *map = data;
  (void)env, (void)hint;
  if (atomic_fetch_sub(&map->handles, 1) == 1) rf_map_forget_objects(map);
  rf_map_drop(map);
}

napi_value rf_map_handle(napi_env env, struct rf_map *map) {
  rf_map_take(map);
  atomic_fetch_add(&map->handles, 1);
  return rf_handle_wrap(env, RF_HANDLE_MAP, map, finalize_map);
}

/* False: fields that are out of order or outside of the value. */
static bool read_spec(const uint32_t *words, size_t count, struct rf_map_spec *spec) {
  *spec = (struct rf_map_spec){.type = words[0], .key_bytes = words[1], .value_bytes = words[2],
                               .max_entries = words[3], .flags = words[4],
                               .extra = words[5] | (uint64_t)words[6] << 32,
                               .field_count = (uint32_t)(count - SPEC_WORDS) / FIELD_WORDS};
  uint64_t least = 0;
  for (uint32_t i = 0; i < spec->field_count; i++) {
    const uint32_t *row = words + SPEC_WORDS + i * FIELD_WORDS;
    spec->fields[i] = (struct rf_field){row[0], row[1], row[2]};
    bool deferred = row[0] == RF_FIELD_TIMER || row[0] == RF_FIELD_WORK;
    uint32_t bytes = deferred ? 2 * sizeof(uint64_t) : sizeof(uint32_t);
    if (row[1] < least || row[1] % sizeof(uint32_t) != 0 || row[2] < bytes) return false;
    least = (uint64_t)row[1] + row[2];
  }
  return least <= spec->value_bytes;
}

static bool is_spec(size_t words) {
  return words >= SPEC_WORDS && (words - SPEC_WORDS) % FIELD_WORDS == 0 &&
         (words - SPEC_WORDS) / FIELD_WORDS <= RF_FIELDS_MAX;
}

static napi_value error_number(napi_env env, long error) {
  napi_value out = NULL;
  napi_create_int32(env, (int32_t)error, &out);
  return out;
}

static napi_value create_map(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2, count;
  uint32_t *words;
  struct rf_map_spec spec;
  struct rf_map *inner = NULL;
  napi_valuetype type;
  long error;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc != 2 || !rf_words(env, argv[0], napi_uint32_array, &words, &count) || !is_spec(count) ||
      napi_typeof(env, argv[1], &type) != napi_ok)
    return rf_throw_type(env, "createMap(words, inner) expected");
  if (type != napi_null && (inner = rf_handle_open(env, argv[1], RF_HANDLE_MAP)) == NULL) return NULL;
  if (!read_spec(words, count, &spec)) return error_number(env, -EINVAL);
  if (getrandom(&spec.seed, sizeof spec.seed, 0) < 0) spec.seed = (uintptr_t)&spec;
  struct rf_map *map = rf_map_create(&spec, inner, &error);
  if (map == NULL) return error_number(env, error);
  atomic_store(&map->handles, 1);
  return rf_handle_wrap(env, RF_HANDLE_MAP, map, finalize_map);
}

static napi_value close_map(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_map *map = rf_handle_close(env, argument, RF_HANDLE_MAP);
  if (map != NULL) finalize_map(env, map, NULL);
  return NULL;
}

/* Not twice, nor by whoever has a map open for reading only. Programs may go on writing, unless they were
 * proven not to: then storage becomes read-only memory, which not even a wrong program could change. */
static napi_value freeze_map(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_map *map = rf_handle_open(env, argument, RF_HANDLE_MAP);
  if (map == NULL) return NULL;
  if (map->frozen || (map->spec.flags & RF_F_RDONLY)) return error_number(env, -EPERM);
  map->frozen = true;
  bool constant = map->kind == &rf_array && (map->spec.flags & RF_F_RDONLY_PROG);
  return error_number(env, constant && mprotect(map->values, map->storage_bytes, PROT_READ) != 0 ? -ENOMEM : 0);
}

static napi_value set_object(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  size_t argc = 3, key_bytes;
  uint8_t *key;
  napi_valuetype type;
  void *object = NULL;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  struct rf_map *map = rf_handle_open(env, argv[0], RF_HANDLE_MAP);
  if (map == NULL) return NULL;
  if (!map->kind->holds_objects || !rf_bytes(env, argv[1], &key, &key_bytes) ||
      key_bytes != map->spec.key_bytes || napi_typeof(env, argv[2], &type) != napi_ok)
    return rf_throw_type(env, "setObject(map of objects, key, object) expected");
  enum rf_handle_kind kind = map->kind == &rf_prog_array ? RF_HANDLE_PROGRAM : RF_HANDLE_MAP;
  if (type != napi_null && (object = rf_handle_open(env, argv[2], kind)) == NULL) return NULL;
  return error_number(env, rf_map_set_object(map, key, object));
}

static void finalize_port(napi_env env, void *port, void *hint) {
  (void)env, (void)hint;
  rf_port_drop(port);
}

static void finalize_port_memory(napi_env env, void *data, void *port) {
  (void)env, (void)data;
  rf_port_drop(port);
}

static napi_value port_call(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  void *data = NULL;
  uint32_t operation, flags;
  napi_get_cb_info(env, info, &argc, argv, NULL, &data);
  struct rf_port *port = data;
  if (argc != 2 || napi_get_value_uint32(env, argv[0], &operation) != napi_ok ||
      napi_get_value_uint32(env, argv[1], &flags) != napi_ok)
    return rf_throw_type(env, "call(operation, flags) expected");
  if (port->map == NULL) return rf_throw_type(env, "the map is closed");
  return error_number(env, rf_port_call(port, operation, flags));
}

/* batch(operation, flags, keys, values) -> how many were done; see rf_port_batch. */
static napi_value port_batch(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  size_t argc = 4;
  void *data = NULL;
  uint32_t operation, flags;
  struct rf_batch_bytes keys, values;
  napi_get_cb_info(env, info, &argc, argv, NULL, &data);
  struct rf_port *port = data;
  if (argc != 4 || napi_get_value_uint32(env, argv[0], &operation) != napi_ok ||
      napi_get_value_uint32(env, argv[1], &flags) != napi_ok || !rf_bytes(env, argv[2], &keys.at, &keys.count) ||
      !rf_bytes(env, argv[3], &values.at, &values.count))
    return rf_throw_type(env, "batch(operation, flags, keys, values) expected");
  if (port->map == NULL) return rf_throw_type(env, "the map is closed");
  return rf_number(env, (double)rf_port_batch(port, operation, flags, keys, values));
}

static napi_value port_close(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  rf_port_close(data);
  return NULL;
}

static bool add_call(napi_env env, napi_value out, const char *name, napi_callback call, struct rf_port *port) {
  atomic_fetch_add(&port->references, 1);
  napi_value function = rf_function_over(env, name, call, port, finalize_port);
  return function != NULL && napi_set_named_property(env, out, name, function) == napi_ok;
}

static napi_value open_port(napi_env env, napi_callback_info info) {
  napi_value argument, out, exchange;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_map *map = rf_handle_open(env, argument, RF_HANDLE_MAP);
  if (map == NULL) return NULL;
  struct rf_port *port = rf_port_create(map);
  if (port == NULL) return rf_throw_range(env, "out of memory");
  atomic_fetch_add(&port->references, 1);
  bool made = napi_create_object(env, &out) == napi_ok;
  if (made && napi_create_external_arraybuffer(env, port->exchange, port->exchange_bytes,
                                               finalize_port_memory, port, &exchange) != napi_ok) {
    made = false;
    rf_port_drop(port);
  }
  made = made && napi_set_named_property(env, out, "exchange", exchange) == napi_ok &&
         add_call(env, out, "call", port_call, port) && add_call(env, out, "close", port_close, port) &&
         add_call(env, out, "batch", port_batch, port) &&
         napi_set_named_property(env, out, "keyBytes", rf_number(env, map->spec.key_bytes)) == napi_ok &&
         napi_set_named_property(env, out, "valueAt", rf_number(env, port->value_at)) == napi_ok &&
         napi_set_named_property(env, out, "valueBytes", rf_number(env, port->value_bytes)) == napi_ok;
  rf_port_drop(port);
  return made ? out : rf_throw_range(env, "out of memory");
}

static void finalize_view(napi_env env, void *data, void *map) {
  (void)env, (void)data;
  rf_map_drop(map);
}

/* viewMap(map, offset, bytes): a zero-copy view of an array map's storage, or of so much of an arena; it
 * keeps the map alive. Frozen maps have none, nor have maps with locks or timers, whose bytes are not
 * the viewer's to write. */
static void *viewed(napi_env env, struct rf_map *map, uint64_t offset, uint64_t bytes) {
  if (map->kind == &rf_arena_map) {
    void *at = rf_arena_expose(map, offset, bytes);
    return at != NULL ? at : rf_throw_range(env, "the arena does not reach so far, or nothing of it is asked for");
  }
  if (map->kind != &rf_array || map->frozen || map->spec.field_count != 0)
    return rf_throw_type(env, "only arenas, and array maps that are not frozen and hold no locks or timers, have views");
  if (offset > map->storage_bytes || bytes > map->storage_bytes - offset)
    return rf_throw_range(env, "the map does not reach so far");
  return map->values + offset;
}

static napi_value view_map(napi_env env, napi_callback_info info) {
  napi_value argv[3], out;
  size_t argc = 3;
  double offset, bytes;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  struct rf_map *map = rf_handle_open(env, argv[0], RF_HANDLE_MAP);
  if (map == NULL) return NULL;
  if (argc != 3 || napi_get_value_double(env, argv[1], &offset) != napi_ok ||
      napi_get_value_double(env, argv[2], &bytes) != napi_ok || !(offset >= 0 && offset < 9e15 && bytes >= 0 && bytes < 9e15))
    return rf_throw_type(env, "viewMap(map, offset, bytes) expected");
  void *at = viewed(env, map, (uint64_t)offset, (uint64_t)bytes);
  if (at == NULL) return NULL;
  rf_map_take(map);
  if (napi_create_external_arraybuffer(env, at, (size_t)bytes, finalize_view, map, &out) == napi_ok) return out;
  rf_map_drop(map);
  return rf_throw_range(env, "out of memory");
}

const struct rf_export rf_map_exports[] = {
    {"createMap", create_map}, {"closeMap", close_map}, {"freezeMap", freeze_map},
    {"setObject", set_object}, {"openPort", open_port}, {"viewMap", view_map},
    {NULL, NULL}};
