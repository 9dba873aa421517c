/* Instances and runs; see instance.h. */
#define _GNU_SOURCE
#include "instance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "context.h"
#include "held.h"
#include "objects.h"
#include "map_deferred.h"
#include "map_objects.h"

static uint32_t align64(uint32_t bytes) { return (bytes + 63) & ~63u; }

/* Offsets of the exchange area: words, context, then headroom, packet and tailroom, then the trace. */
static void lay_out(struct rf_instance *instance) {
  const struct rf_plan *plan = &instance->plan;
  instance->context_at = RF_WORDS * 4;
  uint32_t end = instance->context_at + align64(plan->context_bytes);
  instance->has_packet = plan->data_slot != RF_SLOT_NONE || plan->kind == RF_CONTEXT_SKB;
  instance->packet_at = end + (instance->has_packet ? RF_HEADROOM + RF_LINK_BYTES : 0);
  if (instance->has_packet) end = instance->packet_at + RF_PACKET_BYTES_MAX + RF_TAILROOM;
  instance->trace_at = end;
  instance->exchange_bytes = (size_t)end + RF_TRACE_BYTES;
}

static bool allocate(struct rf_instance *instance) {
  instance->context_block_bytes = RF_CONTEXT_HEADER_BYTES + rf_round8(instance->plan.context_bytes);
  if (instance->plan.kind == RF_CONTEXT_MEMORY) instance->context_block_bytes = RF_CONTEXT_HEADER_BYTES;
  instance->context = calloc(1, instance->context_block_bytes);
  instance->template = calloc(1, instance->context_block_bytes);
  instance->exchange = rf_pages(instance->exchange_bytes);
  if (instance->plan.metered) instance->run.held = calloc(RF_HELD_MAX, sizeof *instance->run.held);
  return instance->context != NULL && instance->template != NULL && instance->exchange != NULL &&
         (instance->run.held != NULL) == instance->plan.metered;
}

static uint64_t *pointer_at(struct rf_instance *instance, uint8_t slot) {
  uint64_t *pointers = (uint64_t *)(void *)instance->context;
  return slot == RF_SLOT_NONE ? &instance->run.nowhere : pointers + slot;
}

struct rf_instance *rf_instance_create(struct rf_extension *extension, struct rf_thread *thread) {
  struct rf_instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return NULL;
  atomic_init(&instance->references, 1);
  instance->plan = atomic_load(&extension->program)->plan;
  lay_out(instance);
  if (!allocate(instance)) {
    rf_instance_drop(instance);
    return NULL;
  }
  atomic_fetch_add(&extension->references, 1);
  instance->extension = extension;
  instance->packet = instance->exchange + instance->packet_at;
  struct rf_run *run = &instance->run;
  run->plan = &instance->plan;
  run->context = instance->context + RF_CONTEXT_HEADER_BYTES;
  run->data_at = pointer_at(instance, instance->plan.data_slot);
  run->end_at = pointer_at(instance, instance->plan.end_slot);
  run->meta_at = pointer_at(instance, instance->plan.meta_slot);
  run->identities = (const struct rf_identities *)(const void *)(instance->exchange + 4 * RF_WORD_IDENTITIES);
  run->lowest = instance->packet;
  run->environment = (struct rf_environment *)(void *)(instance->exchange + 4 * RF_WORD_ENVIRONMENT);
  run->thread = thread;
  run->meter = INT64_MAX;
  run->socket = instance->socket;
  run->trace = (char *)instance->exchange + instance->trace_at;
  run->trace_capacity = RF_TRACE_BYTES;
  return instance;
}

void rf_instance_take(struct rf_instance *instance) { atomic_fetch_add(&instance->references, 1); }

void rf_instance_close(struct rf_instance *instance) {
  if (instance->extension != NULL) rf_extension_drop(instance->extension);
  instance->extension = NULL;
  rf_host_close(&instance->host);
}

void rf_instance_drop(struct rf_instance *instance) {
  if (atomic_fetch_sub(&instance->references, 1) != 1) return;
  rf_instance_close(instance);
  rf_objects_collect(&instance->run);
  rf_pages_free(instance->exchange, instance->exchange_bytes);
  free(instance->context);
  free(instance->template);
  free(instance->saved);
  free(instance->around);
  free(instance->run.held);
  free(instance);
}

