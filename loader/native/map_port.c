/*
 * What bpf(2) offers on maps, for JavaScript. Keys and values pass through memory of the port's own:
 * operations read a key more than once, and a caller's buffer may be shared with another thread that
 * changes it in between.
 */
#include "map_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map_ringbuf.h"

struct rf_port *rf_port_create(struct rf_map *map) {
  struct rf_port *port = calloc(1, sizeof *port);
  if (port == NULL) return NULL;
  atomic_init(&port->references, 1);
  port->value_at = (RF_PORT_KEY_AT + map->spec.key_bytes + 63) & ~63u;
  port->value_bytes = rf_map_outer_value_bytes(map);
  struct rf_map *samples = rf_samples_of(map);
  size_t record_bytes = samples == NULL ? 0 : samples->spec.max_entries;
  if (map->kind == &rf_ringbuf || map->kind == &rf_user_ringbuf) port->value_bytes = map->spec.max_entries;
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

void rf_port_close(struct rf_port *port) {
  if (port->map != NULL) rf_map_drop(port->map);
  port->map = NULL;
}

void rf_port_drop(struct rf_port *port) {
  if (atomic_fetch_sub(&port->references, 1) != 1) return;
  rf_port_close(port);
  rf_pages_free(port->exchange, port->exchange_bytes);
  free(port);
}

static uint32_t *words(struct rf_port *port) { return (uint32_t *)(void *)port->exchange; }
static uint8_t *key_of(struct rf_port *port) { return port->exchange + RF_PORT_KEY_AT; }
static uint8_t *value_of(struct rf_port *port) { return port->exchange + port->value_at; }

/* What frozen maps and flags of creation forbid (FMODE_CAN_READ, FMODE_CAN_WRITE of a descriptor). */
static bool is_allowed(const struct rf_map *map, uint32_t operation) {
  bool reads = true, writes = true;
  switch ((enum rf_port_operation)operation) {
    case RF_PORT_UPDATE: case RF_PORT_DELETE: case RF_PORT_PUSH: case RF_PORT_PRODUCE: reads = false; break;
    case RF_PORT_LOOKUP: case RF_PORT_SCAN: case RF_PORT_PEEK: case RF_PORT_CONSUME: case RF_PORT_NEXT_KEY: writes = false; break;
    case RF_PORT_POP: case RF_PORT_TAKE: break;
    case RF_PORT_DROPPED: case RF_PORT_QUERY: reads = writes = false; break;
  }
  if (writes && (map->frozen || (map->spec.flags & RF_F_RDONLY))) return false;
  return !reads || !(map->spec.flags & RF_F_WRONLY);
}

/* What the kernel says to operations that a type does not have, where that is not -EOPNOTSUPP; it has no
 * rule, so these are as observed on Linux 6.18 (test/loader/kernel-maps.test.ts). */
struct lack {
  const struct rf_map_kind *kind;
  long lookup, update, remove, next;
};
static const struct lack lacks[] = {
    {&rf_queue, 0, 0, -EINVAL, -EINVAL},
    {&rf_stack, 0, 0, -EINVAL, -EINVAL},
    {&rf_bloom_filter, 0, 0, -EOPNOTSUPP, -EOPNOTSUPP},
    {&rf_ringbuf, -RF_ENOTSUPP, -RF_ENOTSUPP, -RF_ENOTSUPP, -RF_ENOTSUPP},
    {&rf_arena_map, -EINVAL, -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP},
    {&rf_user_ringbuf, -RF_ENOTSUPP, -RF_ENOTSUPP, -RF_ENOTSUPP, -RF_ENOTSUPP},
};

static const struct lack *lack_of(const struct rf_map *map) {
  static const struct lack other = {NULL, -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP};
  for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++)
    if (lacks[i].kind == map->kind) return &lacks[i];
  return &other;
}

static long hand_out(struct rf_port *port, const void *value) {
  if (value == NULL) return -ENOENT;
  if (!port->map->kind->holds_objects) rf_value_read(port->map, value_of(port), value, RF_ALL_CPUS);
  return 0;
}

static long lookup(struct rf_port *port, uint32_t flags) {
  struct rf_map *map = port->map;
  if (map->kind->lookup == NULL) return lack_of(map)->lookup;
  void *value = map->kind->lookup(map, key_of(port), RF_ALL_CPUS);
  _Atomic uint32_t *lock = value != NULL && (flags & RF_LOCK) ? rf_value_lock(map, value) : NULL;
  if (lock != NULL) rf_lock(lock);
  long result = hand_out(port, value);
  if (lock != NULL) rf_unlock(lock);
  return result;
}

static long scan_from(struct rf_port *port, uint32_t cursor) {
  struct rf_map *map = port->map;
  void *value;
  if (map->kind->scan == NULL) return -EOPNOTSUPP;
  uint32_t at = map->kind->scan(map, cursor, key_of(port), &value, RF_ALL_CPUS);
  if (at == RF_NO_ELEMENT) return -ENOENT;
  words(port)[0] = at + 1;
  return hand_out(port, value);
}

