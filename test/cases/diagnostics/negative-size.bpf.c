/* expect: helper-size-negative at "bpf_probe_read_user(bytes, length" */
/* An upper bound does not bound a signed size. */
#include "../../corpus/corpus.h"

SEC("tracepoint/syscalls/sys_enter_sendto")
int bad(__s64 *ctx) {
  __u8 bytes[96] = {};
  __s64 length = ctx[4];
  if (length > (__s64)sizeof(bytes)) return 0;
  bpf_probe_read_user(bytes, length, (void *)ctx[3]);
  return bytes[0] == 1;
}

SEC("tracepoint/syscalls/sys_enter_sendto")
int fixed(__s64 *ctx) {
  __u8 bytes[96] = {};
  __u64 size = ctx[4];
  if (size > sizeof(bytes)) return 0;
  bpf_probe_read_user(bytes, size, (void *)ctx[3]);
  return bytes[0] == 1;
}

char _license[] SEC("license") = "GPL";
