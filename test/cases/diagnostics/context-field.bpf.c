/* expect: context-out-of-bounds at "((__u8 *)ctx)[5]" */
/* The first eight bytes of a tracepoint's record are the kernel's own. */
#include "../../corpus/corpus.h"

SEC("tracepoint/sched/sched_switch")
int bad(void *ctx) {
  return ((__u8 *)ctx)[5];
}

SEC("tracepoint/sched/sched_switch")
int fixed(void *ctx) {
  return ((__u8 *)ctx)[9];
}

char _license[] SEC("license") = "GPL";
