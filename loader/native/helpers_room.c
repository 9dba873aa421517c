/* Helpers that change the shape of a socket buffer. */
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "skb.h"

static RF_HELPER(skb_change_tail) {
  uint64_t wanted = (uint32_t)r2, length = rf_skb_length(run);
  uint64_t least = run->network > run->data ? (uint64_t)(run->network - run->data) : 0;
  if (r3 != 0 || wanted > RF_SKB_BYTES_MAX || wanted < least) return (uint64_t)-EINVAL;
  if (wanted > length) {
    if (wanted - length > (uint64_t)(run->tail_limit - run->end)) return (uint64_t)-ENOMEM;
    memset(run->end, 0, wanted - length);
  }
  run->end = run->data + wanted;
  rf_skb_publish(run);
  return 0;
}

static RF_HELPER(skb_change_head) {
  uint64_t room = (uint32_t)r2, wanted = rf_skb_length(run) + room;
  if (r3 != 0 || wanted > RF_SKB_BYTES_MAX) return (uint64_t)-EINVAL;
  if (room > (uint64_t)(run->data - run->head_limit)) return (uint64_t)-ENOMEM;
  run->data -= room;
  memset(run->data, 0, room);
  run->mac = run->data;
  rf_skb_publish(run);
  return 0;
}

/* PACKET_OTHERHOST, linux/if_packet.h: the largest type that may be set, and replaced. */
enum { PACKET_OTHERHOST = 3 };

static RF_HELPER(skb_change_type) {
  uint32_t type = (uint32_t)r2;
  if (type > PACKET_OTHERHOST || rf_skb_get(run, RF_SKB_PKT_TYPE) > PACKET_OTHERHOST)
    return (uint64_t)-EINVAL;
  rf_skb_set(run, RF_SKB_PKT_TYPE, type);
  return 0;
}

/* FNV-1a over what names a flow. The kernel's hash has a secret seed, so only its use is the same:
 * equal for packets of one flow in one direction, never zero. */
static uint32_t flow_hash(const struct rf_run *run) {
  enum { IPV4 = 0x0008, IPV6 = 0xdd86 };
  uint32_t protocol = rf_skb_get(run, RF_SKB_PROTOCOL), hash = 2166136261u;
  uint64_t room = run->network < run->end ? (uint64_t)(run->end - run->network) : 0;
  uint32_t start = protocol == IPV4 ? 12 : 8, bytes = protocol == IPV4 ? 8 : 32;
  if ((protocol != IPV4 && protocol != IPV6) || room < start + bytes) return protocol + 1;
  uint32_t header = protocol == IPV4 ? (run->network[0] & 15u) * 4 : 40;
  for (uint32_t i = 0; i < bytes; i++) hash = (hash ^ run->network[start + i]) * 16777619u;
  for (uint32_t i = 0; i < 4 && header + i < room; i++) hash = (hash ^ run->network[header + i]) * 16777619u;
  return hash == 0 ? 1 : hash;
}

static RF_HELPER(get_hash_recalc) {
  uint32_t hash = rf_skb_get(run, RF_SKB_HASH);
  if (hash == 0) rf_skb_set(run, RF_SKB_HASH, hash = flow_hash(run));
  return hash;
}

static RF_HELPER(set_hash_invalid) {
  rf_skb_set(run, RF_SKB_HASH, 0);
  return 0;
}

static RF_HELPER(set_hash) {
  rf_skb_set(run, RF_SKB_HASH, (uint32_t)r2);
  return 0;
}

const struct rf_helper rf_room_helpers[] = {
    {32, skb_change_type},  {34, get_hash_recalc}, {38, skb_change_tail},
    {41, set_hash_invalid}, {43, skb_change_head}, {48, set_hash}, {0, NULL}};
