/* Contexts before a run; see context.c. */
#ifndef RF_CONTEXT_H
#define RF_CONTEXT_H

#include "instance.h"

/* Makes the template from the bytes in the exchange area; once per run, test or batch. */
void rf_context_template(struct rf_instance *instance, uint32_t given_bytes);
/* Fills context and packet bounds for the packet that lies in the packet area. */
void rf_context_fill(struct rf_instance *instance, uint32_t packet_bytes, uint32_t meta_bytes);

#endif
