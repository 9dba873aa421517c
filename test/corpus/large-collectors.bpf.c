/* Collectors that gather many values of a process into one record whose length varies. */
#include "corpus.h"

#include <bpf/bpf_tracing.h>

#define MAX_INTS 6
#define MAX_STRINGS 13
#define MAX_MAPS 4
#define MAX_ENTRIES 10
#define STRING_BYTES 256
#define PAYLOAD_BYTES (MAX_STRINGS * STRING_BYTES + MAX_MAPS * (1 + MAX_ENTRIES * 2) * STRING_BYTES)

struct location {
  __s64 mode;
  __s64 offset;
};

struct plan {
  __s64 identifier;
  struct location ints[MAX_INTS];
  struct location strings[MAX_STRINGS];
  struct location maps[MAX_MAPS];
};

struct raw_string {
  __u64 length;
  const char *text;
};

struct raw_entry {
  const char *key;
  const char *value;
};

struct raw_map {
  __s64 id;
  __s64 count;
  const char *tag;
  struct raw_entry entries[MAX_ENTRIES];
};

struct map_description {
  __u64 id;
  __s16 count;
  __u16 tag_length;
  __u16 key_lengths[MAX_ENTRIES];
  __u16 value_lengths[MAX_ENTRIES];
};

struct record {
  __u64 request;
  __u8 request_valid;
  __u64 ints_valid;
  __u64 ints[MAX_INTS];
  __u16 string_lengths[MAX_STRINGS];
  struct map_description maps[MAX_MAPS];
  char payload[PAYLOAD_BYTES];
};

struct sample {
  __u64 time;
  __u32 pid;
  char name[16];
  __s32 stack;
  __u32 payload_length;
  struct record record;
};

struct thread_block {
  void *tag;
  void *vector;
};

TABLE(plans, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct plan, 64);
TABLE(samples, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct sample, 1);
TABLE(outputs, BPF_MAP_TYPE_PERF_EVENT_ARRAY, __u32, __u32, 64);

static ALWAYS_INLINE void *address_of(const struct location *location, void *block) {
  if (location->mode == 0) return NULL;
  if (location->mode == 1) return (void *)location->offset;
  if (location->mode == 2) return block + location->offset;
  struct thread_block found;
  bpf_probe_read_user(&found, sizeof(found), block + location->offset);
  if (!found.vector || found.tag == (void *)-1) return NULL;
  return found.vector + (location->offset & 0xffff);
}

static ALWAYS_INLINE void read_int(const struct plan *plan, int index, void *block,
    struct record *out) {
  void *address = address_of(&plan->ints[index], block);
  if (!address) return;
  __u64 value;
  if (bpf_probe_read_user(&value, sizeof(value), address)) return;
  out->ints[index] = value;
  if (index == 0) out->request = value, out->request_valid = 1;
  out->ints_valid |= 1ull << index;
}

static ALWAYS_INLINE __u64 read_string(const struct plan *plan, int index, void *block,
    struct record *out, __u64 at) {
  void *address = address_of(&plan->strings[index], block);
  out->string_lengths[index] = 0;
  if (!address || at > PAYLOAD_BYTES - STRING_BYTES) return 0;
  struct raw_string raw;
  if (bpf_probe_read_user(&raw, sizeof(raw), address)) return 0;
  long length = bpf_probe_read_user_str(&out->payload[at], STRING_BYTES, raw.text);
  if (length < 0 || length > STRING_BYTES) return 0;
  out->string_lengths[index] = length;
  return length;
}

static ALWAYS_INLINE __u64 read_text(struct record *out, __u64 at, const char *from,
    __u16 *length) {
  if (at > PAYLOAD_BYTES - STRING_BYTES) return 0;
  long size = bpf_probe_read_user_str(&out->payload[at], STRING_BYTES, from);
  if (size < 0 || size > STRING_BYTES) return 0;
  *length = size;
  return size;
}

