/*
 * One table of helpers: every file contributes its rows, this one finds them. What is missing here is
 * refused by name when a program that calls it is loaded.
 */
#include "helpers.h"

#include <string.h>

static const struct rf_helper *const lists[] = {
    rf_map_helpers,      rf_environment_helpers, rf_packet_helpers,
    rf_checksum_helpers, rf_text_helpers,        rf_room_helpers,
    rf_link_helpers,     rf_memory_helpers,      rf_socket_helpers,
    rf_storage_helpers,  rf_deferred_helpers,    rf_dynptr_helpers,
    rf_object_helpers,   rf_tunnel_helpers,
};

static const struct {
  const char *name;
  rf_function function;
} runtime[] = {
    {"rf_tail_call", rf_tail_call},
    {"rf_load_packet", rf_load_packet},
    {"rf_zero", rf_zero},
    {"rf_probe_load", rf_probe_load},
    {"rf_show_frame", rf_show_frame},
    {"rf_hide_frame", rf_hide_frame},
    {"rf_arena_load", rf_arena_load},
    {"rf_arena_store", rf_arena_store},
    {"rf_arena_atomic", rf_arena_atomic},
};

rf_function rf_helper_by_id(uint32_t id) {
  for (size_t list = 0; list < sizeof lists / sizeof *lists; list++)
    for (const struct rf_helper *row = lists[list]; row->function != NULL; row++)
      if (row->id == id) return row->function;
  return NULL;
}

rf_function rf_runtime_by_name(const char *name) {
  for (size_t i = 0; i < sizeof runtime / sizeof *runtime; i++)
    if (strcmp(runtime[i].name, name) == 0) return runtime[i].function;
  return NULL;
}

RF_HELPER(rf_zero) {
  memset(rf_pointer(r1), 0, r2);
  return 0;
}
