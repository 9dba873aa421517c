/* Resources lent to callbacks, memory behind pointers that move, mixtures of resources. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

KFUNC int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr);
KFUNC int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr);
KFUNC void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 size);
KFUNC int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end);
KFUNC int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone);
KFUNC __u32 bpf_dynptr_size(const struct bpf_dynptr *p);

struct {
  __uint(type, BPF_MAP_TYPE_USER_RINGBUF);
  __uint(max_entries, 1 << 16);
} commands SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} records SEC(".maps");

static long drain(struct bpf_dynptr *d, void *context) {
  __u32 *command = bpf_dynptr_data(d, 0, 4);
  return command ? *command & 1 : 0;
}
static long drain_reads(struct bpf_dynptr *d, void *context) {
  __u64 value = 0;
  bpf_dynptr_read(&value, 8, d, 0, 0);
  *(__u64 *)context += value;
  return 0;
}
static long drain_adjusts(struct bpf_dynptr *d, void *context) {
  bpf_dynptr_adjust(d, 1, 2);
  return 0;
}
static long drain_submits(struct bpf_dynptr *d, void *context) {
  bpf_ringbuf_submit_dynptr(d, 0);
  return 0;
}
static long drain_clones(struct bpf_dynptr *d, void *context) {
  struct bpf_dynptr copy;
  bpf_dynptr_clone(d, &copy);
  return bpf_dynptr_size(&copy) & 1;
}
static long drain_derefs(struct bpf_dynptr *d, void *context) {
  return *(volatile __u32 *)d;
}
static long drain_returns(struct bpf_dynptr *d, void *context) {
  return 2;
}

/* corpus: callbacks accepted */
SEC("tc")
int drained(struct __sk_buff *skb) {
  return bpf_user_ringbuf_drain(&commands, drain, 0, 0) & 1;
}
/* corpus: callbacks accepted */
SEC("tc")
int drained_reading(struct __sk_buff *skb) {
  __u64 sum = 0;
  bpf_user_ringbuf_drain(&commands, drain_reads, &sum, 0);
  return sum & 1;
}
/* corpus: callbacks accepted */
SEC("tc")
int drained_adjusting(struct __sk_buff *skb) {
  return bpf_user_ringbuf_drain(&commands, drain_adjusts, 0, 0) & 1;
}
/* corpus: callbacks rejected */
SEC("tc")
int drained_submitting(struct __sk_buff *skb) {
  return bpf_user_ringbuf_drain(&commands, drain_submits, 0, 0) & 1;
}
/* corpus: callbacks accepted */
SEC("tc")
int drained_cloning(struct __sk_buff *skb) {
  return bpf_user_ringbuf_drain(&commands, drain_clones, 0, 0) & 1;
}
/* corpus: callbacks rejected */
SEC("tc")
int drained_dereferencing(struct __sk_buff *skb) {
  return bpf_user_ringbuf_drain(&commands, drain_derefs, 0, 0) & 1;
}
/* corpus: callbacks rejected */
SEC("tc")
int drained_returning(struct __sk_buff *skb) {
  return bpf_user_ringbuf_drain(&commands, drain_returns, 0, 0) & 1;
}

/* corpus: dynptr rejected */
SEC("xdp")
int slice_after_adjust_head(struct xdp_md *xdp) {
  struct bpf_dynptr d;
  char buffer[8];
  bpf_dynptr_from_xdp(xdp, 0, &d);
  char *p = bpf_dynptr_slice(&d, 0, buffer, 8);
  if (!p) return 2;
  bpf_xdp_adjust_head(xdp, 4);
  return *p & 1;
}

/* corpus: dynptr accepted */
SEC("xdp")
int slice_after_adjust_head_again(struct xdp_md *xdp) {
  struct bpf_dynptr d;
  char buffer[8];
  bpf_dynptr_from_xdp(xdp, 0, &d);
  bpf_xdp_adjust_head(xdp, 4);
  char *p = bpf_dynptr_slice(&d, 0, buffer, 8);
  return p ? *p & 1 : 2;
}

/* corpus: dynptr accepted */
SEC("tc")
int record_filled_from_packet(struct __sk_buff *skb) {
  struct bpf_dynptr packet, record;
  char buffer[16], *p;
  bpf_dynptr_from_skb(skb, 0, &packet);
  if (bpf_ringbuf_reserve_dynptr(&records, 16, 0, &record)) {
    bpf_ringbuf_discard_dynptr(&record, 0);
    return 0;
  }
  p = bpf_dynptr_slice(&packet, 0, buffer, 16);
  if (!p) {
    bpf_ringbuf_discard_dynptr(&record, 0);
    return 0;
  }
  bpf_dynptr_write(&record, 0, p, 16, 0);
  bpf_ringbuf_submit_dynptr(&record, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_written_with_flags_left(struct __sk_buff *skb) {
  struct bpf_dynptr record;
  if (bpf_ringbuf_reserve_dynptr(&records, 16, 0, &record)) {
    bpf_ringbuf_discard_dynptr(&record, 0);
    return 0;
  }
  if (bpf_dynptr_write(&record, 0, &skb->mark, 0, 0)) return 1;
  bpf_ringbuf_submit_dynptr(&record, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int dynptr_of_ended_frame(struct __sk_buff *skb);
static NOINLINE int half_made(struct bpf_dynptr *d, struct __sk_buff *skb) {
  if (skb->len > 100) bpf_dynptr_from_skb(skb, 0, d);
  return 0;
}
int dynptr_of_ended_frame(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  half_made(&d, skb);
  return bpf_dynptr_size(&d) & 1;
}

static NOINLINE int made(struct bpf_dynptr *d, struct __sk_buff *skb) {
  return bpf_dynptr_from_skb(skb, 0, d);
}

/* corpus: dynptr accepted */
SEC("tc")
int dynptr_made_for_caller(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  made(&d, skb);
  return bpf_dynptr_size(&d) & 1;
}

char _license[] SEC("license") = "GPL";
