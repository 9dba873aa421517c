export type { Ipv6Extension, LinkOptions, NetworkOptions, TcpOptions } from './build.ts';
export { internetChecksum, packet } from './build.ts';
export type { Capture, CapturedPacket } from './capture.ts';
export { LINK_ETHERNET, readCapture, writeCapture } from './capture.ts';
