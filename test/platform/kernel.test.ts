/**
 * The tables against the running kernel: which helper and kernel function each program type may
 * call, every offset and size of every context, results, packet access. fentry, fexit, lsm and the
 * types that are unsupported here are not asked.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseBtf } from '../../btf/index.ts';
import {
  ATTACH_TYPES,
  contextAccess,
  contextLayout,
  HELPERS,
  KFUNCS,
  mayCall,
  mayCallKfunc,
  PROGRAM_TYPES,
  type ProgramTypeRow,
  programType,
  returnRule,
} from '../../platform/index.ts';
import {
  type Answer,
  addTo,
  ask,
  call,
  callKfunc,
  copy,
  createProbeMap,
  EXIT,
  load,
  loadMap,
  move,
  refusal,
  SIZES,
  slot,
  store,
  type Target,
  unlessNull,
} from '../support/kernel-probe.ts';

const reason = refusal();
if (reason !== undefined) console.log(`platform tables are not checked: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

const UNASKED = new Set(['memory', 'struct_ops', 'ext', 'lsm', 'lirc_mode2', 'tracing']);
/** Helpers whose availability is a matter of configuration and lockdown. */
const CONFIGURED = new Set(['bpf_probe_write_user', 'bpf_override_return']);
const OK = [move(0, 1), EXIT];

function withAttachType(row: ProgramTypeRow, attachType: string): Target {
  return {
    type: row.name,
    id: row.id,
    attachType,
    attachId: ATTACH_TYPES.indexOf(attachType),
    sleepable: row.name === 'syscall',
  };
}

/** Every program type with each attach type that it distinguishes. */
function targets(): Target[] {
  const plain = PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).flatMap((row) => {
    const special = Object.keys(row.returnsByAttach ?? {});
    const attachTypes = row.attachTypes ?? special;
    const bare = row.defaultAttachType
      ? withAttachType(row, row.defaultAttachType)
      : { type: row.name, id: row.id, sleepable: row.name === 'syscall' };
    const each = attachTypes.map((attachType) => withAttachType(row, attachType));
    return row.attachTypes?.length ? each : [bare, ...each];
  });
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'), 'vmlinux');
  const tracing = programType('tracing')!;
  const iterator = btf.find('bpf_iter_task', 'func');
  const tracepoint = btf.find('btf_trace_sched_switch', 'typedef');
  return [
    ...plain,
    { ...withAttachType(tracing, 'trace_iter'), btfId: iterator ?? 0 },
    { ...withAttachType(tracing, 'trace_raw_tp'), btfId: tracepoint ?? 0 },
  ];
}

const label = ({ type, attachType }: Target) => (attachType ? `${type}/${attachType}` : type);
const program = (target: Target) => ({
  type: target.type,
  ...(target.attachType && { attachType: target.attachType }),
  flags: target.sleepable ? ['sleepable'] : [],
});

/** Whether the kernel's answer to a bare call means that this program type may not make it. */
function isClosed(answer: Answer): boolean {
  return /cannot use helper|unknown func|invalid func|is not allowed|not supported for|supported only/.test(
    answer.reason,
  );
}

kernel('helpers', () => {
  test('each program type may call what the kernel lets it call', () => {
    const differences: string[] = [];
    for (const target of targets()) {
      for (const row of HELPERS) {
        if (CONFIGURED.has(row.name)) continue;
        const open = !isClosed(ask(target, [call(row.id), ...OK]));
        if (open !== mayCall(row, target.type, target.attachType)) {
          differences.push(`${label(target)} ${row.name}: kernel ${open}`);
        }
      }
    }
    expect(differences).toEqual([]);
  });
});

