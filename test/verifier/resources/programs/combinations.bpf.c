/* Types whose special fields do not go together: the kernel takes no BTF that has one. */
#include "../../../corpus/corpus.h"
#include <linux/version.h>
/* corpus: needs v1, clang-19 */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
struct bpf_list_head {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
  __u64 opaque[3];
} __attribute__((aligned(8)));
#endif

#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))

KFUNC void *bpf_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_obj_drop_impl(void *object, void *meta);
KFUNC struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head);

struct item {
  struct bpf_list_node node;
  __u64 value;
};
struct unlocked {
  struct bpf_list_head head CONTAINS(item, node);
};
struct twice_locked {
  struct bpf_spin_lock first;
  struct bpf_spin_lock second;
};
struct own {
  struct bpf_list_node node;
  struct bpf_spin_lock lock;
  struct bpf_list_head head CONTAINS(own, node);
};

TABLE(unlocked_lists, BPF_MAP_TYPE_ARRAY, __u32, struct unlocked, 2);
TABLE(two_locks, BPF_MAP_TYPE_ARRAY, __u32, struct twice_locked, 2);

#define new_object(type) \
  ((struct type *)bpf_obj_new_impl(__builtin_btf_type_id(*(struct type *)0, 0), 0))
#define VALUE(type, name, map)                               \
  __u32 name##_key = 0;                                      \
  struct type *name = bpf_map_lookup_elem(&map, &name##_key); \
  if (!name) return 0

static ALWAYS_INLINE int drop(void *object) {
  if (object) bpf_obj_drop_impl(object, 0);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_list_without_lock(struct __sk_buff *skb) {
  VALUE(unlocked, v, unlocked_lists);
  return drop(bpf_list_pop_front(&v->head));
}

/* corpus: locks rejected */
SEC("tc")
int bad_two_locks(struct __sk_buff *skb) {
  VALUE(twice_locked, v, two_locks);
  bpf_spin_lock(&v->second);
  bpf_spin_unlock(&v->second);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_unlocked_object(struct __sk_buff *skb) {
  return drop(new_object(unlocked));
}

/* corpus: kptr rejected */
SEC("tc")
int bad_twice_locked_object(struct __sk_buff *skb) {
  return drop(new_object(twice_locked));
}

/* corpus: kptr rejected */
SEC("tc")
int bad_object_owns_itself(struct __sk_buff *skb) {
  return drop(new_object(own));
}

char _license[] SEC("license") = "GPL";
