/*
 * Helpers that insert and remove headers of a socket buffer, after bpf_skb_net_hdr_push and _pop,
 * skb_vlan_push and _pop (net/core/filter.c, net/core/skbuff.c). Outermost VLAN tags live beside the
 * packet, in the context's vlan fields, as after hardware acceleration; a second tag pushes the first
 * into the packet.
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "skb.h"

enum { ENOTSUPP = 524 };
enum { VLAN_BYTES = 4, MACS_BYTES = 12, IPV4_BYTES = 20, IPV6_BYTES = 40 };
/* Ethernet types in network byte order, as they are kept in the context. */
enum { TYPE_IPV4 = 0x0008, TYPE_IPV6 = 0xdd86, TYPE_VLAN = 0x0081, TYPE_QINQ = 0xa888 };

static bool is_vlan(uint32_t type) { return type == TYPE_VLAN || type == TYPE_QINQ; }

/* Opens a gap of `bytes` behind the first `offset` bytes by moving those towards the head. */
static bool open_gap(struct rf_run *run, uint32_t offset, uint32_t bytes) {
  if (bytes > (uint64_t)(run->data - run->head_limit) || offset > rf_skb_length(run)) return false;
  run->data -= bytes;
  memmove(run->data, run->data + bytes, offset);
  memset(run->data + offset, 0, bytes);
  run->mac -= bytes;
  run->network -= bytes;
  return true;
}

static bool close_gap(struct rf_run *run, uint32_t offset, uint32_t bytes) {
  if ((uint64_t)offset + bytes > rf_skb_length(run)) return false;
  memmove(run->data + bytes, run->data, offset);
  run->data += bytes;
  run->mac += bytes;
  run->network += bytes;
  return true;
}

static void set_tag(struct rf_run *run, uint32_t present, uint32_t type, uint32_t tag) {
  rf_skb_set(run, RF_SKB_VLAN_PRESENT, present);
  rf_skb_set(run, RF_SKB_VLAN_TCI, tag);
  rf_skb_set(run, RF_SKB_VLAN_PROTO, type);
}

static RF_HELPER(skb_vlan_push) {
  uint16_t type = (uint16_t)r2, tag = (uint16_t)r3;
  if (!is_vlan(type)) type = TYPE_VLAN;
  if (rf_skb_get(run, RF_SKB_VLAN_PRESENT) != 0) {
    uint16_t header[2] = {(uint16_t)rf_skb_get(run, RF_SKB_VLAN_PROTO),
                          __builtin_bswap16((uint16_t)rf_skb_get(run, RF_SKB_VLAN_TCI))};
    if (!open_gap(run, MACS_BYTES, VLAN_BYTES)) return (uint64_t)-ENOMEM;
    memcpy(run->data + MACS_BYTES, header, sizeof header);
    rf_skb_set(run, RF_SKB_PROTOCOL, header[0]);
  }
  set_tag(run, 1, type, tag);
  rf_skb_publish(run);
  return 0;
}

/* Takes the tag out of the packet; what it encapsulates becomes the protocol. */
static long take_tag(struct rf_run *run, uint16_t *tag) {
  uint16_t inner;
  if (rf_skb_length(run) < RF_ETHERNET_BYTES + VLAN_BYTES) return -ENOMEM;
  memcpy(tag, run->data + RF_ETHERNET_BYTES, 2);
  memcpy(&inner, run->data + RF_ETHERNET_BYTES + 2, 2);
  *tag = __builtin_bswap16(*tag);
  close_gap(run, MACS_BYTES, VLAN_BYTES);
  run->network = run->data + RF_ETHERNET_BYTES;
  rf_skb_set(run, RF_SKB_PROTOCOL, rf_skb_protocol_of(inner, run->network, run->end));
  return 0;
}

static long pop_tag(struct rf_run *run) {
  uint16_t tag;
  uint32_t type = rf_skb_get(run, RF_SKB_PROTOCOL);
  long error;
  if (rf_skb_get(run, RF_SKB_VLAN_PRESENT) != 0) {
    set_tag(run, 0, 0, 0);
  } else {
    if (!is_vlan(type)) return 0;
    if ((error = take_tag(run, &tag)) != 0) return error;
  }
  type = rf_skb_get(run, RF_SKB_PROTOCOL);
  if (!is_vlan(type)) return 0;
  if ((error = take_tag(run, &tag)) != 0) return error;
  set_tag(run, 1, type, tag);
  return 0;
}

static RF_HELPER(skb_vlan_pop) {
  long error = pop_tag(run);
  rf_skb_publish(run);
  return (uint64_t)error;
}

static uint32_t link_bytes(const struct rf_run *run) { return (uint32_t)(run->network - run->mac); }

