/* Contexts before a run; see context.c. */
#ifndef RF_CONTEXT_H
#define RF_CONTEXT_H

#include "instance.h"

/* Makes the template from the bytes in the exchange area; once per run, test or batch. */
void rf_context_template(struct rf_instance *instance, uint32_t given_bytes);
/* rf_context_fill for all but XDP. */
void rf_context_fill_other(struct rf_instance *instance, uint8_t *packet, uint32_t packet_bytes);

/* What the caller of a test run gets back, as bpf_prog_test_run_skb and _xdp do. */
void rf_context_hand_out(struct rf_instance *instance);

/* Room in front of the headroom for the link header that rf_context_hand_out adds. */
enum { RF_LINK_BYTES = 64 };

/* XDP frames are one page: headroom, packet, tailroom for the shared info. */
enum { RF_XDP_HEADROOM = 256, RF_XDP_PACKET_BYTES = 4096 - 256 - 320 };

static inline void rf_fill_xdp(struct rf_run *run, uint8_t *packet, uint32_t packet_bytes, uint32_t meta_bytes) {
  if (meta_bytes > packet_bytes) meta_bytes = packet_bytes;
  run->meta = packet;
  run->data = packet + meta_bytes;
  run->end = packet + packet_bytes;
  run->head_limit = run->data - RF_XDP_HEADROOM;
  run->tail_limit = packet_bytes - meta_bytes < RF_XDP_PACKET_BYTES ? run->data + RF_XDP_PACKET_BYTES : run->end;
}

/* Fills context and packet bounds for a packet, and publishes them. Inline for XDP, where it is most of
 * what a run of a small program costs: no field of struct xdp_md can be written, so the template's copy
 * is still as it was. */
static inline void rf_context_fill(struct rf_instance *instance, uint8_t *packet, uint32_t packet_bytes,
                                   uint32_t meta_bytes) {
  struct rf_run *run = &instance->run;
  if (__builtin_expect(instance->plan.kind == RF_CONTEXT_XDP, true)) rf_fill_xdp(run, packet, packet_bytes, meta_bytes);
  else rf_context_fill_other(instance, packet, packet_bytes);
  rf_publish_packet(run);
}

#endif
