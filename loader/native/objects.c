/*
 * Memory of objects; see objects.h. One region of the process, cut into chunks of blocks of one size
 * each, so that it can be told of any address whether a live object is there. A block starts with a
 * head that says what is in it. Blocks are used again, chunks never for another size.
 */
#include "objects.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "epoch.h"
#include "graph.h"
#include "map_deferred.h"

struct head {
  _Atomic uint32_t references; /* 0: nobody owns it */
  uint32_t stride;             /* of one processor's part; 0: there is one part */
  const struct rf_type *type;
  struct rf_types *types;
  struct head *next; /* among free or dropped blocks */
};

enum { CHUNK_BYTES = 1 << 16, CHUNKS = 4096, LEAST_SHIFT = 6, SIZES = 9 };
/* Of one object: bpf_mem_alloc's own limits, and the largest block. */
enum { OBJECT_BYTES_MAX = 4096, PART_BYTES_MAX = 512 };
_Static_assert(sizeof(struct head) == 32, "contents are aligned to 8 bytes");
_Static_assert(PART_BYTES_MAX * RF_CPUS + 32 <= 1 << (LEAST_SHIFT + SIZES - 1), "largest block");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *region;
static _Atomic uint8_t chunk_shift[CHUNKS]; /* 0: not in use yet */
static uint32_t chunk_count;
static struct head *free_blocks[SIZES];

static void *content_of(struct head *head) { return head + 1; }
static struct head *head_of(void *object) { return (struct head *)object - 1; }

static uint32_t size_of(uint64_t bytes) {
  uint32_t size = 0;
  while (((uint64_t)1 << (LEAST_SHIFT + size)) < bytes) size++;
  return size;
}

/* Under the lock: makes a chunk of free blocks; false: no memory. */
static bool add_chunk(uint32_t size) {
  if (region == NULL) region = rf_pages((size_t)CHUNK_BYTES * CHUNKS);
  if (region == NULL || chunk_count == CHUNKS) return false;
  uint8_t *chunk = region + (size_t)CHUNK_BYTES * chunk_count;
  size_t block_bytes = (size_t)1 << (LEAST_SHIFT + size);
  for (size_t at = CHUNK_BYTES; at >= block_bytes; at -= block_bytes) {
    struct head *head = (struct head *)(void *)(chunk + at - block_bytes);
    head->next = free_blocks[size];
    free_blocks[size] = head;
  }
  atomic_store(&chunk_shift[chunk_count++], (uint8_t)(LEAST_SHIFT + size));
  return true;
}

static struct head *take_block(uint32_t size) {
  pthread_mutex_lock(&lock);
  struct head *head = free_blocks[size];
  if (head == NULL && add_chunk(size)) head = free_blocks[size];
  if (head != NULL) free_blocks[size] = head->next;
  pthread_mutex_unlock(&lock);
  return head;
}

static uint64_t bytes_of(const struct head *head) {
  return head->stride == 0 ? head->type->bytes : (uint64_t)head->stride * RF_CPUS;
}

/* For rf_retire: no thread can hold these blocks. */
static void free_blocks_of(void *list) {
  struct head *head = list;
  pthread_mutex_lock(&lock);
  while (head != NULL) {
    struct head *next = head->next;
    uint32_t size = size_of(bytes_of(head) + sizeof *head);
    struct rf_types *types = head->types;
    head->next = free_blocks[size];
    free_blocks[size] = head;
    rf_types_drop(types);
    head = next;
  }
  pthread_mutex_unlock(&lock);
}

void rf_types_drop(struct rf_types *types) {
  if (types != NULL && atomic_fetch_sub(&types->references, 1) == 1) free(types);
}

const struct rf_type *rf_type_by_id(const struct rf_types *types, uint64_t id) {
  for (uint32_t i = 0; types != NULL && i < types->count; i++)
    if (types->types[i].id == id) return &types->types[i];
  return NULL;
}

/* Nodes must know where they lie in their object; all else begins as zeroes. */
static void place_nodes(const struct rf_type *type, uint8_t *content) {
  for (uint32_t i = 0; i < type->field_count; i++) {
    const struct rf_field *field = &type->fields[i];
    uint8_t *at = content + field->offset;
    if (field->kind == RF_FIELD_LIST_NODE) ((struct rf_list_node *)(void *)at)->in = field->offset;
    if (field->kind == RF_FIELD_TREE_NODE) ((struct rf_tree_node *)(void *)at)->in = field->offset;
  }
}

void *rf_object_new(struct rf_types *types, const struct rf_type *type, enum rf_object_shape shape) {
  uint32_t stride = shape == RF_ONE_PER_CPU ? (type->bytes + 7) & ~7u : 0;
  if (type->bytes > (shape == RF_ONE_PER_CPU ? PART_BYTES_MAX : OBJECT_BYTES_MAX)) return NULL;
  uint64_t bytes = stride == 0 ? type->bytes : (uint64_t)stride * RF_CPUS;
  struct head *head = take_block(size_of(bytes + sizeof *head));
  if (head == NULL) return NULL;
  memset(content_of(head), 0, bytes);
  place_nodes(type, content_of(head));
  atomic_fetch_add(&types->references, 1);
  head->types = types;
  head->type = type;
  head->stride = stride;
  atomic_store_explicit(&head->references, 1, memory_order_release);
  return content_of(head);
}