static uint32_t *words(struct rf_instance *instance) { return (uint32_t *)(void *)instance->exchange; }

static void put64(uint32_t *at, uint64_t value) {
  at[0] = (uint32_t)value;
  at[1] = (uint32_t)(value >> 32);
}

static void open_host(struct rf_instance *instance) {
  instance->run.host->failed = false;
}

/* Environment and identities are used where JavaScript put them: nobody changes them before the run has ended. */
static inline void begin(struct rf_instance *instance) {
  struct rf_run *run = &instance->run;
  const struct rf_environment *environment = run->environment;
  run->cpu = (environment->flags & RF_FIXED_CPU ? environment->cpu : run->thread->number) % RF_CPUS;
  run->trace_bytes = 0;
  if (run->redirect.kind != 0) {
    run->redirect = (struct rf_redirect){0};
    run->redirect_key.bytes = 0;
  }
  run->retval = 0;
  run->called_back = false;
  instance->outcome = RF_STATUS_OK;
  instance->busy = true;
  if (run->host != NULL) open_host(instance);
  rf_epoch_enter(run->thread);
}

static inline void end(struct rf_instance *instance) {
  struct rf_run *run = &instance->run;
  rf_epoch_exit(run->thread);
  if (run->dropped_count >= RF_DROPPED_MAX) rf_objects_collect(run);
  instance->busy = false;
  if (run->host != NULL && run->host->failed) instance->outcome = RF_STATUS_HELPER_FAILED;
  if (instance->plan.metered) put64(words(instance) + RF_WORD_EXECUTED, instance->executed);
}

static void finish(struct rf_instance *instance, uint64_t result) {
  end(instance);
  put64(words(instance) + RF_WORD_RESULT, result);
  words(instance)[RF_WORD_STATUS] = instance->outcome;
}

/* What a test tells besides. */
static void report(struct rf_instance *instance) {
  const struct rf_run *run = &instance->run;
  uint32_t *out = words(instance);
  out[RF_WORD_TRACE_BYTES] = run->trace_bytes;
  out[RF_WORD_TAIL_CALLS] = run->tail_calls;
  memcpy(out + RF_WORD_REDIRECT, &run->redirect, sizeof run->redirect);
  if (run->redirect.kind != 0) memcpy(out + RF_WORD_REDIRECT_KEY, &run->redirect_key, sizeof run->redirect_key);
  if (!instance->has_packet) return;
  out[RF_WORD_OUT_OFFSET] = (uint32_t)(run->data - instance->exchange);
  out[RF_WORD_OUT_BYTES] = (uint32_t)(run->end - run->data);
  out[RF_WORD_OUT_META_BYTES] = (uint32_t)(run->data - run->meta);
}

/* What a grown head showed is not the next run's business: every run starts with a zero headroom. */
static inline void clean_headroom(struct rf_instance *instance) {
  uint8_t *start = instance->packet, *lowest = instance->run.lowest;
  if (lowest >= start) return;
  memset(lowest, 0, (size_t)(start - lowest));
  instance->run.lowest = start;
}

static void open_meter(struct rf_instance *instance) {
  const uint32_t *in = words(instance) + RF_WORD_LIMIT;
  uint64_t limit = in[0] | (uint64_t)in[1] << 32;
  instance->limit = limit == 0 || limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
  instance->run.meter = instance->limit;
  instance->run.left_meter = false;
}

/* A stopped run executed all that it was given: its last payment could not be made in full. */
static void close_meter(struct rf_instance *instance) {
  struct rf_run *run = &instance->run;
  bool stopped = run->meter < 0;
  instance->executed = (uint64_t)(instance->limit - (stopped ? 0 : run->meter));
  instance->outcome = run->left_meter ? RF_STATUS_UNMETERED : stopped ? RF_STATUS_STOPPED : RF_STATUS_OK;
  rf_release_held(run);
  run->meter = INT64_MAX;
}

static uint64_t enter_metered(struct rf_instance *instance, struct rf_program *program, uint64_t r1, uint64_t r2) {
  open_meter(instance);
  uint64_t result = rf_enter(program, r1, r2, &instance->run);
  close_meter(instance);
  return result;
}

