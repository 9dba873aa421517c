/*
 * Helpers on sockets, control groups and tracing context. A run has one socket, whose fields are those
 * of a test run's, and belongs to the root control group. Other sockets, routes and
 * a stack are there as far as the host tells of them (surroundings.h).
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "map_ringbuf.h"
#include "surroundings.h"

static RF_HELPER(nothing_found) { return 0; }
static RF_HELPER(done) { return 0; }
/* The argument has been proven to be a socket or null, and ours is a full one. */
static RF_HELPER(itself) { return r1; }

/* What the kernel does at the end of a message; here the decision is recorded. */
enum { SK_DROP = 0, SK_PASS = 1, INGRESS = 1, REDIRECT_MAP = 2 };

static RF_HELPER(redirect_to_socket) {
  struct rf_map *map = rf_pointer(r2);
  uint32_t key = (uint32_t)r3;
  if (r4 & ~(uint64_t)INGRESS) return SK_DROP;
  if (map->kind->lookup(map, &key, RF_ALL_CPUS) == NULL) return SK_DROP;
  run->redirect = (struct rf_redirect){REDIRECT_MAP, key, r4, key};
  return SK_PASS;
}

static RF_HELPER(redirect_by_hash) {
  struct rf_map *map = rf_pointer(r2);
  if (r4 & ~(uint64_t)INGRESS) return SK_DROP;
  if (map->kind->lookup(map, rf_pointer(r3), RF_ALL_CPUS) == NULL) return SK_DROP;
  uint32_t bytes = map->spec.key_bytes < RF_REDIRECT_KEY_BYTES ? map->spec.key_bytes : RF_REDIRECT_KEY_BYTES;
  run->redirect = (struct rf_redirect){REDIRECT_MAP, 0, r4, 0};
  run->redirect_key.bytes = bytes;
  memcpy(run->redirect_key.start, rf_pointer(r3), bytes);
  return SK_PASS;
}

/* The choice among sockets that share a port is recorded, as a redirection is. */
static RF_HELPER(select_reuseport) {
  struct rf_map *map = rf_pointer(r2);
  uint32_t index;
  memcpy(&index, rf_pointer(r3), sizeof index);
  if (r4 != 0) return (uint64_t)-EINVAL;
  if (map->kind->lookup(map, rf_pointer(r3), RF_ALL_CPUS) == NULL) return (uint64_t)-ENOENT;
  run->redirect = (struct rf_redirect){REDIRECT_MAP, index, 0, index};
  return 0;
}

/* No packet was protected by IPsec. */
static RF_HELPER(no_transformation) {
  memset(rf_pointer(r3), 0, (uint32_t)r4);
  return (uint64_t)-EINVAL;
}

/* Every group that an array names contains the root group's members, as there is no other group. */
static uint64_t member_of(struct rf_map *map, uint32_t index) {
  if (index >= map->spec.max_entries) return (uint64_t)-E2BIG;
  return map->kind->lookup(map, &index, RF_ALL_CPUS) == NULL ? (uint64_t)-EAGAIN : 1;
}
static RF_HELPER(buffer_under_group) { return member_of(rf_pointer(r2), (uint32_t)r3); }
static RF_HELPER(task_under_group) { return member_of(rf_pointer(r1), (uint32_t)r2); }

static RF_HELPER(current_group) { return run->identities->cgroup; }
static RF_HELPER(root_ancestor) { return (int32_t)r1 == 0 ? 1 : 0; }

static RF_HELPER(get_retval) { return (uint64_t)(int64_t)run->retval; }
static RF_HELPER(set_retval) {
  run->retval = (int32_t)r1;
  return 0;
}

/* The upper half of the flags asks for that many bytes of the packet behind the data. */
static RF_HELPER(perf_event_output) {
  enum { INDEX_BITS = 32, PACKET_BITS = 20 };
  uint32_t index = (uint32_t)r3 == UINT32_MAX ? run->cpu : (uint32_t)r3;
  uint64_t packet_bytes = r3 >> INDEX_BITS;
  bool packets = run->plan->kind == RF_CONTEXT_XDP || run->plan->kind == RF_CONTEXT_SKB;
  if (packet_bytes >> PACKET_BITS != 0 || (packet_bytes != 0 && !packets)) return (uint64_t)-EINVAL;
  if (packet_bytes != 0 && packet_bytes > (uint64_t)(run->end - run->data)) return (uint64_t)-EFAULT;
  return (uint64_t)rf_perf_output(rf_pointer(r2), index, (struct rf_bytes){rf_pointer(r4), r5},
                                  (struct rf_bytes){run->data, packet_bytes});
}

