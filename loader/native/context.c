/*
 * Contexts as BPF_PROG_TEST_RUN presents them (net/bpf/test_run.c): what follows from the packet is
 * computed from it, the rest comes from the caller or is the kernel's default.
 */
#include "context.h"

#include <string.h>

#include "skb.h"

/* Offsets in struct xdp_md, uapi/linux/bpf.h. */
enum { XDP_DATA = 0, XDP_DATA_END = 4, XDP_DATA_META = 8, XDP_INGRESS_IFINDEX = 12 };
enum { LOOPBACK_IFINDEX = 1, ADDRESS_BYTES = 6 };
/* linux/if_ether.h, linux/if_packet.h, sys/socket.h */
enum { ETH_P_IP = 0x800, ETH_P_IPV6 = 0x86dd };
enum { PACKET_HOST = 0, PACKET_MULTICAST = 2, PACKET_OTHERHOST = 3 };
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
  if (given_bytes == 0 && instance->template_is_default) return;
  instance->template_is_default = given_bytes == 0;
  uint8_t *context = instance->template + RF_CONTEXT_HEADER_BYTES;
  uint32_t copied = given_bytes < plan->context_bytes ? given_bytes : plan->context_bytes;
  instance->context_given = given_bytes != 0;
  memset(instance->template, 0, instance->context_block_bytes);
  memcpy(context, instance->exchange + instance->context_at, copied);
  uint64_t *pointers = (uint64_t *)(void *)instance->template;
  for (uint32_t slot = 0; slot < RF_POINTER_SLOTS; slot++)
    if (plan->socket_slots >> slot & 1) pointers[slot] = (uintptr_t)instance->socket;
  if (plan->kind == RF_CONTEXT_XDP && copied <= XDP_INGRESS_IFINDEX)
    set32(context, XDP_INGRESS_IFINDEX, LOOPBACK_IFINDEX);
  if (plan->kind == RF_CONTEXT_SKB && get32(context, RF_SKB_IFINDEX) == 0)
    set32(context, RF_SKB_IFINDEX, LOOPBACK_IFINDEX);
  memcpy(instance->context, instance->template, instance->context_block_bytes);
}

/* The device is the loopback device: its address and its broadcast address are all zeroes. */
static uint32_t packet_type(const uint8_t *destination) {
  static const uint8_t zeroes[ADDRESS_BYTES];
  if (destination[0] & 1) return PACKET_MULTICAST;
  return memcmp(destination, zeroes, ADDRESS_BYTES) == 0 ? PACKET_HOST : PACKET_OTHERHOST;
}

/* The socket of a test run takes its family and addresses from the packet. */
static void fill_addresses(uint8_t *context, const uint8_t *network, uint32_t bytes, uint16_t protocol) {
  if (protocol == ETH_P_IP && bytes >= 20) {
    set32(context, RF_SKB_FAMILY, FAMILY_IP);
    memcpy(context + RF_SKB_LOCAL_IP4, network + 12, 4);
    memcpy(context + RF_SKB_REMOTE_IP4, network + 16, 4);
  } else if (protocol == ETH_P_IPV6 && bytes >= 40) {
    set32(context, RF_SKB_FAMILY, FAMILY_IPV6);
    memcpy(context + RF_SKB_LOCAL_IP6, network + 8, 16);
    memcpy(context + RF_SKB_REMOTE_IP6, network + 24, 16);
  }
}

static void fill_skb(struct rf_instance *instance, uint8_t *packet, uint32_t packet_bytes) {
  struct rf_run *run = &instance->run;
  uint8_t *context = run->context;
  bool framed = packet_bytes >= RF_ETHERNET_BYTES;
  run->mac = packet;
  run->network = framed ? packet + RF_ETHERNET_BYTES : packet + packet_bytes;
  run->data = run->meta = instance->plan.link_layer ? packet : run->network;
  run->end = packet + packet_bytes;
  run->encapsulated = false;
  run->tunnel.is_set = false;
  run->head_limit = packet - RF_HEADROOM;
  run->tail_limit = run->end + RF_TAILROOM;
  if (framed) {
    uint16_t type;
    memcpy(&type, packet + 2 * ADDRESS_BYTES, sizeof type);
    uint16_t protocol = rf_skb_protocol_of(type, run->network, run->end);
    set32(context, RF_SKB_PKT_TYPE, packet_type(packet));
    set32(context, RF_SKB_PROTOCOL, protocol);
    fill_addresses(context, run->network, packet_bytes - RF_ETHERNET_BYTES, __builtin_bswap16(protocol));
  }
  uint32_t length = (uint32_t)(run->end - run->data);
  set32(context, RF_SKB_LEN, length);
  set32(context, RF_SKB_DATA, 0);
  set32(context, RF_SKB_DATA_END, 0);
  set32(context, RF_SKB_DATA_META, 0);
  if (instance->context_given && get32(context, RF_SKB_WIRE_LEN) == 0) set32(context, RF_SKB_WIRE_LEN, length);
}

