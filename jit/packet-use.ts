/**
 * Does a program leave its packet as it found it? Then the loader may run it on the caller's bytes
 * instead of a copy of them. Only a sure yes counts: every store must be proven to go elsewhere, and
 * every helper must be known neither to change the packet nor to write through a pointer that could
 * lead into it.
 */

import { type Instruction, TABLE } from '../isa/index.ts';
import type { HelperRow, ProgramTypeRow } from '../platform/index.ts';
import type { AccessFact, Facts, Region } from '../verifier/index.ts';

/** Regions that never overlap the packet. */
const ELSEWHERE: ReadonlySet<Region> = new Set<Region>(['stack', 'context', 'map-value']);

/** Helpers that take the context and only read the packet behind it. */
const READERS: ReadonlySet<string> = new Set([
  'bpf_skb_load_bytes',
  'bpf_skb_load_bytes_relative',
  'bpf_xdp_get_buff_len',
  'bpf_get_hash_recalc',
  'bpf_redirect',
  'bpf_redirect_map',
  'bpf_perf_event_output',
]);

/** The program, and what its host means by its type and helpers. */
interface Subject {
  readonly type: ProgramTypeRow | undefined;
  readonly helper: (id: number) => HelperRow | undefined;
  readonly instructions: readonly Instruction[];
  readonly facts: Facts;
}

export function keepsPacket({ type, helper, instructions, facts }: Subject): boolean {
  const takesPackets = type?.packetArguments === true;
  return instructions.every((instruction, pc) => {
    if (!facts.reached(pc)) return true;
    const row = TABLE[instruction.op];
    switch (row?.kind) {
      case 'store':
      case 'atomic':
        return isElsewhere(facts.access(pc));
      case 'call':
        if (row.name === 'call_subprogram') return true;
        if (row.name !== 'call_helper') return false;
        return helperKeepsPacket(helper(instruction.imm), takesPackets);
      default:
        return true;
    }
  });
}

function isElsewhere(access: AccessFact | undefined): boolean {
  return access !== undefined && ELSEWHERE.has(access.region);
}

function helperKeepsPacket(row: HelperRow | undefined, takesPackets: boolean): boolean {
  if (row === undefined || row.changesPacket || row.leaves) return false;
  // JavaScript could take the caller's bytes away while the program is at them.
  if (row.hosted) return false;
  if (row.arguments.some(({ kind }) => kind === 'context') && !READERS.has(row.name)) return false;
  const writes = row.arguments.some(({ access }) => access !== undefined && access !== 'read');
  return !writes || !(takesPackets || row.packetAccess);
}
