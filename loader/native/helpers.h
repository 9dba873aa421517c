/* BPF helpers by number, and the support routines of generated code; see helpers.c. */
#ifndef RF_HELPERS_H
#define RF_HELPERS_H

#include "map.h"
#include "run.h"

#define RF_HELPER(name)                                                                      \
  uint64_t name(__attribute__((unused)) uint64_t r1, __attribute__((unused)) uint64_t r2,     \
                __attribute__((unused)) uint64_t r3, __attribute__((unused)) uint64_t r4,     \
                __attribute__((unused)) uint64_t r5, __attribute__((unused)) struct rf_run *run)

struct rf_helper {
  uint32_t id; /* enum bpf_func_id */
  rf_function function;
};

/* Each list ends with a null function. */
extern const struct rf_helper rf_map_helpers[], rf_environment_helpers[], rf_packet_helpers[],
    rf_checksum_helpers[], rf_text_helpers[], rf_room_helpers[], rf_link_helpers[],
    rf_memory_helpers[], rf_socket_helpers[],
    rf_storage_helpers[], rf_deferred_helpers[], rf_dynptr_helpers[], rf_object_helpers[], rf_tunnel_helpers[];

/* NULL: not implemented. */
rf_function rf_helper_by_id(uint32_t id);
rf_function rf_runtime_by_name(const char *name);

RF_HELPER(rf_tail_call);
RF_HELPER(rf_load_packet);
RF_HELPER(rf_zero);
RF_HELPER(rf_probe_load);
RF_HELPER(rf_show_frame);
RF_HELPER(rf_hide_frame);
RF_HELPER(rf_arena_load);
RF_HELPER(rf_arena_store);
RF_HELPER(rf_arena_atomic);

static inline void *rf_pointer(uint64_t address) { return (void *)(uintptr_t)address; }

#endif
