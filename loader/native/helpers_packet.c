/*
 * Helpers on packets, with the results and error codes of net/core/filter.c. The context argument is
 * always the run's own context, so they work on the run. Whatever moves packet bounds publishes them.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "helpers.h"

static uint64_t packet_bytes(const struct rf_run *run) { return (uint64_t)(run->end - run->data); }

static bool inside(const struct rf_run *run, uint64_t offset, uint64_t bytes) {
  uint64_t length = packet_bytes(run);
  return offset <= length && bytes <= length - offset;
}

static RF_HELPER(skb_load_bytes) {
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r4;
  if (offset <= INT_MAX && inside(run, offset, bytes)) {
    memcpy(rf_pointer(r3), run->data + offset, bytes);
    return 0;
  }
  memset(rf_pointer(r3), 0, bytes);
  return (uint64_t)-EFAULT;
}

static RF_HELPER(skb_load_bytes_relative) {
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r4, start = (uint32_t)r5;
  uint8_t *base = start == 0 ? run->mac : run->network;
  if (start <= 1 && offset <= 0xffff && base >= run->head_limit && base + offset <= run->end &&
      bytes <= (uint64_t)(run->end - base) - offset) {
    memcpy(rf_pointer(r3), base + offset, bytes);
    return 0;
  }
  memset(rf_pointer(r3), 0, bytes);
  return (uint64_t)-EFAULT;
}

/* BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH */
enum { STORE_FLAGS = 3 };

static RF_HELPER(skb_store_bytes) {
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r4;
  if (r5 & ~(uint64_t)STORE_FLAGS) return (uint64_t)-EINVAL;
  if (offset > INT_MAX || !inside(run, offset, bytes)) return (uint64_t)-EFAULT;
  memmove(run->data + offset, rf_pointer(r3), bytes);
  return 0;
}

static RF_HELPER(skb_pull_data) { return (uint32_t)r2 <= packet_bytes(run) ? 0 : (uint64_t)-ENOMEM; }

static RF_HELPER(xdp_load_bytes) {
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r4;
  if (offset > 0xffff || bytes > 0xffff) return (uint64_t)-EFAULT;
  if (!inside(run, offset, bytes)) return (uint64_t)-EINVAL;
  memcpy(rf_pointer(r3), run->data + offset, bytes);
  return 0;
}

static RF_HELPER(xdp_store_bytes) {
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r4;
  if (offset > 0xffff || bytes > 0xffff) return (uint64_t)-EFAULT;
  if (!inside(run, offset, bytes)) return (uint64_t)-EINVAL;
  memmove(run->data + offset, rf_pointer(r3), bytes);
  return 0;
}

static RF_HELPER(xdp_get_buff_len) { return packet_bytes(run); }

enum { ETHERNET_BYTES = 14, XDP_FRAME_BYTES = 40, META_BYTES_MAX = 255 };

static RF_HELPER(xdp_adjust_head) {
  int64_t change = (int32_t)r2;
  int64_t meta_bytes = run->data - run->meta;
  int64_t lowest = (run->head_limit - run->data) + XDP_FRAME_BYTES + meta_bytes;
  if (change < lowest || change > (int64_t)packet_bytes(run) - ETHERNET_BYTES)
    return (uint64_t)-EINVAL;
  if (meta_bytes != 0) memmove(run->meta + change, run->meta, (size_t)meta_bytes);
  run->meta += change;
  run->data += change;
  if (run->meta < run->lowest) run->lowest = run->meta;
  rf_publish_packet(run);
  return 0;
}

static RF_HELPER(xdp_adjust_tail) {
  int64_t change = (int32_t)r2;
  if (change > run->tail_limit - run->end || change < ETHERNET_BYTES - (int64_t)packet_bytes(run))
    return (uint64_t)-EINVAL;
  if (change > 0) memset(run->end, 0, (size_t)change);
  run->end += change;
  rf_publish_packet(run);
  return 0;
}

static RF_HELPER(xdp_adjust_meta) {
  int64_t change = (int32_t)r2;
  int64_t meta_bytes = run->data - run->meta - change;
  if (change < (run->head_limit - run->meta) + XDP_FRAME_BYTES || meta_bytes < 0)
    return (uint64_t)-EINVAL;
  if (meta_bytes % 4 != 0 || meta_bytes > META_BYTES_MAX) return (uint64_t)-EACCES;
  run->meta += change;
  if (run->meta < run->lowest) run->lowest = run->meta;
  rf_publish_packet(run);
  return 0;
}