static ALWAYS_INLINE __u64 read_map(const struct plan *plan, int index, void *block,
    struct record *out, __u64 at) {
  struct map_description *description = &out->maps[index];
  description->count = -1;
  void *address = address_of(&plan->maps[index], block);
  if (!address) return at;
  struct raw_map raw;
  if (bpf_probe_read_user(&raw, sizeof(raw), address)) return at;
  description->id = raw.id;
  description->count = raw.count;
  at += read_text(out, at, raw.tag, &description->tag_length);
  for (int i = 0; i < MAX_ENTRIES; i++) {
    if (i >= raw.count) break;
    description->key_lengths[i] = 0;
    at += read_text(out, at, raw.entries[i].key, &description->key_lengths[i]);
    description->value_lengths[i] = 0;
    at += read_text(out, at, raw.entries[i].value, &description->value_lengths[i]);
  }
  return at;
}

static ALWAYS_INLINE __u64 collect(void *block, struct record *out) {
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  __u32 key = pid & 63;
  struct plan *plan = bpf_map_lookup_elem(&plans, &key);
  if (!plan) return 0;
  __u64 at = 0;
  out->ints_valid = 0;
  out->request_valid = 0;
  for (int i = 0; i < MAX_INTS; i++) read_int(plan, i, block, out);
  for (int i = 0; i < MAX_STRINGS; i++) at += read_string(plan, i, block, out, at);
  for (int i = 0; i < MAX_MAPS; i++) at = read_map(plan, i, block, out, at);
  return at;
}

/* corpus: loops accepted */
SEC("raw_tracepoint/kfree_skb")
int collect_variables(struct bpf_raw_tracepoint_args *ctx) {
  __u32 zero = 0;
  struct sample *sample = bpf_map_lookup_elem(&samples, &zero);
  if (!sample) return 0;
  sample->pid = bpf_get_current_pid_tgid() >> 32;
  sample->time = bpf_ktime_get_ns();
  bpf_get_current_comm(&sample->name, sizeof(sample->name));
  __u64 length = collect((void *)ctx->args[0], &sample->record);
  sample->payload_length = length;
  __u64 size = offsetof(struct sample, record) + offsetof(struct record, payload) + length;
  if (size > sizeof(*sample)) size = sizeof(*sample);
  bpf_perf_event_output(ctx, &outputs, BPF_F_CURRENT_CPU, sample, size);
  return 0;
}

/* An event: a header, a table of lengths, and the values one behind the other. */

#define EVENT_BYTES (1 << 16)
#define ARGUMENT_BYTES (1 << 12)
#define MAX_PARAMETERS 32

struct event_header {
  __u64 time;
  __u64 thread;
  __u32 length;
  __u16 type;
  __u32 parameters;
};

struct event_buffer {
  char bytes[EVENT_BYTES * 2];
};

struct progress {
  __u32 header_at;
  __u32 data_at;
  __u32 count;
  __u32 failed;
};

TABLE(buffers, BPF_MAP_TYPE_ARRAY, __u32, struct event_buffer, 1);
TABLE(filters, BPF_MAP_TYPE_HASH, __u32, __u32, 128);
TABLE(drops, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 8);

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} ring SEC(".maps");

struct file_path {
  const char *name;
};

struct linux_path {
  struct file_path dentry[1];
};

static ALWAYS_INLINE void close_parameter(struct event_buffer *buffer, struct progress *progress,
    __u16 length) {
  __u32 at = progress->header_at & (ARGUMENT_BYTES - 1);
  *(__u16 *)&buffer->bytes[at] = length;
  progress->header_at += 2;
  progress->data_at += length;
  progress->count++;
}

static ALWAYS_INLINE void put_number(struct event_buffer *buffer, struct progress *progress,
    __u64 value, __u32 size) {
  __u32 at = progress->data_at & (EVENT_BYTES - 1);
  switch (size) {
    case 1:
      *(__u8 *)&buffer->bytes[at] = value;
      break;
    case 2:
      *(__u16 *)&buffer->bytes[at] = value;
      break;
    case 4:
      *(__u32 *)&buffer->bytes[at] = value;
      break;
    default:
      *(__u64 *)&buffer->bytes[at] = value;
  }
  close_parameter(buffer, progress, size);
}

