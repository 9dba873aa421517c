/*
 * Helpers on sockets, control groups and tracing context. A run has one socket, whose fields are those
 * of a test run's, and belongs to the root control group. No other socket is ever found.
 */
#include <errno.h>

#include "helpers.h"
#include "map_ringbuf.h"

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
  run->redirect = (struct rf_redirect){REDIRECT_MAP, 0, r4, 0};
  return SK_PASS;
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

/* Nothing is routed: the answer that makes programs hand the packet to the stack. */
static RF_HELPER(fib_lookup) {
  enum { PARAMETERS_BYTES = 64, FLAGS = 0x3f, FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, NOT_FORWARDED = 4 };
  uint8_t family = *(const uint8_t *)rf_pointer(r2);
  if ((int32_t)r3 < PARAMETERS_BYTES || ((uint32_t)r4 & ~(uint32_t)FLAGS) != 0) return (uint64_t)-EINVAL;
  return family == FAMILY_IPV4 || family == FAMILY_IPV6 ? NOT_FORWARDED : (uint64_t)-EAFNOSUPPORT;
}

/* They work on sockets that are listening, or found by a look-up: there are none. */
static RF_HELPER(no_listener) { return (uint64_t)-ENOENT; }
static RF_HELPER(not_at_ingress) { return r3 != 0 ? (uint64_t)-EINVAL : (uint64_t)-EOPNOTSUPP; }

/* There is no stack of a kernel or user to be walked. */
static RF_HELPER(no_stack) { return (uint64_t)-EFAULT; }

/* A task that cannot be looked into: all that is read there faults. */
static RF_HELPER(opaque_task) { return 0xffff888000000000; }

const struct rf_helper rf_socket_helpers[] = {
    {25, perf_event_output}, {27, no_stack},         {33, buffer_under_group}, {35, opaque_task},
    {37, task_under_group},  {52, redirect_to_socket}, {60, redirect_to_socket}, {67, no_stack},
    {69, fib_lookup},        {71, redirect_by_hash}, {72, redirect_by_hash},   {80, current_group},
    {84, nothing_found},     {85, nothing_found},    {86, done},               {95, itself},
    {96, nothing_found},     {98, nothing_found},    {99, nothing_found},      {100, no_listener},
    {110, no_listener},      {123, root_ancestor},   {124, not_at_ingress},    {136, nothing_found},
    {137, nothing_found},    {138, nothing_found},   {139, nothing_found},     {140, nothing_found},
    {173, nothing_found},    {174, nothing_found},   {178, nothing_found},     {186, get_retval},
    {187, set_retval},       {196, nothing_found},   {0, NULL}};
