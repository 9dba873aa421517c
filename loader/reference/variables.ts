/** What helpers keep for a run beside the machine's memory, where no program can touch it. */

export interface Dynptr {
  readonly kind: 'local' | 'skb' | 'skb-meta' | 'xdp';
  /** Local: address of the first byte. */
  readonly address: bigint;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** The ring-buffer record that it stands for. */
  readonly record?: bigint;
}

export interface Tunnel {
  readonly key: Uint8Array;
  readonly byIpv6: boolean;
  /** TUNNEL_* in network byte order. */
  readonly flags: number;
  options: Uint8Array;
}
