/* Policy of control groups: sockets, addresses, devices, sysctl, socket options, packets. */
#include "corpus.h"

enum { AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1, SOCK_RAW = 3 };

struct endpoint {
  __be32 address;
  __be32 port;
};

TABLE(services, BPF_MAP_TYPE_HASH, struct endpoint, struct endpoint, 1024);
TABLE(quota, BPF_MAP_TYPE_ARRAY, __u32, __u64, 4);
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
  __type(key, struct bpf_cgroup_storage_key);
  __type(value, __u64);
} per_cgroup SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u64);
} per_socket SEC(".maps");

/* corpus: context accepted */
SEC("cgroup/connect4")
int redirect_connect(struct bpf_sock_addr *ctx) {
  struct endpoint key = {ctx->user_ip4, ctx->user_port};
  struct endpoint *to = bpf_map_lookup_elem(&services, &key);
  if (!to) return 1;
  ctx->user_ip4 = to->address;
  ctx->user_port = to->port;
  return 1;
}

/* corpus: context accepted */
SEC("cgroup/connect6")
int deny_mapped(struct bpf_sock_addr *ctx) {
  if (ctx->user_ip6[0] == 0 && ctx->user_ip6[1] == 0 && ctx->user_ip6[2] == bpf_htonl(0xffff))
    return 0;
  if (ctx->type != SOCK_STREAM) return 0;
  ctx->user_ip6[3] = bpf_htonl(1);
  return 1;
}

/* corpus: context accepted */
SEC("cgroup/sendmsg4")
int rewrite_dns(struct bpf_sock_addr *ctx) {
  if (ctx->user_port == bpf_htons(53)) {
    ctx->user_ip4 = bpf_htonl(0x7f000035);
    ctx->msg_src_ip4 = bpf_htonl(0x7f000001);
  }
  return 1;
}

/* corpus: helper arguments accepted */
SEC("cgroup/bind4")
int bind_options(struct bpf_sock_addr *ctx) {
  int one = 1;
  if (ctx->sk && ctx->sk->type == SOCK_STREAM)
    bpf_setsockopt(ctx, 1 /* SOL_SOCKET */, 15 /* SO_REUSEPORT */, &one, sizeof(one));
  return 1;
}

/* corpus: context accepted */
SEC("cgroup/sock_create")
int mark_socket(struct bpf_sock *sk) {
  if (sk->family == AF_INET6 && sk->type == SOCK_RAW) return 0;
  sk->mark = 7;
  sk->priority = 3;
  return 1;
}

/* corpus: context accepted */
SEC("cgroup/post_bind4")
int check_bound_port(struct bpf_sock *sk) {
  return sk->src_port >= 1024 || sk->src_ip4 == bpf_htonl(0x7f000001);
}

/* corpus: helper arguments accepted */
SEC("cgroup_skb/egress")
int account_bytes(struct __sk_buff *skb) {
  __u64 *bytes = bpf_get_local_storage(&per_cgroup, 0);
  __sync_fetch_and_add(bytes, skb->len);
  return *bytes < 1000000;
}

/* corpus: helper arguments accepted */
SEC("cgroup_skb/ingress")
int account_socket(struct __sk_buff *skb) {
  struct bpf_sock *sk = skb->sk;
  if (!sk) return 1;
  sk = bpf_sk_fullsock(sk);
  if (!sk) return 1;
  __u64 *bytes = bpf_sk_storage_get(&per_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (bytes) *bytes += skb->len;
  struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);
  return !tcp || tcp->snd_cwnd < 1000;
}

/* corpus: context accepted */
SEC("cgroup/dev")
int allow_device(struct bpf_cgroup_dev_ctx *ctx) {
  short type = ctx->access_type & 0xffff;
  short access = ctx->access_type >> 16;
  if (type == BPF_DEVCG_DEV_CHAR && ctx->major == 1 && (ctx->minor == 3 || ctx->minor == 5))
    return 1;
  return access == BPF_DEVCG_ACC_READ && ctx->major == 8;
}

/* corpus: helper arguments accepted */
SEC("cgroup/sysctl")
int limit_sysctl(struct bpf_sysctl *ctx) {
  char name[32] = {}, value[16] = {};
  unsigned long number = 0;
  if (!ctx->write) return 1;
  if (bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0) return 0;
  if (name[0] != 'n' || name[1] != 'e' || name[2] != 't') return 1;
  if (bpf_sysctl_get_new_value(ctx, value, sizeof(value)) < 0) return 0;
  if (bpf_strtoul(value, sizeof(value), 0, &number) < 0) return 0;
  return number < 65536;
}

/* corpus: context accepted */
SEC("cgroup/setsockopt")
int filter_option(struct bpf_sockopt *ctx) {
  __u8 *value = ctx->optval, *end = ctx->optval_end;
  if (ctx->level != 6 || ctx->optname != 1) return 1;
  if (value + 4 > end) return 0;
  value[0] = 1;
  ctx->optlen = 4;
  return 1;
}

/* corpus: context accepted */
SEC("cgroup/getsockopt")
int hide_option(struct bpf_sockopt *ctx) {
  if (ctx->level == 41) {
    ctx->retval = 0;
    return 0;
  }
  return 1;
}

/* corpus: context rejected */
SEC("cgroup/connect4")
int bad_connect_result(struct bpf_sock_addr *ctx) {
  return ctx->user_port;
}

/* corpus: context rejected */
SEC("cgroup/connect4")
int bad_ipv6_in_connect4(struct bpf_sock_addr *ctx) {
  ctx->user_ip6[0] = 1;
  return 1;
}

/* corpus: context rejected */
SEC("cgroup/connect4")
int bad_read_only_family(struct bpf_sock_addr *ctx) {
  ctx->family = AF_INET;
  return 1;
}

/* corpus: context rejected */
SEC("cgroup_skb/ingress")
int bad_skb_result(struct __sk_buff *skb) {
  return skb->len;
}

/* corpus: references rejected */
SEC("cgroup_skb/ingress")
int bad_null_socket(struct __sk_buff *skb) {
  return skb->sk->family == AF_INET;
}

/* corpus: context rejected */
SEC("cgroup/setsockopt")
int bad_option_overrun(struct bpf_sockopt *ctx) {
  __u8 *value = ctx->optval, *end = ctx->optval_end;
  if (value + 4 > end) return 0;
  value[4] = 1;
  return 1;
}

/* corpus: context rejected */
SEC("cgroup/dev")
int bad_device_write(struct bpf_cgroup_dev_ctx *ctx) {
  ctx->major = 1;
  return 1;
}

/* corpus: context rejected */
SEC("cgroup/sock_create")
int bad_socket_field(struct bpf_sock *sk) {
  sk->protocol = 6;
  return 1;
}

/* corpus: helper arguments rejected */
SEC("cgroup/sysctl")
int bad_strtoul_result(struct bpf_sysctl *ctx) {
  char value[16] = {};
  __u32 number = 0;
  if (bpf_sysctl_get_new_value(ctx, value, sizeof(value)) < 0) return 0;
  return bpf_strtoul(value, sizeof(value), 0, (unsigned long *)&number) > 0;
}

char _license[] SEC("license") = "GPL";
