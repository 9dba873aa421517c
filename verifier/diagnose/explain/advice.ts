/** Help for failures that are found without a walk: they need the program and the tables only. */

import type { Program } from '../../../isa/index.ts';
import { attachTypeOf, helperByName, mayCall } from '../../../platform/index.ts';
import type { Failure } from '../failure.ts';
import type { Explanation } from './case.ts';

/** Helpers of other program types that do the same. */
const COUNTERPARTS: readonly (readonly string[])[] = [
  ['bpf_skb_load_bytes', 'bpf_xdp_load_bytes'],
  ['bpf_skb_store_bytes', 'bpf_xdp_store_bytes'],
  ['bpf_skb_load_bytes_relative', 'bpf_skb_load_bytes', 'bpf_xdp_load_bytes'],
  ['bpf_skb_output', 'bpf_xdp_output', 'bpf_perf_event_output'],
  ['bpf_skb_change_head', 'bpf_skb_adjust_room', 'bpf_xdp_adjust_head'],
  ['bpf_skb_change_tail', 'bpf_skb_adjust_room', 'bpf_xdp_adjust_tail', 'bpf_msg_push_data'],
  ['bpf_clone_redirect', 'bpf_redirect', 'bpf_redirect_map', 'bpf_sk_redirect_map'],
  ['bpf_l3_csum_replace', 'bpf_csum_diff'],
  ['bpf_l4_csum_replace', 'bpf_csum_diff'],
  ['bpf_get_socket_cookie', 'bpf_get_netns_cookie'],
  ['bpf_probe_read', 'bpf_probe_read_kernel', 'bpf_probe_read_user'],
  ['bpf_probe_read_str', 'bpf_probe_read_kernel_str', 'bpf_probe_read_user_str'],
  ['bpf_sk_lookup_tcp', 'bpf_skc_lookup_tcp', 'bpf_sk_assign'],
  ['bpf_map_lookup_percpu_elem', 'bpf_map_lookup_elem'],
];

/** Program types that are listed as those which may call a helper. */
const MOST_TYPES = 6;

export function adviceOf(program: Program, failure: Failure): Explanation {
  switch (failure.code) {
    case 'helper-not-allowed':
      return adviseHelper(program, String(failure.values.name));
    case 'helper-too-new':
      return { label: `needs Linux ${failure.values.since}` };
    default:
      return {};
  }
}

function adviseHelper(program: Program, name: string): Explanation {
  const row = helperByName(name);
  const instead = counterpart(program, name);
  const alternative = helperByName(instead ?? '');
  const types = row === undefined || row.programTypes === 'all' ? [] : row.programTypes;
  const more = types.length > MOST_TYPES ? ', ...' : '';
  const callers = types.slice(0, MOST_TYPES).join(', ') + more;
  const packet = program.type === 'xdp' ? ', or read the packet directly' : '';
  return {
    message: `a program of type ${program.type} cannot call ${name}${callers === '' ? '' : `: it is for ${callers}`}`,
    label: `not for ${program.type} programs`,
    help:
      alternative === undefined
        ? 'use a helper that this program type offers, or another program type'
        : `use ${instead} (Linux ${alternative.since})${/_bytes$/.test(name) ? packet : ''}`,
  };
}

/** A helper that does the same and that the program may call. */
function counterpart(program: Program, name: string): string | undefined {
  const attach = attachTypeOf(program);
  const group =
    COUNTERPARTS.find(([first]) => first === name) ??
    COUNTERPARTS.find((names) => names.includes(name)) ??
    [];
  return group.find((other) => {
    const row = helperByName(other);
    return other !== name && row !== undefined && mayCall(row, program.type, attach);
  });
}
