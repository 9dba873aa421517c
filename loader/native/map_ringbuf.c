/*
 * Ring buffer with the kernel's record layout: an 8-byte header (length, busy and discard bits, page
 * offset of the buffer), then the record, in units of 8 bytes. The data pages are mapped twice in a
 * row, so that a record that wraps around is contiguous.
 *
 * Positions count bytes and never wrap. Producers reserve under a lock and finish in any order; the
 * consumer stops at the first busy header. Headers lie outside what a program may write.
 */
#define _GNU_SOURCE
#include "map_ringbuf.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Header bits, BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT of uapi/linux/bpf.h. */
static const uint32_t BUSY = 1u << 31, DISCARD = 1u << 30;
enum { HEADER_BYTES = 8, QUERY_AVAILABLE = 0, QUERY_SIZE = 1, QUERY_CONSUMER = 2, QUERY_PRODUCER = 3 };

struct buffer {
  _Atomic uint32_t lock;
  uint32_t page_bytes;
  uint64_t data_bytes, room; /* most that may be reserved at once */
  _Atomic uint64_t consumed, produced, dropped;
  _Atomic uint32_t reading;
};

struct header {
  _Atomic uint32_t length;
  uint32_t pages; /* from the start of the buffer's mapping to this header */
};

static struct buffer *buffer_of(struct rf_map *map) { return (struct buffer *)map->values; }

static struct header *header_at(struct buffer *buffer, uint64_t position) {
  uint8_t *data = (uint8_t *)buffer + buffer->page_bytes;
  return (struct header *)(data + (position & (buffer->data_bytes - 1)));
}

static bool map_twice(uint8_t *base, size_t page, size_t bytes) {
  int descriptor = memfd_create("ringfence-ringbuf", MFD_CLOEXEC);
  if (descriptor < 0) return false;
  int protection = PROT_READ | PROT_WRITE;
  bool mapped = ftruncate(descriptor, (off_t)bytes) == 0 &&
                mmap(base + page, bytes, protection, MAP_SHARED | MAP_FIXED, descriptor, 0) != MAP_FAILED &&
                mmap(base + page + bytes, bytes, protection, MAP_SHARED | MAP_FIXED, descriptor, 0) != MAP_FAILED;
  close(descriptor);
  return mapped;
}

static long create(struct rf_map *map) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = map->spec.max_entries;
  if ((bytes & (bytes - 1)) != 0 || bytes % page != 0) return -EINVAL;
  map->storage_bytes = page + 2 * bytes;
  map->values = rf_pages(map->storage_bytes);
  if (map->values == NULL) return -ENOMEM;
  if (!map_twice(map->values, page, bytes)) {
    rf_pages_free(map->values, map->storage_bytes);
    return -ENOMEM;
  }
  map->readable = map->values;
  map->readable_bytes = map->storage_bytes;
  buffer_of(map)->page_bytes = (uint32_t)page;
  buffer_of(map)->data_bytes = bytes;
  /* The kernel's own ring is never quite full; what user space fills may be. */
  buffer_of(map)->room = map->kind == &rf_user_ringbuf ? bytes : bytes - 1;
  return 0;
}

static void destroy(struct rf_map *map) { rf_pages_free(map->values, map->storage_bytes); }

void *rf_ringbuf_reserve(struct rf_map *map, uint64_t bytes) {
  struct buffer *buffer = buffer_of(map);
  if (bytes > UINT32_MAX / 4) return NULL;
  uint64_t total = rf_round8(bytes + HEADER_BYTES);
  if (total > buffer->data_bytes) return NULL;
  rf_lock(&buffer->lock);
  uint64_t start = atomic_load_explicit(&buffer->produced, memory_order_relaxed);
  uint64_t consumed = atomic_load_explicit(&buffer->consumed, memory_order_acquire);
  if (start + total - consumed > buffer->room) {
    rf_unlock(&buffer->lock);
    atomic_fetch_add_explicit(&buffer->dropped, 1, memory_order_relaxed);
    return NULL;
  }
  struct header *header = header_at(buffer, start);
  header->pages = (uint32_t)(((uint8_t *)header - (uint8_t *)buffer) / buffer->page_bytes);
  atomic_store_explicit(&header->length, (uint32_t)bytes | BUSY, memory_order_relaxed);
  atomic_store_explicit(&buffer->produced, start + total, memory_order_release);
  rf_unlock(&buffer->lock);
  return header + 1;
}

