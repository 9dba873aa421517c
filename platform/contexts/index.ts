/** All context layouts. */

import type { ContextLayout } from '../types.ts';
import { SKB_LAYOUTS } from './skb.ts';
import { XDP_LAYOUTS } from './xdp.ts';

export const LAYOUTS: readonly ContextLayout[] = [...SKB_LAYOUTS, ...XDP_LAYOUTS];
