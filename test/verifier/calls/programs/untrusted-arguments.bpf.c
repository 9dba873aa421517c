/* Arguments of global functions that are kernel objects: trusted, or anything at all. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

#define GLOBAL __attribute__((noinline))
#define TAG(name) __attribute__((btf_decl_tag("arg:" name)))

struct task_struct {
  int pid;
  char comm[16];
  struct task_struct *real_parent;
} CORE;

struct pair {
  __u64 first;
  __u64 second;
};

KFUNC struct task_struct *bpf_task_acquire(struct task_struct *task);
KFUNC void bpf_task_release(struct task_struct *task);

GLOBAL int takes_any_task(struct task_struct *task TAG("untrusted")) {
  return task->real_parent->pid;
}

/* corpus: calls accepted */
SEC("tp_btf/task_newtask")
int passes_task(__u64 *ctx) {
  return takes_any_task((struct task_struct *)ctx[0]);
}

/* corpus: calls accepted */
SEC("tp_btf/task_newtask")
int passes_number(__u64 *ctx) {
  return takes_any_task((struct task_struct *)ctx[1]);
}

GLOBAL int takes_any_bytes(char *bytes TAG("untrusted")) {
  return bytes[100];
}

/* corpus: calls accepted */
SEC("tp_btf/task_newtask")
int passes_name(__u64 *ctx) {
  return takes_any_bytes(((struct task_struct *)ctx[0])->comm);
}

/* corpus: calls accepted */
SEC("tp_btf/task_newtask")
int passes_stack(__u64 *ctx) {
  char bytes[4] = {ctx[1]};
  return takes_any_bytes(bytes);
}

GLOBAL int writes_bytes(int *number TAG("untrusted")) {
  BARRIER(number);
  *number = 1;
  return 0;
}

/* corpus: calls rejected */
SEC("tp_btf/task_newtask")
int bad_untrusted_written(__u64 *ctx) {
  int number = ctx[1];
  return writes_bytes(&number);
}

GLOBAL int acquires_any(struct task_struct *task TAG("untrusted")) {
  task = bpf_task_acquire(task);
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: calls rejected */
SEC("tp_btf/task_newtask")
int bad_untrusted_acquired(__u64 *ctx) {
  return acquires_any((struct task_struct *)ctx[0]);
}

GLOBAL int takes_own_type(struct pair *pair TAG("untrusted")) {
  return pair->second;
}

/* corpus: calls rejected */
SEC("tp_btf/task_newtask")
int bad_untrusted_of_program(__u64 *ctx) {
  return takes_own_type((struct pair *)ctx[0]);
}

GLOBAL int takes_tagged_twice(struct task_struct *task TAG("untrusted") TAG("nonnull")) {
  return task->pid;
}

/* corpus: calls rejected */
SEC("tp_btf/task_newtask")
int bad_untrusted_nonnull(__u64 *ctx) {
  return takes_tagged_twice((struct task_struct *)ctx[0]);
}

GLOBAL int takes_trusted(struct task_struct *task TAG("trusted")) {
  task = bpf_task_acquire(task);
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: calls accepted */
SEC("tp_btf/task_newtask")
int passes_trusted(__u64 *ctx) {
  return takes_trusted((struct task_struct *)ctx[0]);
}

/* corpus: calls rejected */
SEC("tp_btf/task_newtask")
int bad_null_as_trusted(__u64 *ctx) {
  return takes_trusted(0);
}

GLOBAL int takes_trusted_of_program(struct pair *pair TAG("trusted")) {
  return pair->first;
}

/* corpus: calls rejected */
SEC("tc")
int bad_trusted_of_program(struct __sk_buff *skb) {
  struct pair pair = {skb->len, 2};
  return takes_trusted_of_program(&pair);
}

char _license[] SEC("license") = "GPL";
