/** `struct xdp_md` (uapi linux/bpf.h). Only whole words, none writable. */

import type { ContextLayout } from '../types.ts';
import { pointer, READ, type Struct, view, words } from './layout.ts';

const XDP_MD: Struct = {
  name: 'xdp_md',
  sizeBytes: 24,
  members: words(0, [
    'data',
    'data_end',
    'data_meta',
    'ingress_ifindex',
    'rx_queue_index',
    'egress_ifindex',
  ]),
};

export const XDP_LAYOUTS: readonly ContextLayout[] = [
  view(XDP_MD, null, {
    data: pointer('packet'),
    data_end: pointer('packet-end'),
    data_meta: pointer('packet-meta'),
    ingress_ifindex: READ,
    rx_queue_index: READ,
    egress_ifindex: { attachTypes: ['xdp_devmap'] },
  }),
];