/* struct bpf_fib_lookup, uapi/linux/bpf.h. */
enum { FIB_LENGTH = 6, FIB_IFINDEX = 8, FIB_METRIC = 12, FIB_DESTINATION = 32, FIB_VLAN = 48, FIB_SOURCE_MAC = 52,
       FIB_DESTINATION_MAC = 58, FIB_BYTES = 64 };
enum { FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, FIB_FLAGS = 0x3f, SKIP_NEIGHBOUR = 4 };
/* BPF_FIB_LKUP_RET_* there. */
enum { FOUND = 0, NOT_FORWARDED = 4, NO_NEIGHBOUR = 7, TOO_LONG = 8 };

static uint64_t follow(const struct rf_route *route, uint64_t flags, uint8_t *parameters) {
  static const uint8_t nobody[sizeof route->destination_mac];
  uint16_t length, mtu = (uint16_t)route->mtu;
  memcpy(&length, parameters + FIB_LENGTH, sizeof length);
  if (route->outcome != FOUND) return route->outcome;
  memcpy(parameters + FIB_IFINDEX, &route->ifindex, sizeof route->ifindex);
  if (length != 0 && route->mtu != 0) {
    memcpy(parameters + FIB_LENGTH, &mtu, sizeof mtu);
    if (length > route->mtu) return TOO_LONG;
  }
  memset(parameters + FIB_METRIC, 0, 4);
  memset(parameters + FIB_VLAN, 0, 4);
  if (route->has_gateway)
    memcpy(parameters + FIB_DESTINATION, route->gateway, route->family == FAMILY_IPV4 ? 4 : 16);
  if (flags & SKIP_NEIGHBOUR) return FOUND;
  if (memcmp(route->destination_mac, nobody, sizeof nobody) == 0) return NO_NEIGHBOUR;
  memcpy(parameters + FIB_SOURCE_MAC, route->source_mac, sizeof route->source_mac);
  memcpy(parameters + FIB_DESTINATION_MAC, route->destination_mac, sizeof route->destination_mac);
  return FOUND;
}

/* Where nothing is routed: the answer that makes programs hand the packet to the stack. */
static RF_HELPER(fib_lookup) {
  uint8_t *parameters = rf_pointer(r2), family = parameters[0];
  if ((int32_t)r3 < FIB_BYTES || ((uint32_t)r4 & ~(uint32_t)FIB_FLAGS) != 0) return (uint64_t)-EINVAL;
  if (family != FAMILY_IPV4 && family != FAMILY_IPV6) return (uint64_t)-EAFNOSUPPORT;
  const struct rf_route *route = rf_route_to(run->around, family, parameters + FIB_DESTINATION);
  return route == NULL ? NOT_FORWARDED : follow(route, r4, parameters);
}

/* A socket that the host has, by its ends; the host owns it, so giving it back is nothing. */
enum { TCP = 6, UDP = 17, LISTENING = 10 };
static uint64_t look_up(const struct rf_run *run, uint32_t protocol, uint64_t tuple, uint64_t bytes, uint64_t flags) {
  if (flags != 0) return 0;
  return (uintptr_t)rf_socket_at(run->around, protocol, rf_pointer(tuple), (uint32_t)bytes);
}
static RF_HELPER(find_tcp) { return look_up(run, TCP, r2, r3, r5); }
static RF_HELPER(find_udp) { return look_up(run, UDP, r2, r3, r5); }
static RF_HELPER(listener) { return ((const struct rf_host_socket *)rf_pointer(r1))->state == LISTENING ? r1 : 0; }