/* One entry into native code, context and packet bounds being set. */
static inline uint64_t enter(struct rf_instance *instance, struct rf_program *program) {
  struct rf_run *run = &instance->run;
  run->shown_count = 0;
  run->tail_calls = 0;
  run->program = program;
  uint64_t r1 = (uintptr_t)run->context, r2 = 0;
  if (instance->plan.kind == RF_CONTEXT_MEMORY) {
    r1 = (uintptr_t)(instance->exchange + instance->context_at);
    r2 = instance->plan.context_bytes;
  }
  if (instance->plan.metered) return enter_metered(instance, program, r1, r2);
  return rf_enter(program, r1, r2, run);
}

/* The program of this stay: whoever replaces it waits for the epoch that `begin` announced. */
static struct rf_program *current(struct rf_instance *instance) {
  return atomic_load_explicit(&instance->extension->program, memory_order_acquire);
}

static inline enum rf_status refuse(struct rf_instance *instance) {
  const uint32_t *in = words(instance);
  if (instance->extension == NULL) return RF_STATUS_CLOSED;
  if (instance->busy) return RF_STATUS_BUSY;
  if (instance->has_packet && in[RF_WORD_PACKET_BYTES] > RF_PACKET_BYTES_MAX) return RF_STATUS_SIZE;
  return RF_STATUS_OK;
}

/* Most packets are short; a call of memcpy would cost more than their copy. Both ends of the last
 * block lie inside the packet, so nothing beyond it is read. */
static inline void copy_packet(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  enum { BLOCK = 32, SHORT_BYTES = 256 };
  if (bytes < BLOCK || bytes > SHORT_BYTES) {
    if (bytes != 0) memcpy(to, from, bytes);
    return;
  }
  uint32_t last = bytes - BLOCK;
  for (uint32_t at = 0; at < last; at += BLOCK) memcpy(to + at, from + at, BLOCK);
  memcpy(to + last, from + last, BLOCK);
}

/* Where a run's input lies: the packet, or the memory of a `memory` program. */
static inline struct rf_input input_of(struct rf_instance *instance) {
  if (instance->plan.kind == RF_CONTEXT_MEMORY)
    return (struct rf_input){instance->exchange + instance->context_at, instance->plan.context_bytes};
  if (!instance->has_packet) return (struct rf_input){instance->exchange, 0};
  return (struct rf_input){instance->packet, words(instance)[RF_WORD_PACKET_BYTES]};
}

/* False: the caller's bytes are not those that were pinned. */
static inline bool take_pinned(struct rf_instance *instance, struct rf_input input) {
  if (words(instance)[RF_WORD_PINNED] == 0) return true;
  if (instance->source_bytes != input.bytes) return false;
  copy_packet(input.at, instance->source, input.bytes);
  return true;
}

/* What a `memory` program wrote goes back to the caller: by this copy, or by JavaScript's. */
static inline void give_pinned(struct rf_instance *instance, struct rf_input input) {
  uint32_t *at = words(instance);
  at[RF_WORD_GIVEN] = at[RF_WORD_PINNED] != 0 && !instance->run.called_back;
  if (at[RF_WORD_GIVEN]) copy_packet(instance->source, input.at, input.bytes);
}

/* All that `run` reads afterwards, in one number: the low half of r0, or below zero the status. */
static inline void put_outcome(struct rf_instance *instance, enum rf_status status, uint32_t result) {
  double outcome = status == RF_STATUS_OK ? (double)result : -(double)status;
  memcpy(words(instance) + RF_WORD_OUTCOME, &outcome, sizeof outcome);
}

struct rf_input rf_instance_input(struct rf_instance *instance) {
  struct rf_input input = input_of(instance);
  if (instance->has_packet) input.bytes = RF_PACKET_BYTES_MAX;
  return input;
}

static void show_context(struct rf_instance *instance) {
  memcpy(instance->exchange + instance->context_at, instance->run.context, instance->plan.context_bytes);
}