static RF_HELPER(skb_change_proto) {
  uint32_t from = rf_skb_get(run, RF_SKB_PROTOCOL), to = (uint16_t)r2;
  enum { GROWTH = IPV6_BYTES - IPV4_BYTES };
  if (r3 != 0) return (uint64_t)-EINVAL;
  bool moved;
  if (from == TYPE_IPV4 && to == TYPE_IPV6) moved = open_gap(run, link_bytes(run), GROWTH);
  else if (from == TYPE_IPV6 && to == TYPE_IPV4) moved = close_gap(run, link_bytes(run), GROWTH);
  else return (uint64_t)-ENOTSUPP;
  if (!moved) return (uint64_t)-ENOMEM;
  rf_skb_set(run, RF_SKB_PROTOCOL, to);
  rf_skb_set(run, RF_SKB_HASH, 0);
  rf_skb_publish(run);
  return 0;
}

/* BPF_F_ADJ_ROOM_*, uapi/linux/bpf.h. */
enum {
  FIXED_GSO = 1, ENCAP_IPV4 = 2, ENCAP_IPV6 = 4, ENCAP_GRE = 8, ENCAP_UDP = 16, NO_CSUM_RESET = 32,
  ENCAP_ETHERNET = 64, DECAP_IPV4 = 128, DECAP_IPV6 = 256, ROOM_FLAGS = 511
};
enum { ROOM_NET = 0, ROOM_MAC = 1, ROOM_BYTES_MAX = 0xfff, INNER_LINK_SHIFT = 56 };

static long grow(struct rf_run *run, uint32_t offset, uint32_t bytes, uint64_t flags) {
  uint32_t inner_link = (uint32_t)(flags >> INNER_LINK_SHIFT);
  bool encapsulates = (flags & (ENCAP_IPV4 | ENCAP_IPV6)) != 0;
  if (encapsulates) {
    if ((flags & ENCAP_IPV4 && flags & ENCAP_IPV6) || (flags & ENCAP_GRE && flags & ENCAP_UDP)) return -EINVAL;
    if (flags & ENCAP_ETHERNET && inner_link < RF_ETHERNET_BYTES) return -EINVAL;
    if (run->encapsulated) return -EALREADY;
    if (inner_link > bytes) return -EINVAL;
  }
  if (!open_gap(run, offset, bytes)) return -ENOMEM;
  if (!encapsulates) return 0;
  run->encapsulated = true;
  rf_skb_set(run, RF_SKB_PROTOCOL, flags & ENCAP_IPV6 ? TYPE_IPV6 : TYPE_IPV4);
  return 0;
}

static long shrink(struct rf_run *run, uint32_t offset, uint32_t bytes, uint64_t flags) {
  if (flags & ~(uint64_t)(FIXED_GSO | DECAP_IPV4 | DECAP_IPV6 | NO_CSUM_RESET)) return -EINVAL;
  if (!close_gap(run, offset, bytes)) return -ENOMEM;
  if (flags & DECAP_IPV6) rf_skb_set(run, RF_SKB_PROTOCOL, TYPE_IPV6);
  else if (flags & DECAP_IPV4) rf_skb_set(run, RF_SKB_PROTOCOL, TYPE_IPV4);
  return 0;
}

static RF_HELPER(skb_adjust_room) {
  int32_t change = (int32_t)r2;
  uint32_t mode = (uint32_t)r3, bytes = change < 0 ? 0u - (uint32_t)change : (uint32_t)change;
  uint32_t protocol = rf_skb_get(run, RF_SKB_PROTOCOL);
  uint32_t base = protocol == TYPE_IPV4 ? IPV4_BYTES : IPV6_BYTES, least = base;
  if (r4 & ~((uint64_t)ROOM_FLAGS | 0xffull << INNER_LINK_SHIFT)) return (uint64_t)-EINVAL;
  if (bytes > ROOM_BYTES_MAX) return (uint64_t)-EFAULT;
  if (protocol != TYPE_IPV4 && protocol != TYPE_IPV6) return (uint64_t)-ENOTSUPP;
  if (mode > ROOM_MAC) return (uint64_t)-ENOTSUPP;
  uint32_t offset = link_bytes(run) + (mode == ROOM_NET ? base : 0);
  uint64_t decapsulates = r4 & (DECAP_IPV4 | DECAP_IPV6);
  if (decapsulates != 0) {
    if (change >= 0 || decapsulates == (DECAP_IPV4 | DECAP_IPV6)) return (uint64_t)-EINVAL;
    least = decapsulates == DECAP_IPV4 ? IPV4_BYTES : IPV6_BYTES;
  }
  uint64_t length = rf_skb_length(run), beyond = length - (uint64_t)(run->network - run->data);
  if (change < 0 ? bytes >= beyond || beyond - bytes < least : length + bytes > RF_SKB_BYTES_MAX)
    return (uint64_t)-ENOTSUPP;
  long error = change < 0 ? shrink(run, offset, bytes, r4) : grow(run, offset, bytes, r4);
  rf_skb_publish(run);
  return (uint64_t)error;
}