void *rf_object_of_cpu(void *object, uint32_t cpu) { return (uint8_t *)object + (size_t)head_of(object)->stride * cpu; }

bool rf_object_acquire(void *object) {
  _Atomic uint32_t *references = &head_of(object)->references;
  uint32_t count = atomic_load_explicit(references, memory_order_relaxed);
  while (count != 0)
    if (atomic_compare_exchange_weak(references, &count, count + 1)) return true;
  return false;
}

/* Puts the object on the list if this was the last reference. */
static void let_go(void *object, struct head **list) {
  struct head *head = head_of(object);
  if (atomic_fetch_sub(&head->references, 1) != 1) return;
  head->next = *list;
  *list = head;
}

/* The lock that goes with the lists and trees of a value. */
static const struct rf_field *lock_among(const struct rf_field *fields, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (fields[i].kind == RF_FIELD_LOCK || fields[i].kind == RF_FIELD_RESILIENT_LOCK) return &fields[i];
  return NULL;
}

static void let_go_field(const struct rf_field *field, uint8_t *at, struct head **list) {
  switch (field->kind) {
    case RF_FIELD_POINTER: {
      uint64_t object = atomic_exchange((_Atomic uint64_t *)(void *)at, 0);
      if (object != 0) let_go((void *)(uintptr_t)object, list);
      return;
    }
    case RF_FIELD_LIST: {
      struct rf_list_node *node;
      while ((node = rf_list_remove((struct rf_list_head *)(void *)at, RF_FRONT)) != NULL)
        let_go(rf_object_of(node, &node->in), list);
      return;
    }
    case RF_FIELD_TREE: {
      struct rf_tree_root *root = (struct rf_tree_root *)(void *)at;
      while (root->top != NULL) {
        struct rf_tree_node *node = root->top;
        rf_tree_remove(root, node);
        let_go(rf_object_of(node, &node->in), list);
      }
      return;
    }
    default: return; /* locks, nodes, counts: nothing is owned */
  }
}

/* Other programs may work on the value's lists at this moment, under its lock. */
static void let_go_fields(const struct rf_field *fields, uint32_t count, uint8_t *value, struct head **list) {
  const struct rf_field *field = lock_among(fields, count);
  _Atomic uint32_t *held = field == NULL ? NULL : (_Atomic uint32_t *)(void *)(value + field->offset);
  if (held != NULL) rf_lock(held);
  for (uint32_t i = 0; i < count; i++) let_go_field(&fields[i], value + fields[i].offset, list);
  if (held != NULL) rf_unlock(held);
}

/* Moves objects that nobody owns to `done`, with all that they owned; how many. A list, no recursion,
 * since a program may make a chain of any length. */
static uint32_t settle(struct head *list, struct head **done) {
  uint32_t count = 0;
  for (; list != NULL; count++) {
    struct head *head = list;
    list = head->next;
    let_go_fields(head->type->fields, head->type->field_count, content_of(head), &list);
    head->next = *done;
    *done = head;
  }
  return count;
}

void rf_object_drop(void *object, struct rf_run *run) {
  struct head *list = NULL, *done = run->dropped;
  let_go(object, &list);
  run->dropped_count += settle(list, &done);
  run->dropped = done;
}

static void retire(struct head *list) {
  struct head *done = NULL;
  settle(list, &done);
  if (done != NULL) rf_retire(done, free_blocks_of);
}

void rf_object_release(void *object) {
  struct head *list = NULL;
  let_go(object, &list);
  retire(list);
}

void rf_fields_clear(const struct rf_field *fields, uint32_t count, void *value) {
  struct head *list = NULL;
  let_go_fields(fields, count, value, &list);
  retire(list);
}

void rf_objects_collect(struct rf_run *run) {
  struct head *dropped = run->dropped;
  run->dropped = NULL;
  run->dropped_count = 0;
  if (dropped != NULL) rf_retire(dropped, free_blocks_of);
}

bool rf_in_object(const struct rf_types *types, uint64_t address, uint64_t bytes) {
  uint64_t offset = address - (uintptr_t)region;
  if (region == NULL || offset >= (uint64_t)CHUNK_BYTES * CHUNKS) return false;
  uint32_t shift = atomic_load(&chunk_shift[offset / CHUNK_BYTES]);
  if (shift == 0) return false;
  struct head *head = (struct head *)(void *)(region + (offset >> shift << shift));
  if (atomic_load(&head->references) == 0 || head->types != types) return false;
  uint64_t inside = address - (uintptr_t)content_of(head), length = bytes_of(head);
  return inside <= length && bytes <= length - inside;
}
