/* expect: too-complex */
/* Each pass of the loop doubles what may have happened before. */
#include "../../corpus/corpus.h"

SEC("xdp")
int bad(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  __u64 seen = 1;
  for (int i = 0; i < 1200; i++) {
    if (data + i + 4 > end) break;
    if (data[i] == 'P' && data[i + 1] == 'U' && data[i + 2] == 'T') seen *= 31;
    if (data[i] == 'a' && data[i + 1] == '=') seen += i * seen;
    if ((seen & 3) == 3 && data[i + 3] == '\n') seen ^= i;
  }
  return (seen & 15) == 7 ? XDP_DROP : XDP_PASS;
}

struct progress {
  struct xdp_md *ctx;
  __u64 seen;
};

static long look(__u32 index, struct progress *progress) {
  __u8 *data = (void *)(long)progress->ctx->data, *end = (void *)(long)progress->ctx->data_end;
  __u8 *at = data + (index & 0x7ff);
  if ((void *)(at + 4) > (void *)end) return 1;
  if (at[0] == 'P' && at[1] == 'U' && at[2] == 'T') progress->seen = 7;
  return 0;
}

SEC("xdp")
int fixed(struct xdp_md *ctx) {
  struct progress progress = {ctx, 1};
  bpf_loop(1200, look, &progress, 0);
  return progress.seen == 7 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "MIT";
