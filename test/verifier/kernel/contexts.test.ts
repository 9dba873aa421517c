/**
 * Contexts, end to end: every program type, offset, size and direction goes to the verifier and to
 * the running kernel, and so do the structures behind the pointers in contexts.
 */
import { describe, expect, test } from 'vitest';
import {
  contextLayout,
  FLOW_KEYS_BYTES,
  PROGRAM_TYPES,
  programType,
} from '../../../platform/index.ts';
import {
  EXIT,
  load,
  move,
  refusal,
  SIZES,
  type Size,
  slot,
  store,
  unlessNull,
} from '../../support/kernel-probe.ts';
import { disagreement, type Kind } from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`contexts are not compared with the kernel: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

/** Hooks that are not asked here: no machine for them, or not by every kernel. */
const UNASKED = new Set(['memory', 'struct_ops', 'ext', 'lsm', 'tracing', 'lirc_mode2']);
/** Around the ends of contexts longer than this only the ends are asked. */
const WHOLE_BYTES = 300;
const MARGIN_BYTES = 8;

function kinds(): Kind[] {
  const plain = PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).flatMap((row) => {
    const sleepable = row.name === 'syscall';
    const attachTypes = row.attachTypes?.length ? row.attachTypes : [row.defaultAttachType];
    return attachTypes.map(
      (attachType): Kind => ({ type: row.name, ...(attachType && { attachType }), sleepable }),
    );
  });
  return [
    ...plain,
    { type: 'tracing', attachType: 'trace_iter', attachTarget: 'task' },
    { type: 'tracing', attachType: 'trace_raw_tp', attachTarget: 'sched_switch' },
  ];
}

function offsets(kind: Kind): number[] {
  const row = programType(kind.type);
  const bytes = contextLayout(row?.context ?? '')?.sizeBytes ?? row?.contextBytes ?? 112;
  const all: number[] = [];
  for (let at = -MARGIN_BYTES; at < Math.min(bytes, WHOLE_BYTES) + MARGIN_BYTES; at++) all.push(at);
  if (bytes <= WHOLE_BYTES || bytes > 32_000) return all;
  for (let at = bytes - MARGIN_BYTES; at < bytes + MARGIN_BYTES; at++) all.push(at);
  return all;
}

/** Offsets that no access of the size could be aligned at are all refused alike: one in 8 will do. */
const isAsked = (offset: number, size: Size) => offset % size === 0 || offset % 8 === 1;

/** The kernel reads before the start of tracepoint records; that is refused here. */
const isKnown = (kind: Kind, offset: number) => kind.type === 'tracepoint' && offset < 0;

kernel('contexts', () => {
  test('are read and written where the kernel lets them be', () => {
    const differences: string[] = [];
    for (const kind of kinds()) {
      // Iterators return 0 or 1, most others anything.
      const end = [move(0, kind.attachType?.startsWith('trace') ? 0 : 1), EXIT];
      for (const offset of offsets(kind)) {
        for (const size of SIZES) {
          if (!isAsked(offset, size) || isKnown(kind, offset)) continue;
          const read = disagreement(kind, [load(size, 0, 1, offset), ...end]);
          const write = disagreement(kind, [move(2, 0), store(size, 1, 2, offset), ...end]);
          if (read) differences.push(`read ${size}@${offset}: ${read}`);
          if (write) differences.push(`write ${size}@${offset}: ${write}`);
        }
      }
    }
    expect(differences).toEqual([]);
  }, 30_000);
});

kernel('what pointers in contexts lead to', () => {
  /** Field that is loaded from the context, and how many bytes lie behind it. */
  const behind: readonly (readonly [Kind, number, number])[] = [
    [{ type: 'sched_cls' }, 168, 80],
    [{ type: 'sk_lookup', attachType: 'sk_lookup' }, 0, 80],
    [{ type: 'sock_ops' }, 184, 80],
    [{ type: 'sk_msg' }, 72, 80],
    [{ type: 'cgroup_sock_addr', attachType: 'cgroup_inet4_connect' }, 64, 80],
    [{ type: 'cgroup_sockopt', attachType: 'cgroup_getsockopt' }, 0, 80],
    [{ type: 'sk_reuseport', attachType: 'sk_reuseport_select_or_migrate' }, 40, 80],
    [{ type: 'sk_reuseport', attachType: 'sk_reuseport_select_or_migrate' }, 48, 80],
    [{ type: 'flow_dissector' }, 144, FLOW_KEYS_BYTES],
    [{ type: 'netfilter', attachType: 'netfilter' }, 0, 72],
    [{ type: 'netfilter', attachType: 'netfilter' }, 8, 72],
    [{ type: 'raw_tracepoint_writable' }, 0, 16],
  ];

  test('is read and written where the kernel lets it be', () => {
    const differences: string[] = [];
    for (const [kind, field, bytes] of behind) {
      const start = [load(8, 7, 1, field), ...unlessNull(7)];
      for (let offset = -MARGIN_BYTES; offset < bytes + MARGIN_BYTES; offset++) {
        for (const size of SIZES) {
          const end = [move(0, 1), EXIT];
          const read = disagreement(kind, [...start, load(size, 0, 7, offset), ...end]);
          const write = disagreement(kind, [
            ...start,
            move(2, 0),
            store(size, 7, 2, offset),
            ...end,
          ]);
          if (read) differences.push(`read ${field}->${size}@${offset}: ${read}`);
          if (write) differences.push(`write ${field}->${size}@${offset}: ${write}`);
        }
      }
    }
    expect(differences).toEqual([]);
  }, 30_000);

  test('may be null only where the kernel says so', () => {
    for (const [kind, field] of behind) {
      const code = [load(8, 7, 1, field), load(4, 0, 7, 4), move(0, 1), EXIT];
      expect(disagreement(kind, code)).toBeUndefined();
    }
  });

  test('is moved by constants, or not at all, as in the kernel', () => {
    for (const [kind, field] of behind) {
      const start = [load(8, 7, 1, field), ...unlessNull(7)];
      const end = [load(4, 0, 7, 0), move(0, 1), EXIT];
      expect(disagreement(kind, [...start, slot(0x07, 7, 0, 0, 4), ...end])).toBeUndefined();
      const variable = [load(4, 3, 10, -8), slot(0x57, 3, 0, 0, 4), slot(0x0f, 7, 3)];
      const initialised = [slot(0x7a, 10, 0, -8, 0), ...start, ...variable];
      expect(disagreement(kind, [...initialised, ...end])).toBeUndefined();
    }
  });
});
