/* Tracked connections: unfinished and finished ones, and the member that programs may write. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct nf_conn {
  unsigned long status;
  __u32 timeout;
  __u32 mark;
} CORE;

struct options {
  __s32 netns;
  __s32 error;
  __u8 protocol;
  __u8 direction;
  __u8 reserved[2];
};

KFUNC struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
                                        __u32 tuple_size, struct options *options, __u32 size);
KFUNC struct nf_conn *bpf_skb_ct_alloc(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
                                              __u32 tuple_size, struct options *options, __u32 size);
KFUNC struct nf_conn *bpf_ct_insert_entry(struct nf_conn *connection);
KFUNC void bpf_ct_release(struct nf_conn *connection);
KFUNC int bpf_ct_change_timeout(struct nf_conn *connection, __u32 timeout);
KFUNC void bpf_ct_set_timeout(struct nf_conn *connection, __u32 timeout);

#define CONNECTION(type, name, call)                                              \
  struct bpf_sock_tuple name##_tuple = {};                                        \
  struct options name##_options = {};                                             \
  type *name = call(skb, &name##_tuple, sizeof(name##_tuple.ipv4), &name##_options, \
                    sizeof(name##_options));                                      \
  if (!name) return 0
#define FOUND(name) CONNECTION(struct nf_conn, name, bpf_skb_ct_lookup)
#define MADE(name) CONNECTION(struct nf_conn, name, bpf_skb_ct_alloc)

static ALWAYS_INLINE void insert(struct nf_conn *made) {
  struct nf_conn *inserted = bpf_ct_insert_entry(made);
  if (inserted) bpf_ct_release(inserted);
}

/* corpus: references accepted */
SEC("tc")
int marks(struct __sk_buff *skb) {
  FOUND(c);
  c->mark = skb->len;
  bpf_ct_release(c);
  return 0;
}

/* corpus: references accepted */
SEC("tc")
int marks_unfinished(struct __sk_buff *skb) {
  MADE(c);
  c->mark = 1;
  bpf_ct_set_timeout(c, 1000);
  insert(c);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int bad_status_written(struct __sk_buff *skb) {
  FOUND(c);
  c->status = 1;
  bpf_ct_release(c);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int bad_written_beyond_mark(struct __sk_buff *skb) {
  FOUND(c);
  *(volatile __u64 *)&c->mark = 1;
  bpf_ct_release(c);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int bad_unfinished_as_finished(struct __sk_buff *skb) {
  MADE(c);
  bpf_ct_change_timeout(c, 1000);
  insert(c);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int bad_finished_as_unfinished(struct __sk_buff *skb) {
  FOUND(c);
  bpf_ct_set_timeout(c, 1000);
  bpf_ct_release(c);
  return 0;
}

/* corpus: references rejected */
SEC("tc")
int bad_marked_after_release(struct __sk_buff *skb) {
  FOUND(c);
  bpf_ct_release(c);
  c->mark = 1;
  return 0;
}

char _license[] SEC("license") = "GPL";
