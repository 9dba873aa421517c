/** All context layouts. */

import type { ContextLayout } from '../types.ts';
import { CGROUP_LAYOUTS } from './cgroup.ts';
import { SKB_LAYOUTS } from './skb.ts';
import { SOCKET_LAYOUTS } from './socket.ts';
import { TRACING_LAYOUTS } from './tracing.ts';
import { XDP_LAYOUTS } from './xdp.ts';

export const LAYOUTS: readonly ContextLayout[] = [
  ...SKB_LAYOUTS,
  ...XDP_LAYOUTS,
  ...SOCKET_LAYOUTS,
  ...CGROUP_LAYOUTS,
  ...TRACING_LAYOUTS,
];
