/*
 * What the host says lies around a run: routes, sockets, memory that may be read by number, a stack.
 * Tables in one copy of bytes that loader/surroundings.ts wrote; helpers look up, nobody changes them.
 */
#ifndef RF_SURROUNDINGS_H
#define RF_SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The layouts of ROUTE, SOCKET and REGION in loader/surroundings.ts. Addresses of IPv4 take 4 bytes. */
struct rf_route {
  uint8_t network[16], gateway[16];
  uint8_t source_mac[6], destination_mac[6];
  uint32_t ifindex, mtu; /* mtu 0: that of the loopback device */
  uint8_t family, bits;
  uint8_t has_gateway;
  uint8_t outcome; /* BPF_FIB_LKUP_RET_*: what the look-up answers */
};

/* struct bpf_sock of uapi/linux/bpf.h: what programs see, and what is looked for. */
struct rf_host_socket {
  uint32_t bound_ifindex, family, type, protocol, mark, priority;
  uint32_t local_ip4, local_ip6[4];
  uint32_t local_port;   /* host order */
  uint16_t remote_port;  /* network order */
  uint16_t padding;
  uint32_t remote_ip4, remote_ip6[4];
  uint32_t state;
  int32_t rx_queue;
};
_Static_assert(sizeof(struct rf_host_socket) == 80, "struct bpf_sock, uapi/linux/bpf.h");

struct rf_region {
  uint64_t address;
  uint32_t offset, bytes; /* of its content, among the bytes behind all tables */
};

struct rf_surroundings {
  uint32_t route_count, socket_count, region_count, stack_count;
  const struct rf_route *routes;
  const struct rf_host_socket *sockets;
  const struct rf_region *regions;
  const uint64_t *stack; /* innermost first */
  const uint8_t *content;
  uint64_t bytes[]; /* all of it */
};

/* NULL: malformed, or no memory. Freed by free(3). */
struct rf_surroundings *rf_surroundings_read(const uint8_t *bytes, size_t count);

/* The route with the longest prefix; the first one of equals. */
const struct rf_route *rf_route_to(const struct rf_surroundings *host, uint8_t family, const uint8_t *address);
/* Who is spoken of by the two ends: a connected socket, or one that listens there. */
const struct rf_host_socket *rf_socket_at(const struct rf_surroundings *host, uint32_t protocol, const uint8_t *tuple,
                                          uint32_t tuple_bytes);
/* Where the bytes that the host calls by this address lie; NULL: not granted. */
const void *rf_granted(const struct rf_surroundings *host, uint64_t address, uint64_t bytes);

#endif
