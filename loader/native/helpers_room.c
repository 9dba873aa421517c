/* Helpers that change the shape of a socket buffer. */
#include <errno.h>
#include <string.h>

#include "helpers.h"

/* Fields of struct __sk_buff, uapi/linux/bpf.h. */
enum { SKB_LEN = 0, SKB_PKT_TYPE = 4, SKB_HASH = 68 };
/* BPF_SKB_MAX_LEN: four pages less the shared info. */
enum { SKB_BYTES_MAX = 16384 - 320 };

static uint64_t length_of(const struct rf_run *run) { return (uint64_t)(run->end - run->data); }

static void set_field(struct rf_run *run, uint32_t offset, uint32_t value) {
  memcpy(run->context + offset, &value, sizeof value);
}

static uint32_t field(const struct rf_run *run, uint32_t offset) {
  uint32_t value;
  memcpy(&value, run->context + offset, sizeof value);
  return value;
}

static void publish(struct rf_run *run) {
  run->meta = run->data;
  if (run->data < run->lowest) run->lowest = run->data;
  set_field(run, SKB_LEN, (uint32_t)length_of(run));
  rf_publish_packet(run);
}

static RF_HELPER(skb_change_tail) {
  uint64_t wanted = (uint32_t)r2, length = length_of(run);
  uint64_t least = run->network > run->data ? (uint64_t)(run->network - run->data) : 0;
  if (r3 != 0 || wanted > SKB_BYTES_MAX || wanted < least) return (uint64_t)-EINVAL;
  if (wanted > length) {
    if (wanted - length > (uint64_t)(run->tail_limit - run->end)) return (uint64_t)-ENOMEM;
    memset(run->end, 0, wanted - length);
  }
  run->end = run->data + wanted;
  publish(run);
  return 0;
}

static RF_HELPER(skb_change_head) {
  uint64_t room = (uint32_t)r2, wanted = length_of(run) + room;
  if (r3 != 0 || wanted > SKB_BYTES_MAX) return (uint64_t)-EINVAL;
  if (room > (uint64_t)(run->data - run->head_limit)) return (uint64_t)-ENOMEM;
  run->data -= room;
  memset(run->data, 0, room);
  run->mac = run->data;
  publish(run);
  return 0;
}

/* PACKET_OTHERHOST, linux/if_packet.h: the largest type that may be set, and replaced. */
enum { PACKET_OTHERHOST = 3 };

static RF_HELPER(skb_change_type) {
  uint32_t type = (uint32_t)r2;
  if (type > PACKET_OTHERHOST || field(run, SKB_PKT_TYPE) > PACKET_OTHERHOST)
    return (uint64_t)-EINVAL;
  set_field(run, SKB_PKT_TYPE, type);
  return 0;
}

static RF_HELPER(get_hash_recalc) { return field(run, SKB_HASH); }

static RF_HELPER(set_hash_invalid) {
  set_field(run, SKB_HASH, 0);
  return 0;
}

static RF_HELPER(set_hash) {
  set_field(run, SKB_HASH, (uint32_t)r2);
  return 0;
}

const struct rf_helper rf_room_helpers[] = {
    {32, skb_change_type},  {34, get_hash_recalc}, {38, skb_change_tail},
    {41, set_hash_invalid}, {43, skb_change_head}, {48, set_hash}, {0, NULL}};
