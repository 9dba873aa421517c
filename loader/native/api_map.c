/*
 * Maps for loader/map.ts.
 *
 * createMap(words: Uint32Array, inner: map | null) -> map; setObject(map, key, map | program | null)
 * -> 0 or -errno; freezeMap(map); closeMap(map)
 * openPort(map) -> { call, close, exchange, valueAt, valueBytes }: one thread's way to use a map. `call(op,
 * flags)` works on the key and value in the exchange area and returns a result >= 0 or -errno, so a
 * lookup costs one crossing and no caller's buffer is ever touched from here.
 */
#include "api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "handles.h"
#include "map.h"
#include "map_objects.h"
#include "map_ringbuf.h"

/* loader/map.ts has the same numbers. */
enum operation { LOOKUP = 0, UPDATE = 1, DELETE = 2, SCAN = 3, PUSH = 4, POP = 5, PEEK = 6, CONSUME = 7, DROPPED = 8, QUERY = 9 };
enum { SPEC_WORDS = 11, KEY_AT = 64 };

struct port {
  _Atomic uint32_t references;
  struct rf_map *map; /* NULL: closed */
  uint8_t *exchange;
  size_t exchange_bytes;
  uint32_t value_at, value_bytes;
};

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

static void read_spec(const uint32_t *words, struct rf_map_spec *spec) {
  *spec = (struct rf_map_spec){.type = words[0], .key_bytes = words[1], .value_bytes = words[2],
                               .max_entries = words[3], .flags = words[4],
                               .extra = words[5] | (uint64_t)words[6] << 32,
                               .special_offset = words[7], .special_bytes = words[8],
                               .has_lock = words[9] != 0, .lock_offset = words[10]};
}