void rf_ringbuf_finish(void *record, uint32_t discard) {
  struct header *header = (struct header *)record - 1;
  uint32_t length = atomic_load_explicit(&header->length, memory_order_relaxed) & ~BUSY;
  atomic_store_explicit(&header->length, length | (discard ? DISCARD : 0), memory_order_release);
}

void rf_ringbuf_discard(void *record) { rf_ringbuf_finish(record, 1); }

long rf_ringbuf_output(struct rf_map *map, const void *data, uint64_t bytes) {
  void *record = rf_ringbuf_reserve(map, bytes);
  if (record == NULL) return -EAGAIN;
  memcpy(record, data, bytes);
  rf_ringbuf_finish(record, 0);
  return 0;
}

uint64_t rf_ringbuf_query(struct rf_map *map, uint64_t what) {
  struct buffer *buffer = buffer_of(map);
  uint64_t consumed = atomic_load(&buffer->consumed), produced = atomic_load(&buffer->produced);
  switch (what) {
    case QUERY_AVAILABLE: return produced - consumed;
    case QUERY_SIZE: return buffer->data_bytes;
    case QUERY_CONSUMER: return consumed;
    case QUERY_PRODUCER: return produced;
    default: return 0;
  }
}

/* The next record under the reader's lock, skipping discarded ones. */
static uint32_t next_record(struct buffer *buffer, uint8_t *out, uint32_t capacity) {
  for (;;) {
    uint64_t position = atomic_load_explicit(&buffer->consumed, memory_order_relaxed);
    if (position == atomic_load_explicit(&buffer->produced, memory_order_acquire))
      return RF_NO_ELEMENT;
    struct header *header = header_at(buffer, position);
    uint32_t word = atomic_load_explicit(&header->length, memory_order_acquire);
    if (word & BUSY) return RF_NO_ELEMENT;
    uint32_t length = word & ~(BUSY | DISCARD);
    if ((word & DISCARD) == 0) memcpy(out, header + 1, length < capacity ? length : capacity);
    atomic_store_explicit(&buffer->consumed, position + rf_round8(length + HEADER_BYTES), memory_order_release);
    if ((word & DISCARD) == 0) return length;
  }
}

uint32_t rf_ringbuf_consume(struct rf_map *map, uint8_t *out, uint32_t capacity) {
  struct buffer *buffer = buffer_of(map);
  rf_lock(&buffer->reading);
  uint32_t length = next_record(buffer, out, capacity);
  rf_unlock(&buffer->reading);
  return length;
}

uint64_t rf_ringbuf_dropped(struct rf_map *map) { return atomic_load(&buffer_of(map)->dropped); }

/* The record at the consumer's position; its length, or a negative number that ends the walk. */
static int64_t next_sample(struct buffer *buffer, struct header **header, bool *discarded) {
  uint64_t position = atomic_load_explicit(&buffer->consumed, memory_order_relaxed);
  if (position == atomic_load_explicit(&buffer->produced, memory_order_acquire)) return -ENODATA;
  *header = header_at(buffer, position);
  uint32_t word = atomic_load_explicit(&(*header)->length, memory_order_acquire);
  if (word & BUSY) return -ENODATA;
  *discarded = (word & DISCARD) != 0;
  return word & ~(BUSY | DISCARD);
}

/* bpf_user_ringbuf_drain: BPF_MAX_USER_RINGBUF_SAMPLES at most, discarded ones included. */
long rf_user_ringbuf_drain(struct rf_map *map, rf_record_visit visit, void *argument) {
  enum { SAMPLES_MAX = 128 * 1024 };
  struct buffer *buffer = buffer_of(map);
  uint32_t free = 0;
  long samples = 0;
  if (!atomic_compare_exchange_strong_explicit(&buffer->reading, &free, 1, memory_order_acquire, memory_order_relaxed))
    return -EBUSY;
  bool wanted = true;
  for (uint32_t i = 0; i < SAMPLES_MAX && wanted; i++) {
    struct header *header;
    bool discarded;
    int64_t length = next_sample(buffer, &header, &discarded);
    if (length < 0) break;
    if (!discarded) {
      samples++;
      wanted = visit(header + 1, (uint32_t)length, argument);
    }
    atomic_fetch_add_explicit(&buffer->consumed, rf_round8((uint64_t)length + HEADER_BYTES), memory_order_release);
  }
  atomic_store_explicit(&buffer->reading, 0, memory_order_release);
  return samples;
}

const struct rf_map_kind rf_user_ringbuf = {.type = 31, .create = create, .destroy = destroy};
const struct rf_map_kind rf_ringbuf = {.type = 27, .create = create, .destroy = destroy};
