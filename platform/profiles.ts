/**
 * Profiles: what one host accepts, beyond the rows of helpers, maps and program types, which carry
 * their own first release. A Linux profile is the sum of the changes up to its release.
 *
 * Sources: release notes of kernelnewbies.org and the instruction-set levels of LLVM's BPF back end.
 * linux-6.18 is checked against the running kernel; older ones are approximations that err towards
 * refusing.
 */

import type { KernelVersion, Profile } from './types.ts';
import { WINDOWS_HELPER_IDS, WINDOWS_PROGRAM_TYPES } from './windows.ts';

/** Instructions that the kernel's verifier processes before it gives up, from 5.2. */
const LINUX_PROCESSED = 1_000_000;
/** BPF_COMPLEXITY_LIMIT_INSNS also bounds a privileged program's length. */
const LINUX_INSTRUCTIONS = 1_000_000;
/** MAX_BPF_STACK and MAX_CALL_FRAMES. */
const LINUX_STACK_BYTES = 512;
const LINUX_CALL_DEPTH = 8;

interface Change {
  readonly since: KernelVersion;
  readonly isa?: 4;
  readonly globalFunctions?: true;
  readonly features?: readonly string[];
}

/** What releases added, oldest first. Names are features that verifier rules ask for. */
const CHANGES: readonly Change[] = [
  { since: '5.5', features: ['btf-tracing'] },
  { since: '5.6', globalFunctions: true },
  { since: '5.10', features: ['sleepable', 'tail-call-in-subprogram'] },
  { since: '5.12', features: ['atomics'] },
  { since: '5.13', features: ['kfuncs', 'callbacks'] },
  { since: '5.15', features: ['timer'] },
  { since: '5.19', features: ['dynptr', 'kptr'] },
  { since: '6.2', features: ['graph', 'rcu-read-lock'] },
  { since: '6.3', features: ['uninit-stack-read'] },
  { since: '6.4', features: ['open-coded-iterators'] },
  { since: '6.6', isa: 4 },
  { since: '6.7', features: ['exceptions'] },
  { since: '6.8', features: ['global-function-tags'] },
  { since: '6.9', features: ['arena', 'may-goto'] },
  { since: '6.10', features: ['preempt-disable', 'workqueue'] },
  { since: '6.12', features: ['fastcall'] },
  { since: '6.13', features: ['private-stack'] },
  { since: '6.14', features: ['irq-save', 'constant-key'] },
  { since: '6.15', features: ['load-acquire', 'resilient-spin-lock'] },
];

/** The releases that have a profile: [major, first minor, last minor]. */
const RELEASES = [
  [5, 4, 19],
  [6, 0, 18],
] as const;

/** Orders releases; 5.10 is after 5.4. */
export function compareVersions(a: KernelVersion, b: KernelVersion): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

function linux(version: KernelVersion): Profile {
  const changes = CHANGES.filter((change) => compareVersions(change.since, version) <= 0);
  return {
    name: `linux-${version}`,
    family: 'linux',
    version,
    isa: changes.find((change) => change.isa)?.isa ?? 3,
    maxInstructions: LINUX_INSTRUCTIONS,
    maxProcessed: LINUX_PROCESSED,
    stackBytes: LINUX_STACK_BYTES,
    maxCallDepth: LINUX_CALL_DEPTH,
    boundedLoops: true,
    subprograms: true,
    globalFunctions: changes.some((change) => change.globalFunctions),
    features: new Set(changes.flatMap((change) => change.features ?? [])),
  };
}

const NEWEST = linux('6.18');

/**
 * Programs for any host: what every Linux of the range and other run times agree on. It has no
 * kernel privileges: uninitialised stack may not be read, pointers may not be stored or returned.
 */
const PORTABLE: Profile = {
  ...NEWEST,
  name: 'portable',
  family: 'portable',
  version: '5.4',
  isa: 3,
  maxInstructions: 4096,
  globalFunctions: false,
  features: new Set(),
};

/** Buffers of embedders. RFC 9669 in full, and ringfence's own limits. */
const MEMORY: Profile = {
  ...NEWEST,
  name: 'memory',
  family: 'memory',
  version: null,
  features: new Set(['atomics', 'callbacks', 'may-goto', 'load-acquire', 'callx']),
};

/** eBPF for Windows: verified by PREVAIL, which knows neither kfuncs nor global functions. */
const WINDOWS: Profile = {
  ...NEWEST,
  name: 'windows',
  family: 'windows',
  version: null,
  isa: 3,
  maxInstructions: 65_536,
  globalFunctions: false,
  programTypes: WINDOWS_PROGRAM_TYPES,
  helperIds: WINDOWS_HELPER_IDS,
  features: new Set(['atomics']),
};

function build(): ReadonlyMap<string, Profile> {
  const profiles = [PORTABLE, MEMORY, WINDOWS];
  for (const [major, first, last] of RELEASES) {
    for (let minor = first; minor <= last; minor++) profiles.push(linux(`${major}.${minor}`));
  }
  return new Map(profiles.map((row) => [row.name, row]));
}

export const PROFILES: ReadonlyMap<string, Profile> = build();
