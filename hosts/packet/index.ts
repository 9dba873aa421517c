export type {
  ArpOptions,
  EthernetOptions,
  IcmpOptions,
  IpOptions,
  TcpHeaderOptions,
  TcpOptions,
  TransportOptions,
} from './build.ts';
export { packet } from './build.ts';
export { internetChecksum } from './bytes.ts';
export type { Capture, CapturedPacket } from './capture.ts';
export { LINK_ETHERNET, readCapture, writeCapture } from './capture.ts';
export type { Ipv6Extension, LinkOptions, NetworkOptions, VlanTag } from './layers.ts';