/* The protocol behind all VLAN tags; 0: the packet ends before. */
static uint32_t inner_protocol(const struct rf_run *run) {
  uint32_t protocol = rf_skb_get(run, RF_SKB_PROTOCOL);
  for (const uint8_t *at = run->network; is_vlan(protocol); at += VLAN_BYTES) {
    uint16_t inner = 0;
    if (at > run->end || run->end - at < VLAN_BYTES) return 0;
    memcpy(&inner, at + 2, sizeof inner);
    protocol = inner;
  }
  return protocol;
}

/* RFC 3168: congestion is marked on packets of transports that understand it. As in the kernel, tags
 * are skipped to find the protocol but not to find its header. */
static RF_HELPER(skb_ecn_set_ce) {
  uint32_t protocol = inner_protocol(run);
  uint8_t *header = run->network;
  uint64_t bytes = header < run->end ? (uint64_t)(run->end - header) : 0;
  if (protocol == TYPE_IPV4 && bytes >= IPV4_BYTES) {
    uint16_t sum;
    uint32_t code = (header[1] + 1u) & 3;
    if (!(code & 2)) return code == 0;
    memcpy(&sum, header + 10, 2);
    uint32_t changed = sum + (uint32_t)__builtin_bswap16(0xfffb) + __builtin_bswap16((uint16_t)code);
    changed = (changed & 0xffff) + (changed >> 16);
    sum = (uint16_t)(changed + (changed >= 0xffff));
    memcpy(header + 10, &sum, 2);
    header[1] |= 3;
    return 1;
  }
  if (protocol != TYPE_IPV6 || bytes < IPV6_BYTES || (header[1] & 0x30) == 0) return 0;
  header[1] |= 0x30;
  return 1;
}

static RF_HELPER(skb_set_tstamp) {
  uint32_t protocol = rf_skb_get(run, RF_SKB_PROTOCOL), type = (uint32_t)r3;
  if (protocol != TYPE_IPV4 && protocol != TYPE_IPV6) return (uint64_t)-EOPNOTSUPP;
  if (type > 2 || (type != 0 && r2 == 0)) return (uint64_t)-EINVAL;
  memcpy(run->context + RF_SKB_TSTAMP, &r2, 8);
  run->context[RF_SKB_TSTAMP_TYPE] = (uint8_t)type;
  return 0;
}

/* The one device of a test run is the loopback device. */
enum { LOOPBACK = 1, LOOPBACK_MTU = 65536, CHECK_SEGMENTS = 1, FRAGMENTS_NEEDED = 1 };

static RF_HELPER(check_mtu) {
  bool xdp = run->plan->kind == RF_CONTEXT_XDP;
  uint32_t given;
  memcpy(&given, rf_pointer(r3), sizeof given);
  if (r5 & ~(uint64_t)(xdp ? 0 : CHECK_SEGMENTS)) return (uint64_t)-EINVAL;
  if (r5 != 0 && ((int32_t)r4 != 0 || given != 0)) return (uint64_t)-EINVAL;
  if ((uint32_t)r2 > LOOPBACK) return (uint64_t)-ENODEV;
  int32_t most = LOOPBACK_MTU + RF_ETHERNET_BYTES;
  int32_t length = given != 0 ? (int32_t)(given + RF_ETHERNET_BYTES) : (int32_t)(run->end - run->data);
  uint32_t mtu = LOOPBACK_MTU;
  memcpy(rf_pointer(r3), &mtu, sizeof mtu);
  return (int32_t)((uint32_t)length + (uint32_t)r4) <= most ? 0 : FRAGMENTS_NEEDED;
}

/* Nothing was routed, and no control group but the root one exists. */
static RF_HELPER(none) { return 0; }
static RF_HELPER(root_group) { return 1; }
static RF_HELPER(root_ancestor) { return (int32_t)r2 == 0 ? 1 : 0; }
/* One network namespace, one socket. */
static RF_HELPER(cookie) { return 1; }

const struct rf_helper rf_link_helpers[] = {
    {17, none},                 {18, skb_vlan_push},   {19, skb_vlan_pop},   {24, none},
    {31, skb_change_proto},     {46, cookie},          {47, none},           {128, root_group},  {129, root_ancestor},           {50, skb_adjust_room},
    {79, root_group},           {83, root_ancestor},   {97, skb_ecn_set_ce}, {122, cookie},
    {151, none},                {163, check_mtu},      {192, skb_set_tstamp}, {0, NULL}};