static bool sane(const struct rf_map_spec *spec) {
  uint64_t special_end = (uint64_t)spec->special_offset + spec->special_bytes;
  if (special_end > spec->value_bytes) return false;
  return !spec->has_lock || (uint64_t)spec->lock_offset + 4 <= spec->value_bytes;
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
  if (argc != 2 || !rf_words(env, argv[0], napi_uint32_array, &words, &count) || count != SPEC_WORDS ||
      napi_typeof(env, argv[1], &type) != napi_ok)
    return rf_throw_type(env, "createMap(words, inner) expected");
  if (type != napi_null && (inner = rf_handle_open(env, argv[1], RF_HANDLE_MAP)) == NULL) return NULL;
  read_spec(words, &spec);
  if (!sane(&spec)) return error_number(env, -EINVAL);
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

/* Array storage becomes read-only memory: not even a wrong program could change it. */
static napi_value freeze_map(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_map *map = rf_handle_open(env, argument, RF_HANDLE_MAP);
  if (map == NULL) return NULL;
  map->frozen = true;
  if (map->kind == &rf_array && mprotect(map->values, map->storage_bytes, PROT_READ) != 0)
    return rf_throw_range(env, "freezing a map failed");
  return NULL;
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

static void port_drop(struct port *port) {
  if (atomic_fetch_sub(&port->references, 1) != 1) return;
  if (port->map != NULL) rf_map_drop(port->map);
  rf_pages_free(port->exchange, port->exchange_bytes);
  free(port);
}

static void finalize_port(napi_env env, void *port, void *hint) {
  (void)env, (void)hint;
  port_drop(port);
}

static void finalize_port_memory(napi_env env, void *data, void *port) {
  (void)env, (void)data;
  port_drop(port);
}

/* First word of the exchange area: the cursor of a scan, the length of a record. */
static uint32_t *first_word(struct port *port) { return (uint32_t *)(void *)port->exchange; }

static long scan(struct port *port) {
  struct rf_map *map = port->map;
  void *value;
  if (map->kind->scan == NULL) return -EOPNOTSUPP;
  uint32_t at = map->kind->scan(map, *first_word(port), port->exchange + KEY_AT, &value, RF_ALL_CPUS);
  if (at == RF_NO_ELEMENT) return -ENOENT;
  if (!map->kind->holds_objects)
    rf_value_read(map, port->exchange + port->value_at, value, RF_ALL_CPUS);
  *first_word(port) = at + 1;
  return 0;
}

static long lookup(struct port *port) {
  struct rf_map *map = port->map;
  if (map->kind->lookup == NULL) return -EOPNOTSUPP;
  void *value = map->kind->lookup(map, port->exchange + KEY_AT, RF_ALL_CPUS);
  if (value == NULL) return -ENOENT;
  if (!map->kind->holds_objects)
    rf_value_read(map, port->exchange + port->value_at, value, RF_ALL_CPUS);
  return 0;
}

static long operate(struct port *port, uint32_t operation, uint32_t flags) {
  struct rf_map *map = port->map;
  const struct rf_map_kind *kind = map->kind;
  uint8_t *key = port->exchange + KEY_AT, *value = port->exchange + port->value_at;
  bool changes = operation == UPDATE || operation == DELETE || operation == PUSH || operation == POP;
  if (changes && map->frozen) return -EPERM;
  switch (operation) {
    case LOOKUP: return lookup(port);
    case UPDATE: return kind->update == NULL ? -EOPNOTSUPP : kind->update(map, key, value, flags, RF_ALL_CPUS);
    case DELETE: return kind->remove == NULL ? -EOPNOTSUPP : kind->remove(map, key);
    case SCAN: return scan(port);
    case PUSH: return kind->push == NULL ? -EOPNOTSUPP : kind->push(map, value, flags);
    case POP: return kind->pop == NULL ? -EOPNOTSUPP : kind->pop(map, value);
    case PEEK: return kind->peek == NULL ? -EOPNOTSUPP : kind->peek(map, value);
    default: break;
  }
  struct rf_map *samples = rf_samples_of(map);
  if (samples == NULL) return -EOPNOTSUPP;
  if (operation == CONSUME) {
    *first_word(port) = rf_ringbuf_consume(samples, value, samples->spec.max_entries);
    return *first_word(port) == RF_NO_ELEMENT ? -ENOENT : 0;
  }
  uint64_t number = operation == DROPPED ? rf_ringbuf_dropped(samples) : rf_ringbuf_query(samples, flags);
  memcpy(port->exchange, &number, sizeof number);
  return 0;
}

static napi_value port_call(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  void *data = NULL;
  uint32_t operation, flags;
  napi_get_cb_info(env, info, &argc, argv, NULL, &data);
  struct port *port = data;
  if (argc != 2 || napi_get_value_uint32(env, argv[0], &operation) != napi_ok ||
      napi_get_value_uint32(env, argv[1], &flags) != napi_ok)
    return rf_throw_type(env, "call(operation, flags) expected");
  if (port->map == NULL) return rf_throw_type(env, "the map is closed");
  return error_number(env, operate(port, operation, flags));
}

static napi_value port_close(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  struct port *port = data;
  if (port->map != NULL) rf_map_drop(port->map);
  port->map = NULL;
  return NULL;
}

static struct port *create_port(struct rf_map *map) {
  struct port *port = calloc(1, sizeof *port);
  if (port == NULL) return NULL;
  atomic_init(&port->references, 1);
  port->value_at = (KEY_AT + map->spec.key_bytes + 63) & ~63u;
  port->value_bytes = map->kind == &rf_ringbuf ? map->spec.max_entries : rf_map_outer_value_bytes(map);
  struct rf_map *samples = rf_samples_of(map);
  size_t record_bytes = samples == NULL ? 0 : samples->spec.max_entries;
  size_t most = record_bytes > port->value_bytes ? record_bytes : port->value_bytes;
  port->exchange_bytes = (size_t)port->value_at + rf_round8(most) + 8;
  port->exchange = rf_pages(port->exchange_bytes);
  if (port->exchange == NULL) {
    free(port);
    return NULL;
  }
  rf_map_take(map);
  port->map = map;
  return port;
}

static bool add_call(napi_env env, napi_value out, const char *name, napi_callback call, struct port *port) {
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
  struct port *port = create_port(map);
  if (port == NULL) return rf_throw_range(env, "out of memory");
  atomic_fetch_add(&port->references, 1);
  bool made = napi_create_object(env, &out) == napi_ok;
  if (made && napi_create_external_arraybuffer(env, port->exchange, port->exchange_bytes,
                                               finalize_port_memory, port, &exchange) != napi_ok) {
    made = false;
    port_drop(port);
  }
  made = made && napi_set_named_property(env, out, "exchange", exchange) == napi_ok &&
         add_call(env, out, "call", port_call, port) && add_call(env, out, "close", port_close, port) &&
         napi_set_named_property(env, out, "valueAt", rf_number(env, port->value_at)) == napi_ok &&
         napi_set_named_property(env, out, "valueBytes", rf_number(env, port->value_bytes)) == napi_ok;
  port_drop(port);
  return made ? out : rf_throw_range(env, "out of memory");
}

static void finalize_view(napi_env env, void *data, void *map) {
  (void)env, (void)data;
  rf_map_drop(map);
}

/* A zero-copy view of an array map's storage; it keeps the map alive. Frozen maps have none, nor have
 * maps with locks or timers, whose bytes are not the viewer's to write. */
static napi_value view_map(napi_env env, napi_callback_info info) {
  napi_value argument, out;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_map *map = rf_handle_open(env, argument, RF_HANDLE_MAP);
  if (map == NULL) return NULL;
  if (map->kind != &rf_array || map->frozen || map->spec.special_bytes != 0 || map->spec.has_lock)
    return rf_throw_type(env, "only array maps that are not frozen and hold no locks or timers have views");
  rf_map_take(map);
  if (napi_create_external_arraybuffer(env, map->values, map->storage_bytes, finalize_view, map, &out) == napi_ok)
    return out;
  rf_map_drop(map);
  return rf_throw_range(env, "out of memory");
}

const struct rf_export rf_map_exports[] = {
    {"createMap", create_map}, {"closeMap", close_map}, {"freezeMap", freeze_map},
    {"setObject", set_object}, {"openPort", open_port}, {"viewMap", view_map},
    {NULL, NULL}};
