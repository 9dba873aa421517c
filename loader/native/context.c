/*
 * Contexts as BPF_PROG_TEST_RUN presents them (net/bpf/test_run.c): what follows from the packet is
 * computed from it, the rest comes from the caller or is the kernel's default.
 */
#include "context.h"

#include <string.h>

/* Offsets in struct xdp_md and struct __sk_buff, uapi/linux/bpf.h. */
enum { XDP_INGRESS_IFINDEX = 12 };
enum {
  SKB_LEN = 0, SKB_PKT_TYPE = 4, SKB_PROTOCOL = 16, SKB_IFINDEX = 40, SKB_DATA = 76, SKB_DATA_END = 80,
  SKB_FAMILY = 88, SKB_REMOTE_IP4 = 92, SKB_LOCAL_IP4 = 96, SKB_REMOTE_IP6 = 100, SKB_LOCAL_IP6 = 116,
  SKB_DATA_META = 140, SKB_WIRE_LEN = 160, SKB_BYTES = 192
};
enum { LOOPBACK_IFINDEX = 1, ETHERNET_BYTES = 14, ADDRESS_BYTES = 6 };
/* linux/if_ether.h, linux/if_packet.h, sys/socket.h */
enum { ETH_P_802_3_MIN = 0x600, ETH_P_802_3 = 1, ETH_P_802_2 = 4, ETH_P_IP = 0x800, ETH_P_IPV6 = 0x86dd };
enum { PACKET_HOST = 0, PACKET_BROADCAST = 1, PACKET_MULTICAST = 2, PACKET_OTHERHOST = 3 };
enum { FAMILY_IP = 2, FAMILY_IPV6 = 10 };

static void set32(uint8_t *context, uint32_t offset, uint32_t value) {
  memcpy(context + offset, &value, sizeof value);
}

static uint32_t get32(const uint8_t *context, uint32_t offset) {
  uint32_t value;
  memcpy(&value, context + offset, sizeof value);
  return value;
}

void rf_context_template(struct rf_instance *instance, uint32_t given_bytes) {
  const struct rf_plan *plan = &instance->plan;
  uint8_t *context = instance->template + RF_CONTEXT_HEADER_BYTES;
  uint32_t copied = given_bytes < plan->context_bytes ? given_bytes : plan->context_bytes;
  memset(instance->template, 0, instance->context_block_bytes);
  memcpy(context, instance->exchange + instance->context_at, copied);
  uint64_t *pointers = (uint64_t *)(void *)instance->template;
  for (uint32_t slot = 0; slot < RF_POINTER_SLOTS; slot++)
    if (plan->socket_slots >> slot & 1) pointers[slot] = (uintptr_t)instance->socket;
  if (plan->kind == RF_CONTEXT_XDP && copied <= XDP_INGRESS_IFINDEX)
    set32(context, XDP_INGRESS_IFINDEX, LOOPBACK_IFINDEX);
  if (plan->kind == RF_CONTEXT_SKB && copied <= SKB_IFINDEX)
    set32(context, SKB_IFINDEX, LOOPBACK_IFINDEX);
  memcpy(instance->context, instance->template, instance->context_block_bytes);
}

/* The device is the loopback device, whose address is all zeroes. */
static uint32_t packet_type(const uint8_t *destination) {
  static const uint8_t zeroes[ADDRESS_BYTES], ones[ADDRESS_BYTES] = {255, 255, 255, 255, 255, 255};
  if (destination[0] & 1)
    return memcmp(destination, ones, ADDRESS_BYTES) == 0 ? PACKET_BROADCAST : PACKET_MULTICAST;
  return memcmp(destination, zeroes, ADDRESS_BYTES) == 0 ? PACKET_HOST : PACKET_OTHERHOST;
}

/* eth_type_trans: the type field, unless it is a length. In network byte order. */
static uint16_t protocol_of(const uint8_t *packet, uint32_t bytes) {
  uint16_t type, raw;
  memcpy(&type, packet + 12, 2);
  if ((packet[12] << 8 | packet[13]) >= ETH_P_802_3_MIN) return type;
  memcpy(&raw, packet + ETHERNET_BYTES, bytes >= ETHERNET_BYTES + 2 ? 2 : 0);
  bool novell = bytes >= ETHERNET_BYTES + 2 && raw == 0xffff;
  return __builtin_bswap16(novell ? ETH_P_802_3 : ETH_P_802_2);
}

/* The socket of a test run takes its family and addresses from the packet. */
static void fill_addresses(uint8_t *context, const uint8_t *network, uint32_t bytes, uint16_t protocol) {
  if (protocol == ETH_P_IP && bytes >= 20) {
    set32(context, SKB_FAMILY, FAMILY_IP);
    memcpy(context + SKB_LOCAL_IP4, network + 12, 4);
    memcpy(context + SKB_REMOTE_IP4, network + 16, 4);
  } else if (protocol == ETH_P_IPV6 && bytes >= 40) {
    set32(context, SKB_FAMILY, FAMILY_IPV6);
    memcpy(context + SKB_LOCAL_IP6, network + 8, 16);
    memcpy(context + SKB_REMOTE_IP6, network + 24, 16);
  }
}

static void fill_skb(struct rf_instance *instance, uint32_t packet_bytes) {
  struct rf_run *run = &instance->run;
  uint8_t *packet = instance->exchange + instance->packet_at, *context = run->context;
  bool framed = packet_bytes >= ETHERNET_BYTES;
  run->mac = packet;
  run->network = framed ? packet + ETHERNET_BYTES : packet + packet_bytes;
  run->data = run->meta = instance->plan.link_layer ? packet : run->network;
  run->end = packet + packet_bytes;
  run->head_limit = packet - RF_HEADROOM;
  run->tail_limit = run->end + RF_TAILROOM;
  if (framed) {
    uint16_t protocol = protocol_of(packet, packet_bytes);
    set32(context, SKB_PKT_TYPE, packet_type(packet));
    set32(context, SKB_PROTOCOL, protocol);
    fill_addresses(context, run->network, packet_bytes - ETHERNET_BYTES, __builtin_bswap16(protocol));
  }
  uint32_t length = (uint32_t)(run->end - run->data);
  set32(context, SKB_LEN, length);
  set32(context, SKB_DATA, 0);
  set32(context, SKB_DATA_END, 0);
  set32(context, SKB_DATA_META, 0);
  if (get32(context, SKB_WIRE_LEN) == 0) set32(context, SKB_WIRE_LEN, length);
}

void rf_context_fill(struct rf_instance *instance, uint32_t packet_bytes, uint32_t meta_bytes) {
  struct rf_run *run = &instance->run;
  switch (instance->plan.kind) {
    /* No field of struct xdp_md can be written, so the template's copy is still as it was. */
    case RF_CONTEXT_XDP: rf_fill_xdp(instance, packet_bytes, meta_bytes); break;
    case RF_CONTEXT_SKB:
      memcpy(instance->context, instance->template, RF_CONTEXT_HEADER_BYTES + SKB_BYTES);
      fill_skb(instance, packet_bytes);
      break;
    default:
      memcpy(instance->context, instance->template, instance->context_block_bytes);
      if (!instance->has_packet) return;
      rf_fill_xdp(instance, packet_bytes, 0);
      run->mac = run->network = run->data;
  }
  run->lowest = instance->exchange + instance->packet_at;
  rf_publish_packet(run);
}