/* Redirections are recorded; the host decides what they mean. */
enum { REDIRECT = 1, REDIRECT_MAP = 2, CLONE_REDIRECT = 3, REDIRECT_PEER = 4, REDIRECT_NEIGH = 5 };
enum { XDP_ABORTED = 0, XDP_REDIRECT = 4, TC_ACT_SHOT = 2, TC_ACT_REDIRECT = 7, INGRESS = 1 };

static void record(struct rf_run *run, uint32_t kind, uint64_t target, uint64_t flags) {
  run->redirect = (struct rf_redirect){kind, (uint32_t)target, flags, target};
}

static RF_HELPER(redirect) {
  bool xdp = run->plan->kind == RF_CONTEXT_XDP;
  if (xdp ? r2 != 0 : (r2 & ~(uint64_t)INGRESS) != 0) return xdp ? XDP_ABORTED : TC_ACT_SHOT;
  record(run, REDIRECT, (uint32_t)r1, r2);
  return xdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
}

static RF_HELPER(redirect_peer) {
  if (r2 != 0) return TC_ACT_SHOT;
  record(run, REDIRECT_PEER, (uint32_t)r1, r2);
  return TC_ACT_REDIRECT;
}

static RF_HELPER(redirect_neigh) {
  if ((r3 != 0 && r3 < 20) || r4 != 0) return TC_ACT_SHOT;
  record(run, REDIRECT_NEIGH, (uint32_t)r1, r4);
  return TC_ACT_REDIRECT;
}

static RF_HELPER(clone_redirect) {
  if (r3 & ~(uint64_t)INGRESS) return (uint64_t)-EINVAL;
  record(run, CLONE_REDIRECT, (uint32_t)r2, r3);
  return 0;
}

/* BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS; the two low bits are the answer for an absent key. */
enum { BROADCAST = 8, REDIRECT_MAP_FLAGS = 0x18, MISS_MASK = 3 };

static RF_HELPER(redirect_map) {
  struct rf_map *map = rf_pointer(r1);
  uint32_t key = (uint32_t)r2;
  if (r3 & ~(uint64_t)(REDIRECT_MAP_FLAGS | MISS_MASK)) return XDP_ABORTED;
  if (!(r3 & BROADCAST) && map->kind->lookup(map, &key, RF_ALL_CPUS) == NULL) return r3 & MISS_MASK;
  record(run, REDIRECT_MAP, key, r3);
  return XDP_REDIRECT;
}

/* Special offsets of classic BPF, uapi/linux/filter.h. */
enum { SKF_NET_OFF = -0x100000, SKF_LL_OFF = -0x200000 };

/* Legacy loads: big-endian, relative to the packet or, for special offsets, to a header. */
RF_HELPER(rf_load_packet) {
  int64_t offset = (int32_t)r1;
  uint64_t value = 0;
  const uint8_t *base = run->data;
  if (offset < 0) {
    base = offset >= SKF_NET_OFF ? run->network : run->mac;
    offset -= offset >= SKF_NET_OFF ? SKF_NET_OFF : SKF_LL_OFF;
  }
  if (offset < 0 || base < run->head_limit || base > run->end || offset > run->end - base ||
      (int64_t)r2 > run->end - base - offset)
    return UINT64_MAX;
  for (uint64_t i = 0; i < r2; i++) value = value << 8 | base[offset + (int64_t)i];
  return value;
}

const struct rf_helper rf_packet_helpers[] = {
    {9, skb_store_bytes},    {13, clone_redirect},  {23, redirect},
    {26, skb_load_bytes},    {39, skb_pull_data},   {44, xdp_adjust_head},
    {51, redirect_map},      {54, xdp_adjust_meta}, {65, xdp_adjust_tail},
    {68, skb_load_bytes_relative}, {152, redirect_neigh}, {155, redirect_peer},
    {188, xdp_get_buff_len}, {189, xdp_load_bytes}, {190, xdp_store_bytes}, {0, NULL}};
