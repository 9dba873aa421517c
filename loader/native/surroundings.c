/* Tables of the host; see surroundings.h. */
#include "surroundings.h"

#include <stdlib.h>
#include <string.h>

enum { FAMILY_IPV4 = 2, HEADER_BYTES = 16 };

struct rf_surroundings *rf_surroundings_read(const uint8_t *bytes, size_t count) {
  uint32_t counts[4];
  if (count < HEADER_BYTES || count > UINT32_MAX) return NULL;
  struct rf_surroundings *host = malloc(sizeof *host + count);
  if (host == NULL) return NULL;
  memcpy(host->bytes, bytes, count);
  memcpy(counts, host->bytes, sizeof counts);
  uint8_t *at = (uint8_t *)host->bytes + HEADER_BYTES;
  *host = (struct rf_surroundings){.route_count = counts[0], .socket_count = counts[1], .region_count = counts[2],
                           .stack_count = counts[3]};
  uint64_t tables = (uint64_t)counts[0] * sizeof *host->routes + (uint64_t)counts[1] * sizeof *host->sockets +
                    (uint64_t)counts[2] * sizeof *host->regions + (uint64_t)counts[3] * sizeof *host->stack;
  uint64_t content = count - HEADER_BYTES - tables;
  bool fits = tables <= count - HEADER_BYTES;
  host->routes = (const void *)at;
  at += counts[0] * sizeof *host->routes;
  host->sockets = (const void *)at;
  at += counts[1] * sizeof *host->sockets;
  host->regions = (const void *)at;
  at += counts[2] * sizeof *host->regions;
  host->stack = (const void *)at;
  host->content = at + counts[3] * sizeof *host->stack;
  for (uint32_t i = 0; fits && i < counts[2]; i++)
    fits = host->regions[i].bytes <= content && host->regions[i].offset <= content - host->regions[i].bytes;
  if (fits) return host;
  free(host);
  return NULL;
}

static uint32_t address_bytes(uint32_t family) { return family == FAMILY_IPV4 ? 4 : 16; }

static bool has_prefix(const uint8_t *address, const uint8_t *network, uint32_t bits) {
  uint32_t whole = bits / 8, rest = bits % 8;
  if (memcmp(address, network, whole) != 0) return false;
  return rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0;
}

const struct rf_route *rf_route_to(const struct rf_surroundings *host, uint8_t family, const uint8_t *address) {
  const struct rf_route *best = NULL;
  for (uint32_t i = 0; host != NULL && i < host->route_count; i++) {
    const struct rf_route *route = &host->routes[i];
    if (route->family != family || route->bits > address_bytes(family) * 8) continue;
    if (!has_prefix(address, route->network, route->bits)) continue;
    if (best == NULL || route->bits > best->bits) best = route;
  }
  return best;
}

/* struct bpf_sock_tuple: both addresses, then both ports; the remote end is the packet's source. */
struct ends {
  const uint8_t *remote, *local;
  uint16_t remote_port, local_port; /* network order */
};

static bool listens_at(const struct rf_host_socket *socket, uint32_t bytes, const struct ends *ends) {
  static const uint8_t any[16];
  const void *local = bytes == 4 ? (const void *)&socket->local_ip4 : socket->local_ip6;
  bool here = memcmp(local, ends->local, bytes) == 0 || memcmp(local, any, bytes) == 0;
  return here && socket->remote_port == 0 && socket->local_port == __builtin_bswap16(ends->local_port);
}

static bool connects(const struct rf_host_socket *socket, uint32_t bytes, const struct ends *ends) {
  const void *local = bytes == 4 ? (const void *)&socket->local_ip4 : socket->local_ip6;
  const void *remote = bytes == 4 ? (const void *)&socket->remote_ip4 : socket->remote_ip6;
  return socket->remote_port == ends->remote_port && socket->remote_port != 0 &&
         socket->local_port == __builtin_bswap16(ends->local_port) && memcmp(local, ends->local, bytes) == 0 &&
         memcmp(remote, ends->remote, bytes) == 0;
}

const struct rf_host_socket *rf_socket_at(const struct rf_surroundings *host, uint32_t protocol, const uint8_t *tuple,
                                          uint32_t tuple_bytes) {
  enum { IPV4_BYTES = 12, IPV6_BYTES = 36 };
  const struct rf_host_socket *listening = NULL;
  if (host == NULL || (tuple_bytes != IPV4_BYTES && tuple_bytes != IPV6_BYTES)) return NULL;
  uint32_t bytes = tuple_bytes == IPV4_BYTES ? 4 : 16;
  struct ends ends = {.remote = tuple, .local = tuple + bytes};
  memcpy(&ends.remote_port, tuple + 2 * bytes, 2);
  memcpy(&ends.local_port, tuple + 2 * bytes + 2, 2);
  for (uint32_t i = 0; i < host->socket_count; i++) {
    const struct rf_host_socket *socket = &host->sockets[i];
    if (socket->protocol != protocol || address_bytes(socket->family) != bytes) continue;
    if (connects(socket, bytes, &ends)) return socket;
    if (listening == NULL && listens_at(socket, bytes, &ends)) listening = socket;
  }
  return listening;
}

const void *rf_granted(const struct rf_surroundings *host, uint64_t address, uint64_t bytes) {
  for (uint32_t i = 0; host != NULL && i < host->region_count; i++) {
    const struct rf_region *region = &host->regions[i];
    uint64_t offset = address - region->address;
    if (offset <= region->bytes && bytes <= region->bytes - offset) return host->content + region->offset + offset;
  }
  return NULL;
}
