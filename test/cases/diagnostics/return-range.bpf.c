/* expect: return-value at "return ctx->major" */
/* Each program type has its own results. */
#include "../../corpus/corpus.h"

SEC("cgroup/dev")
int bad(struct bpf_cgroup_dev_ctx *ctx) {
  return ctx->major;
}

SEC("cgroup/dev")
int fixed(struct bpf_cgroup_dev_ctx *ctx) {
  return ctx->major != 0;
}

char _license[] SEC("license") = "MIT";
