/** May a program of this type be loaded here at all: by this host, with this privilege? */

import type { Program } from '../../isa/index.ts';
import {
  ATTACH_TYPES,
  attachTypeOf,
  type Profile,
  type ProgramTypeRow,
  programType,
  programTypeIn,
} from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Privilege } from '../subject.ts';
import { checkSleepable } from './kernel.ts';

/** What Linux lets anyone load, where it lets them load anything. */
const UNPRIVILEGED: ReadonlySet<string> = new Set(['socket_filter', 'cgroup_skb']);
/** What needs CAP_PERFMON besides CAP_BPF: capabilities(7). */
const OBSERVING: ReadonlySet<string> = new Set([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'tracing',
  'lsm',
]);

/** The type's row on this host, or why it cannot be loaded. */
export function loadableType(
  program: Program,
  profile: Profile,
  privilege: Privilege,
): ProgramTypeRow | Failure {
  const row = programTypeIn(profile, program.type);
  const values = { type: program.type, profile: profile.name };
  if (row === undefined && programType(program.type) !== undefined) {
    return { code: 'program-type-missing', pc: 0, values };
  }
  if (row === undefined || row.unsupported !== undefined) {
    const reason =
      row?.unsupported ??
      (program.type === 'unspec'
        ? `the section name '${program.section}' stands for no program type`
        : 'no such type');
    return { code: 'program-type-unsupported', pc: 0, values: { ...values, reason } };
  }
  if (profile.family !== 'linux') return row;
  return (
    checkPrivilege(program, privilege) ??
    checkAttachType(program, row) ??
    checkSleepable(program) ??
    row
  );
}

function checkPrivilege(program: Program, privilege: Privilege): Failure | undefined {
  const { type } = program;
  const isClosed =
    (privilege === 'none' && !UNPRIVILEGED.has(type)) ||
    (privilege === 'bpf' && OBSERVING.has(type));
  const values = { type, needs: OBSERVING.has(type) ? 'CAP_BPF and CAP_PERFMON' : 'CAP_BPF' };
  return isClosed ? { code: 'program-type-privilege', pc: 0, values } : undefined;
}

function checkAttachType(program: Program, row: ProgramTypeRow): Failure | undefined {
  const attachType = attachTypeOf(program);
  if (row.attachTypes === undefined || row.attachTypes.includes(attachType ?? '')) return undefined;
  // To bpf(2), no attach type and the first of them are the same number.
  const isNone = attachType === undefined || attachType === ATTACH_TYPES[0];
  if (row.attachTypes.length === 0 && isNone) return undefined;
  const values = { type: row.name, attachType: attachType ?? 'none' };
  return { code: 'attach-type', pc: 0, values };
}
