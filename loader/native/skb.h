/* Socket buffers as helpers see them: fields of struct __sk_buff (uapi/linux/bpf.h) and bounds. */
#ifndef RF_SKB_H
#define RF_SKB_H

#include <string.h>

#include "run.h"

enum rf_skb_field {
  RF_SKB_LEN = 0,
  RF_SKB_PKT_TYPE = 4,
  RF_SKB_PROTOCOL = 16,
  RF_SKB_VLAN_PRESENT = 20,
  RF_SKB_VLAN_TCI = 24,
  RF_SKB_VLAN_PROTO = 28,
  RF_SKB_IFINDEX = 40,
  RF_SKB_HASH = 68,
  RF_SKB_DATA = 76,
  RF_SKB_DATA_END = 80,
  RF_SKB_FAMILY = 88,
  RF_SKB_REMOTE_IP4 = 92,
  RF_SKB_LOCAL_IP4 = 96,
  RF_SKB_REMOTE_IP6 = 100,
  RF_SKB_LOCAL_IP6 = 116,
  RF_SKB_DATA_META = 140,
  RF_SKB_TSTAMP = 152,
  RF_SKB_WIRE_LEN = 160,
  RF_SKB_TSTAMP_TYPE = 180,
  RF_SKB_BYTES = 192
};

enum { RF_ETHERNET_BYTES = 14 };
/* BPF_SKB_MAX_LEN: four pages less the shared info. */
enum { RF_SKB_BYTES_MAX = 16384 - 320 };

static inline uint64_t rf_skb_length(const struct rf_run *run) { return (uint64_t)(run->end - run->data); }

static inline uint32_t rf_skb_get(const struct rf_run *run, enum rf_skb_field field) {
  uint32_t value;
  memcpy(&value, run->context + field, sizeof value);
  return value;
}

static inline void rf_skb_set(struct rf_run *run, enum rf_skb_field field, uint32_t value) {
  memcpy(run->context + field, &value, sizeof value);
}

/* After the bounds have moved. */
static inline void rf_skb_publish(struct rf_run *run) {
  run->meta = run->data;
  if (run->data < run->lowest) run->lowest = run->data;
  rf_skb_set(run, RF_SKB_LEN, (uint32_t)rf_skb_length(run));
  rf_publish_packet(run);
}

/* linux/if_ether.h */
enum { RF_ETH_P_802_3_MIN = 0x600, RF_ETH_P_802_3 = 1, RF_ETH_P_802_2 = 4 };

/* eth_type_trans: a type field (both in network byte order) is the protocol, unless it is a length;
 * then what follows tells. */
static inline uint16_t rf_skb_protocol_of(uint16_t type, const uint8_t *payload, const uint8_t *end) {
  if (__builtin_bswap16(type) >= RF_ETH_P_802_3_MIN) return type;
  bool novell = end - payload >= 2 && payload[0] == 0xff && payload[1] == 0xff;
  return __builtin_bswap16(novell ? RF_ETH_P_802_3 : RF_ETH_P_802_2);
}

#endif
