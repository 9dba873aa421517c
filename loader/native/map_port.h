/* A port: how one JavaScript thread uses a map; see map_port.c. */
#ifndef RF_MAP_PORT_H
#define RF_MAP_PORT_H

#include "map.h"

/* loader/map.ts has the same numbers. */
enum rf_port_operation {
  RF_PORT_LOOKUP = 0,
  RF_PORT_UPDATE = 1,
  RF_PORT_DELETE = 2,
  RF_PORT_SCAN = 3,
  RF_PORT_PUSH = 4,
  RF_PORT_POP = 5,
  RF_PORT_PEEK = 6,
  RF_PORT_CONSUME = 7,
  RF_PORT_DROPPED = 8,
  RF_PORT_QUERY = 9,
  RF_PORT_PRODUCE = 10,
  RF_PORT_TAKE = 11,
  RF_PORT_NEXT_KEY = 12
};

/* Where the key lies in the exchange area; the two words at its start: cursor of a scan, or length of
 * a record, or a number; and the error that ended a batch. */
enum { RF_PORT_KEY_AT = 64 };

struct rf_port {
  _Atomic uint32_t references;
  struct rf_map *map; /* NULL: closed */
  uint8_t *exchange;
  size_t exchange_bytes;
  uint32_t value_at, value_bytes;
};

struct rf_batch_bytes {
  uint8_t *at;
  size_t count;
};

struct rf_port *rf_port_create(struct rf_map *map);
void rf_port_drop(struct rf_port *port);
void rf_port_close(struct rf_port *port);

/* >= 0, or -errno. */
long rf_port_call(struct rf_port *port, uint32_t operation, uint32_t flags);
/* The operation on keys and values side by side, until one fails or there are no more: how many were
 * done. A scan fills both instead. `values` may be empty for operations that take none. */
size_t rf_port_batch(struct rf_port *port, uint32_t operation, uint32_t flags, struct rf_batch_bytes keys,
                     struct rf_batch_bytes values);

#endif