/* Behind the key in the exchange area, which may overlap with where the answer goes. */
static long next_key(struct rf_port *port, uint32_t flags) {
  struct rf_map *map = port->map;
  uint8_t next[RF_KEY_BYTES_MAX];
  if (map->kind->next_key == NULL) return lack_of(map)->next;
  long result = map->kind->next_key(map, flags == 0 ? NULL : key_of(port), next);
  if (result == 0) memcpy(key_of(port), next, map->spec.key_bytes);
  return result;
}

/* Ring buffers, user ring buffers, perf event arrays. */
static long use_records(struct rf_port *port, uint32_t operation, uint32_t argument) {
  struct rf_map *samples = rf_samples_of(port->map);
  bool is_users = samples == NULL || samples->kind == &rf_user_ringbuf;
  if (samples == NULL || (operation == RF_PORT_CONSUME && is_users)) return -EOPNOTSUPP;
  if (operation == RF_PORT_PRODUCE) {
    if (!is_users) return -EOPNOTSUPP;
    if (rf_round8((uint64_t)argument + 8) > samples->spec.max_entries) return -E2BIG;
    return rf_ringbuf_output(samples, value_of(port), argument) == 0 ? 0 : -ENOSPC;
  }
  if (operation == RF_PORT_CONSUME) {
    words(port)[0] = rf_ringbuf_consume(samples, value_of(port), samples->spec.max_entries);
    return words(port)[0] == RF_NO_ELEMENT ? -ENOENT : 0;
  }
  uint64_t number = operation == RF_PORT_DROPPED ? rf_ringbuf_dropped(samples) : rf_ringbuf_query(samples, argument);
  memcpy(port->exchange, &number, sizeof number);
  return 0;
}

long rf_port_call(struct rf_port *port, uint32_t operation, uint32_t flags) {
  struct rf_map *map = port->map;
  const struct rf_map_kind *kind = map->kind;
  uint8_t *key = key_of(port), *value = value_of(port);
  bool reads = operation == RF_PORT_LOOKUP || operation == RF_PORT_PEEK;
  bool sets = operation == RF_PORT_UPDATE || operation == RF_PORT_PUSH;
  if (reads && (flags & ~(uint32_t)RF_LOCK)) return -EINVAL;
  if (!is_allowed(map, operation)) return -EPERM;
  if ((reads || sets) && (flags & RF_LOCK) && !rf_map_has(map, RF_FIELD_LOCK)) return -EINVAL;
  switch ((enum rf_port_operation)operation) {
    case RF_PORT_LOOKUP: return lookup(port, flags);
    case RF_PORT_UPDATE: return kind->update == NULL ? lack_of(map)->update : kind->update(map, key, value, flags, RF_ALL_CPUS);
    case RF_PORT_DELETE: return kind->remove == NULL ? lack_of(map)->remove : kind->remove(map, key);
    case RF_PORT_SCAN: return scan_from(port, words(port)[0]);
    case RF_PORT_NEXT_KEY: return next_key(port, flags);
    case RF_PORT_TAKE: return kind->take == NULL ? -RF_ENOTSUPP : kind->take(map, key, value);
    case RF_PORT_PUSH: return kind->push == NULL ? lack_of(map)->update : kind->push(map, value, flags);
    case RF_PORT_POP: return kind->pop == NULL ? -RF_ENOTSUPP : kind->pop(map, value);
    case RF_PORT_PEEK: return kind->peek == NULL ? lack_of(map)->lookup : kind->peek(map, value);
    default: return use_records(port, operation, flags);
  }
}

size_t rf_port_batch(struct rf_port *port, uint32_t operation, uint32_t flags, struct rf_batch_bytes keys,
                     struct rf_batch_bytes values) {
  size_t key_bytes = port->map->spec.key_bytes, value_bytes = port->value_bytes, done = 0;
  size_t count = key_bytes == 0 ? 0 : keys.count / key_bytes;
  bool scans = operation == RF_PORT_SCAN, gives = scans || operation == RF_PORT_TAKE || operation == RF_PORT_LOOKUP;
  if (values.count != 0 && values.count / value_bytes < count) count = values.count / value_bytes;
  long error = 0;
  for (; done < count; done++) {
    uint8_t *key = keys.at + done * key_bytes, *value = values.at + done * value_bytes;
    if (!scans) memcpy(key_of(port), key, key_bytes);
    if (!gives && values.count != 0) memcpy(value_of(port), value, value_bytes);
    error = rf_port_call(port, operation, flags);
    if (error != 0) break;
    if (scans) memcpy(key, key_of(port), key_bytes);
    if (gives && values.count != 0) memcpy(value, value_of(port), value_bytes);
  }
  words(port)[1] = (uint32_t)(int32_t)error;
  return done;
}