/* BPF_PROG_TYPE_FLOW_DISSECTOR; offsets in struct bpf_flow_keys, uapi/linux/bpf.h. */
enum { FLOW_DISSECTOR = 22, KEYS_NHOFF = 0, KEYS_THOFF = 2, KEYS_N_PROTO = 10, KEYS_BYTES = 56 };

static bool dissects(const struct rf_instance *instance) {
  return instance->plan.program_type == FLOW_DISSECTOR;
}

/* bpf_flow_dissect: dissection starts behind the Ethernet header. */
static void fill_flow_keys(struct rf_instance *instance, const uint8_t *packet, uint32_t packet_bytes) {
  const uint16_t start = RF_ETHERNET_BYTES;
  memset(instance->socket, 0, KEYS_BYTES);
  memcpy(instance->socket + KEYS_NHOFF, &start, 2);
  memcpy(instance->socket + KEYS_THOFF, &start, 2);
  if (packet_bytes >= RF_ETHERNET_BYTES) memcpy(instance->socket + KEYS_N_PROTO, packet + 2 * ADDRESS_BYTES, 2);
}

static uint16_t clamp(uint16_t value, uint16_t least, uint32_t most) {
  uint32_t low = value < least ? least : value;
  return (uint16_t)(low > most ? most : low);
}

/* A dissector's result is its keys, offsets brought into the packet: they come back in its place. */
static void hand_out_flow_keys(struct rf_instance *instance) {
  struct rf_run *run = &instance->run;
  uint16_t network, transport;
  uint32_t bytes = (uint32_t)(run->end - run->data);
  memcpy(&network, instance->socket + KEYS_NHOFF, 2);
  memcpy(&transport, instance->socket + KEYS_THOFF, 2);
  network = clamp(network, RF_ETHERNET_BYTES, bytes);
  transport = clamp(transport, network, bytes);
  memcpy(instance->socket + KEYS_NHOFF, &network, 2);
  memcpy(instance->socket + KEYS_THOFF, &transport, 2);
  memcpy(run->data, instance->socket, KEYS_BYTES);
  run->end = run->data + KEYS_BYTES;
}

/* XDP metadata counts as packet, and the context says where it ends. Socket buffers of programs that
 * see the packet from its network header on come back behind a link header of zeroes. */
void rf_context_hand_out(struct rf_instance *instance) {
  struct rf_run *run = &instance->run;
  if (instance->plan.kind == RF_CONTEXT_XDP) {
    set32(run->context, XDP_DATA, (uint32_t)(run->data - run->meta));
    set32(run->context, XDP_DATA_END, (uint32_t)(run->end - run->meta));
    set32(run->context, XDP_DATA_META, 0);
    run->data = run->meta;
    return;
  }
  if (dissects(instance)) hand_out_flow_keys(instance);
  if (instance->plan.kind != RF_CONTEXT_SKB || instance->plan.link_layer || dissects(instance)) return;
  run->data -= RF_ETHERNET_BYTES;
  memset(run->data, 0, RF_ETHERNET_BYTES);
  run->meta = run->data;
}

void rf_context_fill_other(struct rf_instance *instance, uint8_t *packet, uint32_t packet_bytes) {
  struct rf_run *run = &instance->run;
  if (instance->plan.kind == RF_CONTEXT_SKB) {
    memcpy(instance->context, instance->template, RF_CONTEXT_HEADER_BYTES + RF_SKB_BYTES);
    fill_skb(instance, packet, packet_bytes);
    if (dissects(instance)) fill_flow_keys(instance, packet, packet_bytes);
    return;
  }
  memcpy(instance->context, instance->template, instance->context_block_bytes);
  rf_fill_xdp(run, packet, packet_bytes, 0);
  run->mac = run->network = run->data;
}