void rf_instance_run(struct rf_instance *instance) {
  const uint32_t *in = words(instance);
  enum rf_status status = refuse(instance);
  struct rf_input input = input_of(instance);
  if (status == RF_STATUS_OK && !take_pinned(instance, input)) status = RF_STATUS_SIZE;
  if (status != RF_STATUS_OK) {
    put_outcome(instance, status, 0);
    return;
  }
  begin(instance);
  clean_headroom(instance);
  if (instance->plan.kind != RF_CONTEXT_MEMORY) {
    if (in[RF_WORD_CONTEXT_BYTES] != 0 || !instance->template_is_default)
      rf_context_template(instance, in[RF_WORD_CONTEXT_BYTES]);
    rf_context_fill(instance, instance->packet, input.bytes, in[RF_WORD_META_BYTES]);
  }
  uint64_t result = enter(instance, current(instance));
  end(instance);
  put_outcome(instance, instance->outcome, (uint32_t)result);
  if (instance->plan.kind == RF_CONTEXT_MEMORY) give_pinned(instance, input);
  if (instance->plan.program_type & RF_DEFINED_TYPE) show_context(instance);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* What each run of a test starts from. */
static void reset(struct rf_instance *instance, struct rf_input original, uint32_t meta_bytes) {
  clean_headroom(instance);
  memcpy(original.at, instance->saved, original.bytes);
  if (instance->plan.kind != RF_CONTEXT_MEMORY) rf_context_fill(instance, instance->packet, original.bytes, meta_bytes);
}

void rf_instance_test(struct rf_instance *instance) {
  uint32_t *in = words(instance);
  enum rf_status status = refuse(instance);
  struct rf_input original = input_of(instance);
  uint32_t repeat = in[RF_WORD_REPEAT], meta_bytes = in[RF_WORD_META_BYTES];
  uint8_t *saved = status == RF_STATUS_OK ? realloc(instance->saved, (size_t)original.bytes + 1) : NULL;
  if (saved != NULL) instance->saved = saved;
  if (status == RF_STATUS_OK && (saved == NULL || !take_pinned(instance, original))) status = RF_STATUS_SIZE;
  if (status != RF_STATUS_OK) {
    in[RF_WORD_STATUS] = status;
    return;
  }
  memcpy(saved, original.at, original.bytes);
  begin(instance);
  struct rf_program *program = current(instance);
  if (instance->plan.kind != RF_CONTEXT_MEMORY) rf_context_template(instance, in[RF_WORD_CONTEXT_BYTES]);
  uint64_t result = 0, start = now_ns();
  for (uint32_t i = 0; i < repeat; i++) {
    reset(instance, original, meta_bytes);
    result = enter(instance, program);
  }
  put64(in + RF_WORD_NANOSECONDS, now_ns() - start);
  rf_context_hand_out(instance);
  finish(instance, result);
  report(instance);
  if (instance->plan.kind != RF_CONTEXT_MEMORY) show_context(instance);
}

static bool is_inside(const struct rf_batch *batch, uint32_t offset, uint32_t length) {
  return length <= RF_PACKET_BYTES_MAX && offset <= batch->buffer_bytes && length <= batch->buffer_bytes - offset;
}

/* Runs a program where the packets are: it leaves them alone, no JavaScript runs before the end, and
 * no other JavaScript thread has the buffer. What else might write there (a read from a file that is
 * under way) changes what the program sees and nothing more: a proof knows nothing of packet bytes
 * but what one load of them said, and generated code never repeats a load.
 * Neither headroom nor tailroom is there to be used. */
static size_t run_in_place(struct rf_instance *instance, struct rf_program *program,
                           const struct rf_batch *batch, uint64_t *last) {
  struct rf_run *run = &instance->run;
  const struct rf_batch all = *batch;
  bool xdp = instance->plan.kind == RF_CONTEXT_XDP;
  rf_function entry = program->entry;
  uint64_t context = (uintptr_t)run->context, result = 0;
  run->program = program;
  run->shown_count = 0;
  run->tail_calls = 0; /* and so it stays: a target would not be known to leave the packet alone */
  size_t i = 0;
  for (; i < all.count; i++) {
    uint32_t offset = all.offsets[i], length = all.lengths[i];
    if (!is_inside(&all, offset, length)) break;
    uint8_t *packet = (uint8_t *)(uintptr_t)all.buffer + offset;
    if (xdp) run->end = packet + length, run->data = run->meta = packet;
    else rf_context_fill(instance, packet, length, 0);
    run->head_limit = packet;
    run->tail_limit = run->end;
    rf_publish_packet(run);
    result = entry(context, 0, 0, 0, 0, run);
    all.results[i] = (uint32_t)result;
  }
  *last = result;
  run->meta = run->data = run->end = instance->packet;
  return i;
}

/* Runs a program on copies of the packets, one after the other. */
static size_t run_copies(struct rf_instance *instance, struct rf_program *program,
                         const struct rf_batch *batch, uint64_t *last) {
  struct rf_run *run = &instance->run;
  uint8_t *area = instance->packet;
  /* A copy of its own: stores through byte pointers could alias the caller's. */
  const struct rf_batch all = *batch;
  bool plain = !instance->plan.metered && !program->throws;
  rf_function entry = program->entry;
  uint64_t context = (uintptr_t)run->context, result = 0;
  size_t i = 0;
  for (; i < all.count; i++) {
    uint32_t offset = all.offsets[i], length = all.lengths[i];
    if (!is_inside(&all, offset, length)) break;
    clean_headroom(instance);
    copy_packet(area, all.buffer + offset, length);
    rf_context_fill(instance, area, length, 0);
    run->tail_calls = 0;
    run->program = program;
    result = __builtin_expect(plain, true) ? entry(context, 0, 0, 0, 0, run) : enter(instance, program);
    if (instance->outcome != RF_STATUS_OK) break;
    all.results[i] = (uint32_t)result;
  }
  *last = result;
  return i;
}

size_t rf_instance_batch(struct rf_instance *instance, const struct rf_batch *batch) {
  uint32_t *in = words(instance);
  enum rf_status status = refuse(instance);
  if (!instance->has_packet) status = RF_STATUS_SIZE;
  in[RF_WORD_STATUS] = status;
  if (status != RF_STATUS_OK) return 0;
  begin(instance);
  rf_context_template(instance, in[RF_WORD_CONTEXT_BYTES]);
  uint64_t result = 0, start = now_ns();
  struct rf_program *program = current(instance);
  bool in_place = program->keeps_packet && !batch->shared && !program->throws;
  size_t done = (in_place ? run_in_place : run_copies)(instance, program, batch, &result);
  put64(in + RF_WORD_NANOSECONDS, now_ns() - start);
  finish(instance, result);
  return done;
}

struct earliest {
  struct rf_map *map; /* NULL: nothing is armed */
  uint64_t due, turn;
};

static void consider(struct rf_map *map, void *argument) {
  struct earliest *earliest = argument;
  uint64_t due, turn;
  if (!rf_deferred_next(map, &due, &turn)) return;
  if (earliest->map != NULL && (due > earliest->due || (due == earliest->due && turn > earliest->turn))) return;
  *earliest = (struct earliest){map, due, turn};
}

/* Among the program's maps and those inside them. */
static struct earliest earliest_of(const struct rf_program *program) {
  struct earliest earliest = {0};
  for (uint32_t i = 0; i < program->map_count; i++) rf_map_visit(program->maps[i], consider, &earliest);
  return earliest;
}

static uint64_t get64(const uint32_t *at) { return at[0] | (uint64_t)at[1] << 32; }

void rf_instance_advance(struct rf_instance *instance) {
  uint32_t *in = words(instance);
  struct rf_environment *environment = instance->run.environment;
  uint64_t distance = get64(in + RF_WORD_ADVANCE);
  uint32_t most = in[RF_WORD_CALLBACKS], ran = 0;
  enum rf_status status = instance->extension == NULL ? RF_STATUS_CLOSED : instance->busy ? RF_STATUS_BUSY : RF_STATUS_OK;
  in[RF_WORD_STATUS] = status;
  if (status != RF_STATUS_OK) return;
  begin(instance);
  struct rf_program *program = current(instance);
  bool fixed = environment->flags & RF_FIXED_TIME;
  uint64_t until = fixed ? environment->time_ns + distance : now_ns();
  for (; ran < most; ran++) {
    struct earliest first = earliest_of(program);
    if (first.map == NULL || first.due > until) break;
    if (fixed && first.due > environment->time_ns) environment->time_ns = first.due;
    if (!rf_deferred_run(first.map, until, &instance->run)) break;
  }
  /* Time stands where the last callback left it when there are more to run. */
  if (fixed && ran < most && environment->time_ns < until) environment->time_ns = until;
  finish(instance, 0);
  in[RF_WORD_CALLBACKS] = ran;
}
