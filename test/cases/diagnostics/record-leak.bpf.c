/* expect: reference-not-released at "if (record->number > 500)" */
/* A record is submitted or discarded on every path. */
#include "../../corpus/corpus.h"

struct record {
  __u64 number;
};
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} records SEC(".maps");

SEC("tracepoint/raw_syscalls/sys_exit")
int bad(__u64 *ctx) {
  struct record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
  if (!record) return 0;
  record->number = ctx[1];
  if (record->number > 500) return 0;
  bpf_ringbuf_submit(record, 0);
  return 0;
}

SEC("tracepoint/raw_syscalls/sys_exit")
int fixed(__u64 *ctx) {
  struct record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
  if (!record) return 0;
  record->number = ctx[1];
  if (ctx[1] > 500) {
    bpf_ringbuf_discard(record, 0);
    return 0;
  }
  bpf_ringbuf_submit(record, 0);
  return 0;
}

char _license[] SEC("license") = "GPL";