/* They work on sockets that are listening, or found by a look-up: there are none. */
static RF_HELPER(no_listener) { return (uint64_t)-ENOENT; }
static RF_HELPER(not_at_ingress) { return r3 != 0 ? (uint64_t)-EINVAL : (uint64_t)-EOPNOTSUPP; }

/* The host's stack, innermost first, less the entries to be skipped; -EFAULT: it has given none. */
enum { SKIPPED = 0xff, USER_STACK = 0x100, SAME_HASH = 0x200, REPLACE = 0x400, BUILD_IDS = 0x800, ENTRY_BYTES = 8 };

static int64_t copy_stack(const struct rf_run *run, uint64_t skipped, uint8_t *to, uint64_t bytes) {
  const struct rf_surroundings *around = run->around;
  if (around == NULL || around->stack_count == 0 || skipped > around->stack_count) return -EFAULT;
  uint64_t held = (around->stack_count - skipped) * ENTRY_BYTES, copied = held < bytes ? held : bytes;
  memcpy(to, around->stack + skipped, copied);
  memset(to + copied, 0, bytes - copied);
  return (int64_t)copied;
}

static RF_HELPER(get_stack) {
  uint64_t bytes = (uint32_t)r3;
  int64_t copied = r4 & ~(uint64_t)(SKIPPED | USER_STACK) || bytes % ENTRY_BYTES != 0
                       ? -EINVAL
                       : copy_stack(run, r4 & SKIPPED, rf_pointer(r2), bytes);
  if (copied < 0) memset(rf_pointer(r2), 0, bytes);
  return (uint64_t)copied;
}

/* The number under which the map keeps this stack: one of its buckets (a power of two), by a hash of the
 * entries. */
static RF_HELPER(get_stackid) {
  enum { ENTRIES_MAX = 127 }; /* PERF_MAX_STACK_DEPTH, include/uapi/linux/perf_event.h */
  struct rf_map *map = rf_pointer(r2);
  uint8_t entries[ENTRIES_MAX * ENTRY_BYTES];
  uint64_t bytes = map->spec.value_bytes;
  if (r3 & ~(uint64_t)(SKIPPED | USER_STACK | SAME_HASH | REPLACE)) return (uint64_t)-EINVAL;
  if (bytes > sizeof entries) return (uint64_t)-EINVAL;
  int64_t copied = copy_stack(run, r3 & SKIPPED, entries, bytes);
  if (copied < 0) return (uint64_t)copied;
  uint32_t hash = 2166136261u; /* FNV-1a; the kernel's hash has a seed */
  for (uint64_t i = 0; i < bytes; i++) hash = (hash ^ entries[i]) * 16777619u;
  uint32_t id = hash & (map->spec.max_entries - 1);
  const void *kept = map->kind->lookup(map, &id, RF_ALL_CPUS);
  if (kept != NULL && memcmp(kept, entries, bytes) == 0) return id;
  if (kept != NULL && !(r3 & REPLACE)) return (uint64_t)-EEXIST;
  long error = rf_stack_keep(map, id, entries);
  return error != 0 ? (uint64_t)error : id;
}

/* A task that cannot be looked into: all that is read there faults. */
static RF_HELPER(opaque_task) { return 0xffff888000000000; }

const struct rf_helper rf_socket_helpers[] = {
    {25, perf_event_output}, {27, get_stackid},        {33, buffer_under_group}, {35, opaque_task},
    {37, task_under_group},  {52, redirect_to_socket}, {60, redirect_to_socket}, {67, get_stack},
    {66, no_transformation}, {82, select_reuseport},
    {69, fib_lookup},        {71, redirect_by_hash}, {72, redirect_by_hash},   {80, current_group},
    {84, find_tcp},          {85, find_udp},         {86, done},               {95, itself},
    {96, nothing_found},     {98, listener},         {99, find_tcp},           {100, no_listener},
    {110, no_listener},      {123, root_ancestor},   {124, not_at_ingress},    {136, nothing_found},
    {137, nothing_found},    {138, nothing_found},   {139, nothing_found},     {140, nothing_found},
    {173, nothing_found},    {174, nothing_found},   {178, nothing_found},     {186, get_retval},
    {187, set_retval},       {196, nothing_found},   {0, NULL}};
