/* Dynptrs: local, of ring-buffer records, of packets; slices, clones, ends. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

KFUNC int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr);
KFUNC int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr);
KFUNC void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 size);
KFUNC void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 size);
KFUNC int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end);
KFUNC bool bpf_dynptr_is_null(const struct bpf_dynptr *p);
KFUNC bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p);
KFUNC __u32 bpf_dynptr_size(const struct bpf_dynptr *p);
KFUNC int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone);

TABLE(buffers, BPF_MAP_TYPE_ARRAY, __u32, char[256], 1);
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} records SEC(".maps");

#define BUFFER(name)                                      \
  __u32 name##_key = 0;                                   \
  char *name = bpf_map_lookup_elem(&buffers, &name##_key); \
  if (!name) return 0

/* corpus: dynptr accepted */
SEC("tc")
int local_made(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int local_on_stack_memory(struct __sk_buff *skb) {
  char bytes[16] = {};
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 16, 0, &d);
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int used_before_made(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int made_twice(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_dynptr_from_mem(bytes, 128, 0, &d);
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int slice_outlives_remake(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, 8);
  if (!p) return 0;
  bpf_dynptr_from_mem(bytes, 128, 0, &d);
  return *p & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int data_written(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, 8);
  if (!p) return 0;
  p[7] = 1;
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int data_unchecked(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, 8);
  return *p;
}

/* corpus: dynptr rejected */
SEC("tc")
int data_overrun(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, 8);
  if (!p) return 0;
  return p[8];
}

/* corpus: dynptr rejected */
SEC("tc")
int data_of_variable_size(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, skb->len & 7);
  return p ? 1 : 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int read_raw(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  return *(volatile __u32 *)&d;
}

/* corpus: dynptr rejected */
SEC("tc")
int used_after_write(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  *(volatile __u64 *)&d = 0;
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int written_over(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  *(volatile __u64 *)&d = 0;
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int slice_outlives_write(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, 8);
  if (!p) return 0;
  *((volatile __u8 *)&d + 15) = 0;
  return *p & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int offset_by_8(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d[2];
  bpf_dynptr_from_mem(bytes, 256, 0, &d[0]);
  bpf_dynptr_from_mem(bytes, 256, 0, &d[1]);
  return bpf_dynptr_size((void *)d + 8) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int made_misaligned(struct __sk_buff *skb) {
  BUFFER(bytes);
  char space[32] __attribute__((aligned(8)));
  bpf_dynptr_from_mem(bytes, 256, 0, (void *)(space + 4));
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int made_in_map_value(struct __sk_buff *skb) {
  BUFFER(bytes);
  bpf_dynptr_from_mem(bytes + 16, 64, 0, (void *)bytes);
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int read_into_stack(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  __u64 value;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  if (bpf_dynptr_read(&value, 8, &d, 3, 0)) return 0;
  return value & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int read_into_itself(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  return bpf_dynptr_read(&d, 8, &d, 0, 0) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int read_over_other(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d, e;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_dynptr_from_mem(bytes, 256, 0, &e);
  return bpf_dynptr_read(&e, 16, &d, 0, 0) & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int adjusted(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_dynptr_adjust(&d, skb->len, 200);
  return bpf_dynptr_is_null(&d) | bpf_dynptr_is_rdonly(&d);
}

/* corpus: dynptr accepted */
SEC("tc")
int cloned(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d, e;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_dynptr_clone(&d, &e);
  return bpf_dynptr_size(&e) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int clone_of_nothing(struct __sk_buff *skb) {
  struct bpf_dynptr d, e;
  bpf_dynptr_clone(&d, &e);
  return bpf_dynptr_size(&e) & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int slice_of_clone_survives(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d, e;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_dynptr_clone(&d, &e);
  char *p = bpf_dynptr_data(&e, 0, 8);
  if (!p) return 0;
  *(volatile __u64 *)&d = 0;
  return *p & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int record_submitted(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, skb->len & 255, 0, &d);
  bpf_ringbuf_submit_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_left(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  if (bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d)) return 0;
  bpf_ringbuf_submit_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_submitted_twice(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_ringbuf_submit_dynptr(&d, 0);
  bpf_ringbuf_discard_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_overwritten(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  *(volatile __u64 *)&d = 0;
  bpf_ringbuf_submit_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_remade(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_ringbuf_submit_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int local_submitted(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_ringbuf_submit_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_clone_after_submit(struct __sk_buff *skb) {
  struct bpf_dynptr d, e;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_dynptr_clone(&d, &e);
  bpf_ringbuf_submit_dynptr(&d, 0);
  return bpf_dynptr_size(&e) & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int record_submitted_by_clone(struct __sk_buff *skb) {
  struct bpf_dynptr d, e;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_dynptr_clone(&d, &e);
  bpf_ringbuf_submit_dynptr(&e, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int record_slice_after_submit(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  char *p = bpf_dynptr_data(&d, 0, 8);
  if (!p) {
    bpf_ringbuf_discard_dynptr(&d, 0);
    return 0;
  }
  bpf_ringbuf_submit_dynptr(&d, 0);
  return *p;
}

static NOINLINE int submit(struct bpf_dynptr *d) {
  bpf_ringbuf_submit_dynptr(d, 0);
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int record_submitted_by_function(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  submit(&d);
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int record_in_loop(struct __sk_buff *skb) {
  for (int i = 0; i < 10; i++) {
    struct bpf_dynptr d;
    bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
    bpf_ringbuf_submit_dynptr(&d, 0);
  }
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int packet_sliced(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char buffer[14];
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice_rdwr(&d, 0, buffer, 14);
  if (!p) return 0;
  p[0] = 1;
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int packet_sliced_without_buffer(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice(&d, 0, 0, 14);
  return p ? p[13] & 1 : 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int packet_slice_buffer_too_small(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char buffer[8];
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice(&d, 0, buffer, 600);
  return p ? p[13] & 1 : 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int packet_slice_after_change(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char buffer[14];
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice(&d, 0, buffer, 14);
  if (!p) return 0;
  bpf_skb_pull_data(skb, 100);
  return *p & 1;
}

/* corpus: dynptr accepted */
SEC("tc")
int packet_dynptr_after_change(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_dynptr_from_skb(skb, 0, &d);
  bpf_skb_pull_data(skb, 100);
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int packet_slice_after_write(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char buffer[14], byte = 1;
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice(&d, 0, buffer, 14);
  if (!p) return 0;
  bpf_dynptr_write(&d, 0, &byte, 1, 0);
  return *p & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int packet_pointer_after_write(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char byte = 1;
  char *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 14 > end) return 0;
  bpf_dynptr_from_skb(skb, 0, &d);
  bpf_dynptr_write(&d, 0, &byte, 1, 0);
  return *data & 1;
}

/* corpus: dynptr accepted */
SEC("xdp")
int xdp_pointer_after_write(struct xdp_md *xdp) {
  struct bpf_dynptr d;
  char byte = 1;
  char *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
  if (data + 14 > end) return 0;
  bpf_dynptr_from_xdp(xdp, 0, &d);
  bpf_dynptr_write(&d, 0, &byte, 1, 0);
  return *data & 1;
}

/* corpus: dynptr accepted */
SEC("socket")
int filter_sliced(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char buffer[14];
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice(&d, 0, buffer, 14);
  return p ? *p : 0;
}

/* corpus: dynptr rejected */
SEC("socket")
int filter_sliced_to_write(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  char buffer[14];
  bpf_dynptr_from_skb(skb, 0, &d);
  char *p = bpf_dynptr_slice_rdwr(&d, 0, buffer, 14);
  if (!p) return 0;
  *p = 1;
  return 0;
}

/* corpus: dynptr rejected */
SEC("xdp")
int skb_of_xdp(struct xdp_md *xdp) {
  struct bpf_dynptr d;
  bpf_dynptr_from_skb((void *)xdp, 0, &d);
  return 2;
}

/* corpus: dynptr accepted */
SEC("tc")
int slice_of_local(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_slice_rdwr(&d, 0, 0, 8);
  if (!p) return 0;
  p[7] = 1;
  return 0;
}

static long write_pass(__u32 i, struct bpf_dynptr *d) {
  __u64 value = i;
  bpf_dynptr_write(d, 0, &value, 8, 0);
  return 0;
}

static long submit_pass(__u32 i, struct bpf_dynptr *d) {
  bpf_ringbuf_submit_dynptr(d, 0);
  return 0;
}

static long remake_pass(__u32 i, struct bpf_dynptr *d) {
  *(volatile __u64 *)d = 0;
  return 0;
}

/* corpus: dynptr accepted */
SEC("tc")
int written_in_callback(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_loop(10, write_pass, &d, 0);
  bpf_ringbuf_submit_dynptr(&d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int submitted_in_callback(struct __sk_buff *skb) {
  struct bpf_dynptr d;
  bpf_ringbuf_reserve_dynptr(&records, 8, 0, &d);
  bpf_loop(10, submit_pass, &d, 0);
  return 0;
}

/* corpus: dynptr rejected */
SEC("tc")
int destroyed_in_callback(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  bpf_loop(10, remake_pass, &d, 0);
  return bpf_dynptr_size(&d) & 1;
}

/* corpus: dynptr rejected */
SEC("tc")
int made_on_one_path(struct __sk_buff *skb) {
  BUFFER(bytes);
  struct bpf_dynptr d;
  if (skb->len > 10) bpf_dynptr_from_mem(bytes, 256, 0, &d);
  return bpf_dynptr_size(&d) & 1;
}

/* Bytes to write are for programs that may write packets, whatever the dynptr shows. */
/* corpus: dynptr rejected */
SEC("raw_tp/sys_enter")
int bad_slice_to_write(void *ctx) {
  char buffer[8];
  BUFFER(bytes);
  struct bpf_dynptr d;
  bpf_dynptr_from_mem(bytes, 256, 0, &d);
  char *p = bpf_dynptr_slice_rdwr(&d, 0, buffer, 8);
  return p != 0;
}

char _license[] SEC("license") = "GPL";