static ALWAYS_INLINE void put_string(struct event_buffer *buffer, struct progress *progress,
    const void *from, bool is_user) {
  __u32 at = progress->data_at & (EVENT_BYTES - 1);
  long length = 0;
  if (from) {
    length = is_user ? bpf_probe_read_user_str(&buffer->bytes[at], ARGUMENT_BYTES, from)
                     : bpf_probe_read_kernel_str(&buffer->bytes[at], ARGUMENT_BYTES, from);
    if (length < 0) length = 0;
  }
  if (length == 0) buffer->bytes[at] = 0, length = 1;
  close_parameter(buffer, progress, length);
}

static ALWAYS_INLINE void put_bytes(struct event_buffer *buffer, struct progress *progress,
    const void *from, __u64 size) {
  __u32 at = progress->data_at & (EVENT_BYTES - 1);
  __u32 length = size & (ARGUMENT_BYTES - 1);
  if (!from || bpf_probe_read_user(&buffer->bytes[at], length, from)) length = 0;
  close_parameter(buffer, progress, length);
}

/* Strings one behind the other, as arguments and environments lie. */
static ALWAYS_INLINE void put_vector(struct event_buffer *buffer, struct progress *progress,
    const char *const *vector, int most) {
  __u32 start = progress->data_at;
  __u32 at = start;
  for (int i = 0; i < most; i++) {
    const char *text = NULL;
    if (bpf_probe_read_user(&text, sizeof(text), &vector[i]) || !text) break;
    long length = bpf_probe_read_user_str(&buffer->bytes[at & (EVENT_BYTES - 1)], ARGUMENT_BYTES,
        text);
    if (length <= 0) break;
    at += length;
    if (at - start >= ARGUMENT_BYTES) break;
  }
  close_parameter(buffer, progress, at - start);
}

static ALWAYS_INLINE __u64 put_socket(struct event_buffer *buffer, struct progress *progress,
    const void *address, __u32 size) {
  __u16 family = 0;
  char raw[32] = {};
  if (!address || size < 2 || bpf_probe_read_user(raw, size & 31, address)) {
    put_number(buffer, progress, 0, 1);
    return 0;
  }
  family = *(__u16 *)raw;
  __u32 at = progress->data_at & (EVENT_BYTES - 1);
  buffer->bytes[at] = family;
  switch (family) {
    case 2:
      *(__u32 *)&buffer->bytes[at + 1] = *(__u32 *)&raw[4];
      *(__u16 *)&buffer->bytes[at + 5] = *(__u16 *)&raw[2];
      close_parameter(buffer, progress, 7);
      return 7;
    case 10:
      __builtin_memcpy(&buffer->bytes[at + 1], &raw[8], 16);
      *(__u16 *)&buffer->bytes[at + 17] = *(__u16 *)&raw[2];
      close_parameter(buffer, progress, 19);
      return 19;
    case 1: {
      long length = bpf_probe_read_user_str(&buffer->bytes[at + 1], 108, address + 2);
      if (length < 0) length = 0;
      close_parameter(buffer, progress, length + 1);
      return length;
    }
    default:
      close_parameter(buffer, progress, 1);
      return 1;
  }
}

static ALWAYS_INLINE __u32 open_flags(__u64 flags) {
  __u32 out = 0;
  switch (flags & 3) {
    case 0:
      out |= 1;
      break;
    case 1:
      out |= 2;
      break;
    default:
      out |= 3;
  }
  if (flags & 0100) out |= 4;
  if (flags & 02000) out |= 8;
  if (flags & 0200) out |= 16;
  if (flags & 01000) out |= 32;
  if (flags & 04000) out |= 64;
  if (flags & 0200000) out |= 128;
  if (flags & 02000000) out |= 256;
  if (flags & 040000) out |= 512;
  return out;
}

static ALWAYS_INLINE bool is_wanted(__u32 number) {
  __u32 *wanted = bpf_map_lookup_elem(&filters, &number);
  return wanted && *wanted;
}

