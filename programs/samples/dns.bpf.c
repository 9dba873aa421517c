/* Socket filter: keeps DNS queries (UDP to port 53, QR bit clear), at most 128 bytes of each. */
#include "packet.h"

enum { KEEP_BYTES = 128, UDP_BYTES = 8 };

SEC("socket")
int dns_queries(struct __sk_buff *skb) {
  struct ipv4 ip;
  struct ports ports;
  __u8 flags;
  if (skb->protocol != bpf_htons(ETHERTYPE_IPV4)) return 0;
  /* A socket filter starts behind the Ethernet header on some sockets, at it on others. */
  if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET) < 0) return 0;
  if (ip.protocol != PROTOCOL_UDP || (ip.fragment & bpf_htons(0x1fff))) return 0;
  __u32 transport = (ip.version_length & 0xf) * 4;
  if (bpf_skb_load_bytes_relative(skb, transport, &ports, sizeof(ports), BPF_HDR_START_NET) < 0)
    return 0;
  if (ports.destination != bpf_htons(53)) return 0;
  if (bpf_skb_load_bytes_relative(skb, transport + UDP_BYTES + 2, &flags, 1, BPF_HDR_START_NET) < 0)
    return 0;
  return flags & 0x80 ? 0 : KEEP_BYTES;
}

char _license[] SEC("license") = "MIT";
