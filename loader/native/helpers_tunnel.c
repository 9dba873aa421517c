/*
 * Tunnel metadata of a socket buffer (net/core/filter.c): what a program sets is what it gets. No
 * packet comes out of a tunnel here, so before it is set there is none.
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"

/* struct bpf_tunnel_key, uapi/linux/bpf.h, and the lengths that it had before. */
enum { ID = 0, REMOTE = 4, TOS = 20, TTL = 21, FLAGS = 22, LABEL = 24, LOCAL = 28, KEY_BYTES = 44, IPV6_BYTES = 16 };
enum { FIRST_BYTES = 8 };
enum { BY_IPV6 = 1, ZERO_CHECKSUM = 2, DONT_FRAGMENT = 4, SEQUENCE = 8, NO_KEY = 16, WITH_FLAGS = 16 };
/* TUNNEL_* of uapi/linux/if_tunnel.h, network byte order. */
enum { TUNNEL_CSUM = 0x0100, TUNNEL_KEY = 0x0400, TUNNEL_SEQ = 0x0800, TUNNEL_DONT_FRAGMENT = 0x0001, TUNNEL_NOCACHE = 0x0020 };

static bool is_length(uint32_t bytes) {
  return bytes == KEY_BYTES || bytes == LOCAL || bytes == LABEL || bytes == FLAGS || bytes == FIRST_BYTES;
}

static uint16_t flags_of(uint64_t flags) {
  uint16_t shown = TUNNEL_KEY | TUNNEL_CSUM | TUNNEL_NOCACHE;
  if (flags & DONT_FRAGMENT) shown |= TUNNEL_DONT_FRAGMENT;
  if (flags & ZERO_CHECKSUM) shown &= (uint16_t)~TUNNEL_CSUM;
  if (flags & SEQUENCE) shown |= TUNNEL_SEQ;
  if (flags & NO_KEY) shown &= (uint16_t)~TUNNEL_KEY;
  return shown;
}

static RF_HELPER(set_key) {
  uint32_t bytes = (uint32_t)r3;
  uint8_t key[KEY_BYTES] = {0};
  uint32_t label;
  if (r4 & ~(uint64_t)(BY_IPV6 | ZERO_CHECKSUM | DONT_FRAGMENT | SEQUENCE | NO_KEY)) return (uint64_t)-EINVAL;
  if (!is_length(bytes)) return (uint64_t)-EINVAL;
  memcpy(key, rf_pointer(r2), bytes);
  memcpy(&label, key + LABEL, sizeof label);
  if ((!(r4 & BY_IPV6) && label != 0) || key[FLAGS] != 0 || key[FLAGS + 1] != 0) return (uint64_t)-EINVAL;
  uint16_t flags = flags_of(r4);
  memcpy(key + FLAGS, &flags, sizeof flags);
  memcpy(run->tunnel.key, key, KEY_BYTES);
  run->tunnel.is_set = true;
  run->tunnel.by_ipv6 = (r4 & BY_IPV6) != 0;
  run->tunnel.option_bytes = 0;
  return 0;
}

/* The tunnel's end that is remote when sending is the local one of what was received. */
static void turn_around(const struct rf_tunnel *tunnel, uint8_t *key) {
  uint32_t bytes = tunnel->by_ipv6 ? IPV6_BYTES : 4;
  memcpy(key + ID, tunnel->key + ID, 4);
  memcpy(key + TOS, tunnel->key + TOS, 2);
  memcpy(key + REMOTE, tunnel->key + LOCAL, bytes);
  memcpy(key + LOCAL, tunnel->key + REMOTE, bytes);
  if (tunnel->by_ipv6) memcpy(key + LABEL, tunnel->key + LABEL, 4);
}

static RF_HELPER(get_key) {
  uint32_t bytes = (uint32_t)r3;
  uint8_t key[KEY_BYTES] = {0};
  const struct rf_tunnel *tunnel = &run->tunnel;
  long error = 0;
  if (!tunnel->is_set || (r4 & ~(uint64_t)(BY_IPV6 | WITH_FLAGS)) || !is_length(bytes)) error = -EINVAL;
  else if (((r4 & BY_IPV6) != 0) != tunnel->by_ipv6) error = bytes == KEY_BYTES || !(r4 & BY_IPV6) ? -EPROTO : -EINVAL;
  if (error != 0) {
    memset(rf_pointer(r2), 0, bytes);
    return (uint64_t)error;
  }
  turn_around(tunnel, key);
  if (r4 & WITH_FLAGS) memcpy(key + FLAGS, tunnel->key + FLAGS, 2);
  memcpy(rf_pointer(r2), key, bytes);
  return 0;
}

static RF_HELPER(set_option) {
  uint32_t bytes = (uint32_t)r3;
  if (!run->tunnel.is_set || bytes % 4 != 0) return (uint64_t)-EINVAL;
  if (bytes > sizeof run->tunnel.options) return (uint64_t)-ENOMEM;
  memcpy(run->tunnel.options, rf_pointer(r2), bytes);
  run->tunnel.option_bytes = bytes;
  return 0;
}

static RF_HELPER(get_option) {
  uint32_t bytes = (uint32_t)r3, held = run->tunnel.option_bytes;
  long error = !run->tunnel.is_set || held == 0 ? -ENOENT : bytes < held ? -ENOMEM : 0;
  memset(rf_pointer(r2), 0, bytes);
  if (error != 0) return (uint64_t)error;
  memcpy(rf_pointer(r2), run->tunnel.options, held);
  return held;
}

const struct rf_helper rf_tunnel_helpers[] = {
    {20, get_key}, {21, set_key}, {29, get_option}, {30, set_option}, {0, NULL}};