static ALWAYS_INLINE void finish(struct event_buffer *buffer, struct progress *progress,
    __u16 type) {
  struct event_header *header = (void *)buffer->bytes;
  header->time = bpf_ktime_get_boot_ns();
  header->thread = bpf_get_current_pid_tgid();
  header->type = type;
  header->parameters = progress->count;
  header->length = progress->data_at;
  __u64 length = progress->data_at;
  if (length > EVENT_BYTES - 1) {
    __u32 zero = 0;
    __u64 *dropped = bpf_map_lookup_elem(&drops, &zero);
    if (dropped) __sync_fetch_and_add(dropped, 1);
    return;
  }
  if (bpf_ringbuf_output(&ring, buffer->bytes, length & (EVENT_BYTES - 1), 0)) {
    __u32 one = 1;
    __u64 *dropped = bpf_map_lookup_elem(&drops, &one);
    if (dropped) __sync_fetch_and_add(dropped, 1);
  }
}

struct syscall_entry {
  __u64 header;
  __s64 number;
  __u64 arguments[6];
};

/* corpus: map values accepted */
SEC("tracepoint/raw_syscalls/sys_enter")
int fill_event(struct syscall_entry *ctx) {
  __u32 zero = 0, number = ctx->number;
  if (!is_wanted(number)) return 0;
  struct event_buffer *buffer = bpf_map_lookup_elem(&buffers, &zero);
  if (!buffer) return 0;
  struct progress progress = {sizeof(struct event_header),
      sizeof(struct event_header) + 2 * MAX_PARAMETERS, 0, 0};
  switch (number) {
    case 0:
    case 1:
      put_number(buffer, &progress, ctx->arguments[0], 8);
      put_number(buffer, &progress, ctx->arguments[2], 4);
      put_bytes(buffer, &progress, (void *)ctx->arguments[1], ctx->arguments[2]);
      break;
    case 2:
      put_string(buffer, &progress, (void *)ctx->arguments[0], true);
      put_number(buffer, &progress, open_flags(ctx->arguments[1]), 4);
      put_number(buffer, &progress, ctx->arguments[2], 4);
      break;
    case 257:
      put_number(buffer, &progress, (__s32)ctx->arguments[0] == -100 ? -100 : ctx->arguments[0], 8);
      put_string(buffer, &progress, (void *)ctx->arguments[1], true);
      put_number(buffer, &progress, open_flags(ctx->arguments[2]), 4);
      put_number(buffer, &progress, ctx->arguments[3] & 0xfff, 4);
      put_number(buffer, &progress, 0, 4);
      put_number(buffer, &progress, 0, 8);
      break;
    case 59:
      put_string(buffer, &progress, (void *)ctx->arguments[0], true);
      put_vector(buffer, &progress, (void *)ctx->arguments[1], 16);
      put_vector(buffer, &progress, (void *)ctx->arguments[2], 16);
      put_number(buffer, &progress, bpf_get_current_uid_gid(), 8);
      put_number(buffer, &progress, bpf_get_current_cgroup_id(), 8);
      break;
    case 42:
    case 49:
      put_number(buffer, &progress, ctx->arguments[0], 8);
      put_socket(buffer, &progress, (void *)ctx->arguments[1], ctx->arguments[2]);
      break;
    case 44:
      put_number(buffer, &progress, ctx->arguments[0], 8);
      put_number(buffer, &progress, ctx->arguments[2], 4);
      put_socket(buffer, &progress, (void *)ctx->arguments[4], ctx->arguments[5]);
      put_bytes(buffer, &progress, (void *)ctx->arguments[1], ctx->arguments[2]);
      break;
    case 82:
    case 86:
    case 88:
      put_string(buffer, &progress, (void *)ctx->arguments[0], true);
      put_string(buffer, &progress, (void *)ctx->arguments[1], true);
      break;
    case 264:
      put_number(buffer, &progress, ctx->arguments[0], 8);
      put_string(buffer, &progress, (void *)ctx->arguments[1], true);
      put_number(buffer, &progress, ctx->arguments[2], 8);
      put_string(buffer, &progress, (void *)ctx->arguments[3], true);
      break;
    case 165:
      put_number(buffer, &progress, ctx->arguments[3] & 0xffff, 4);
      put_string(buffer, &progress, (void *)ctx->arguments[0], true);
      put_string(buffer, &progress, (void *)ctx->arguments[1], true);
      put_string(buffer, &progress, (void *)ctx->arguments[2], true);
      break;
    default:
#pragma unroll
      for (int i = 0; i < 6; i++) put_number(buffer, &progress, ctx->arguments[i], 8);
  }
  finish(buffer, &progress, number);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