kernel('contexts', () => {
  const NAMES: Readonly<Record<string, string>> = {
    pkt: 'packet',
    pkt_end: 'packet-end',
    pkt_meta: 'packet-meta',
    sock: 'socket',
  };

  test('every offset, size and direction is open or closed as in the kernel', () => {
    const differences: string[] = [];
    for (const target of targets()) {
      const layout = contextLayout(programType(target.type)?.context ?? '');
      if (layout === undefined) continue;
      for (let offset = -8; offset < layout.sizeBytes + 8; offset++) {
        for (const size of SIZES) {
          const read = ask(target, [load(size, 0, 1, offset), ...OK]).accepted;
          const write = ask(target, [move(2, 0), store(size, 1, 2, offset), ...OK]).accepted;
          const ours = (direction: 'read' | 'write') =>
            contextAccess(layout, offset, size, direction, target.attachType) !== undefined;
          if (read !== ours('read')) differences.push(`${label(target)} read ${size}@${offset}`);
          if (write !== ours('write')) differences.push(`${label(target)} write ${size}@${offset}`);
        }
      }
    }
    expect(differences).toEqual([]);
  });

  test('pointer fields yield what the kernel says they yield', () => {
    const differences: string[] = [];
    for (const target of targets()) {
      const layout = contextLayout(programType(target.type)?.context ?? '');
      for (const field of layout?.fields ?? []) {
        if (field.kind === 'scalar' || field.attachTypes) continue;
        const size = field.sizeBytes === 4 ? 4 : 8;
        // Adding a register to it makes the kernel name the type.
        const code = [load(size, 0, 1, field.offset), slot(0x87, 0), ...OK];
        const { log } = ask(target, code);
        const named = /R0 pointer arithmetic on (\w+) prohibited|R0 (\w+) arithmetic/.exec(log);
        const name = named?.[1];
        if (name === undefined || name.startsWith('trusted_ptr')) continue;
        const nullable = name.endsWith('_or_null');
        const bare = name.replace(/_or_null$/, '');
        const kind = NAMES[bare] ?? bare.replace('_', '-');
        if (kind !== field.kind || nullable !== (field.nullable ?? false)) {
          differences.push(`${label(target)} ${field.name}: ${name}`);
        }
      }
    }
    expect(differences).toEqual([]);
  });
});

kernel('sockets', () => {
  const HELPER = { lookup: 1, fullSocket: 95, tcpSocket: 96 };
  const socket = [load(8, 7, 1, 168), ...unlessNull(7)];
  const through = (helper: number) => [copy(1, 7), call(helper), ...unlessNull(0), copy(7, 0)];

  /** Code that leaves a pointer to the structure in r7. */
  function structures(): [string, string, readonly Buffer[]][] {
    const xskmap = createProbeMap({ id: 17, keySize: 4, valueSize: 4, maxEntries: 4 });
    const lookup = [
      slot(0x62, 10, 0, -4, 0),
      ...loadMap(1, xskmap),
      copy(2, 10),
      addTo(2, -4),
      call(HELPER.lookup),
      ...unlessNull(0),
      copy(7, 0),
    ];
    return [
      ['bpf_sock/sock_common', 'sched_cls', socket],
      ['bpf_sock', 'sched_cls', [...socket, ...through(HELPER.fullSocket)]],
      ['bpf_tcp_sock', 'sched_cls', [...socket, ...through(HELPER.tcpSocket)]],
      ['bpf_xdp_sock', 'xdp', lookup],
    ];
  }

  test('every offset and size is readable as in the kernel, none writable', () => {
    const differences: string[] = [];
    for (const [name, type, code] of structures()) {
      const layout = contextLayout(name)!;
      const target = { type, id: programType(type)!.id };
      for (let offset = -8; offset < layout.sizeBytes + 8; offset++) {
        for (const size of SIZES) {
          const read = ask(target, [...code, load(size, 0, 7, offset), ...OK]).accepted;
          const write = ask(target, [...code, store(size, 7, 7, offset), ...OK]).accepted;
          const ours = contextAccess(layout, offset, size, 'read') !== undefined;
          if (read !== ours || write) differences.push(`${name} ${size}@${offset}: ${read}`);
        }
      }
    }
    expect(differences).toEqual([]);
  });
});

kernel('program types', () => {
  test('results are in range as in the kernel', () => {
    const differences: string[] = [];
    for (const target of targets()) {
      const rule = returnRule(program(target));
      for (const value of [-4096, -4095, -1, 0, 1, 2, 3, 4, 100]) {
        const allowed = rule === 'any' || (value >= rule.min && value <= rule.max);
        const { accepted } = ask(target, [move(0, value), EXIT]);
        if (accepted !== allowed) differences.push(`${label(target)} returns ${value}`);
      }
      // 2^32 - 1 as a 64-bit number.
      const { accepted } = ask(target, [slot(0xb4, 0, 0, 0, -1), EXIT]);
      if (accepted !== (rule === 'any')) differences.push(`${label(target)} returns 0xffffffff`);
    }
    expect(differences).toEqual([]);
  });

  test('packets are read and written as in the kernel', () => {
    const differences: string[] = [];
    for (const target of targets()) {
      const row = programType(target.type)!;
      const fields = contextLayout(row.context ?? '')?.fields ?? [];
      const start = fields.find(({ kind }) => kind === 'packet');
      const end = fields.find(({ kind }) => kind === 'packet-end');
      if (!start || !end) {
        if (row.packet !== 'none') differences.push(`${label(target)} has no packet`);
        continue;
      }
      const size = start.sizeBytes === 4 ? 4 : 8;
      const checked = [
        load(size, 2, 1, start.offset),
        load(size, 3, 1, end.offset),
        copy(4, 2),
        addTo(4, 8),
        slot(0x2d, 4, 3, 1),
      ];
      const reads = ask(target, [...checked, load(1, 0, 2, 0), ...OK]).accepted;
      const writes = ask(target, [...checked, slot(0x72, 2, 0, 0, 1), ...OK]).accepted;
      if (reads !== (row.packet !== 'none')) differences.push(`${label(target)} reads`);
      if (writes !== (row.packet === 'read-write')) differences.push(`${label(target)} writes`);
    }
    expect(differences).toEqual([]);
  });

  test('legacy packet loads are allowed where the kernel allows them', () => {
    for (const target of targets()) {
      const { accepted } = ask(target, [copy(6, 1), slot(0x30), ...OK]);
      expect([label(target), accepted]).toEqual([
        label(target),
        programType(target.type)?.legacyPacketLoads,
      ]);
    }
  });
});

kernel('kernel functions', () => {
  const btf =
    reason === undefined ? parseBtf(readFileSync('/sys/kernel/btf/vmlinux'), 'vmlinux') : undefined;

  test('each is in the kernel, with as many parameters', () => {
    for (const row of KFUNCS) {
      const id = btf?.find(row.name, 'func');
      const type = id === undefined ? undefined : btf?.type(id);
      const prototype = type?.kind === 'func' ? btf?.type(type.typeId) : undefined;
      const count = prototype?.kind === 'func_proto' ? prototype.parameters.length : undefined;
      expect([row.name, count]).toEqual([row.name, row.arguments.length]);
    }
  });

  test('no program type may call what the kernel closes to it, and what sleeps is marked', () => {
    const differences: string[] = [];
    for (const target of targets()) {
      for (const row of KFUNCS) {
        const id = btf?.find(row.name, 'func') ?? 0;
        const answer = ask(target, [callKfunc(id), ...OK]);
        const open = !/is not allowed|only allowed|device-bound/.test(answer.reason);
        const ours = mayCallKfunc(row, program(target));
        // The kernel also closes some by the type of the context that they take.
        const byContext = /arg#0 pointer type STRUCT|R1 type=ctx|disallowed/.test(answer.reason);
        if (ours ? !open : open && !byContext) differences.push(`${label(target)} ${row.name}`);
        const sleeps = /must be sleepable/.test(answer.reason);
        if (open && !target.sleepable && sleeps !== row.flags.includes('sleepable')) {
          differences.push(`${row.name} sleeps: ${sleeps}`);
        }
      }
    }
    expect(differences).toEqual([]);
  });
});
