/**
 * What BTF-typed programs are attached to: the arguments of every tracepoint and iterator as the
 * running kernel passes them; functions and lsm hooks, which it may not let us try, by the rules.
 */
import { describe, expect, test } from 'vitest';
import { ITERATORS, NULLABLE_TRACEPOINT_ARGUMENTS } from '../../../platform/index.ts';
import type { Verdict } from '../../../verifier/index.ts';
import { verify } from '../../../verifier/index.ts';
import {
  call,
  copy,
  EXIT,
  load,
  move,
  refusal,
  SIZES,
  slot,
  unlessNull,
} from '../../support/kernel-probe.ts';
import {
  askKernel,
  askVerifier,
  disagreement,
  type Kind,
  kernelBtf,
  programOf,
} from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`hooks are not compared with the kernel: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

const MOST_ARGUMENTS = 12;
const END = [move(0, 0), EXIT];
const accepted = (verdict: Verdict) =>
  verdict.ok ? 'accepted' : `${verdict.diagnostics[0]?.code}: ${verdict.diagnostics[0]?.message}`;

/** Names behind a prefix, of types of the kind. */
function named(prefix: string, kind: 'typedef' | 'func'): string[] {
  const btf = kernelBtf();
  const names: string[] = [];
  for (let id = 1; id < btf.count; id++) {
    if (btf.kindOf(id) !== kind) continue;
    const name = btf.nameOf(id);
    if (name.startsWith(prefix)) names.push(name.slice(prefix.length));
  }
  return names;
}

kernel('tracepoints', () => {
  test('pass what the kernel says they pass, null where it says so', () => {
    // All of them take a while: each by FUZZ_SCALE=8, else one in 8 and those that pass null.
    const share = Math.max(1, Math.floor(8 / Number(process.env.FUZZ_SCALE ?? 1)));
    const asked = named('btf_trace_', 'typedef').filter(
      (name, index) => index % share === 0 || NULLABLE_TRACEPOINT_ARGUMENTS[name] !== undefined,
    );
    const differences: string[] = [];
    for (const attachTarget of asked) {
      const kind: Kind = { type: 'tracing', attachType: 'trace_raw_tp', attachTarget };
      for (let index = 0; index < MOST_ARGUMENTS; index++) {
        const word = load(8, 2, 1, 8 * index);
        const plain = disagreement(kind, [word, ...END]);
        const followed = disagreement(kind, [word, load(1, 0, 2, 0), ...END]);
        if (plain) differences.push(`argument ${index}: ${plain}`);
        if (followed) differences.push(`behind argument ${index}: ${followed}`);
        if (!askVerifier(kind, [word, ...END]).ok) break;
      }
    }
    expect(differences).toEqual([]);
  }, 60_000);

  test('have no name that the kernel’s types do not have', () => {
    const kind = { type: 'tracing', attachType: 'trace_raw_tp', attachTarget: 'no_such_event' };
    const verdict = askVerifier(kind, END);
    expect(verdict.ok ? '' : verdict.outcome).toBe('unsupported');
    const none = askVerifier({ type: 'tracing', attachType: 'trace_raw_tp' }, END);
    expect(accepted(none)).toMatch(/^attach-target/);
  });
});

kernel('iterators', () => {
  test('are those that the kernel has', () => {
    const differences: string[] = [];
    for (const attachTarget of named('bpf_iter_', 'func')) {
      const kind: Kind = { type: 'tracing', attachType: 'trace_iter', attachTarget };
      // Functions of the same prefix that are no iterators are found when they are attached.
      const isOne = kernelBtf().find(`bpf_iter__${attachTarget}`, 'struct') !== undefined;
      if (isOne !== askVerifier(kind, END).ok) differences.push(attachTarget);
    }
    expect(differences).toEqual([]);
  });

  test('pass what the kernel says they pass', () => {
    const differences: string[] = [];
    for (const attachTarget of Object.keys(ITERATORS)) {
      const kind: Kind = { type: 'tracing', attachType: 'trace_iter', attachTarget };
      for (let index = 0; index < 6; index++) {
        for (const size of SIZES) {
          const word = load(size, 2, 1, 8 * index);
          const ways = [
            [word, ...END],
            [word, load(4, 0, 2, 0), ...END],
            [word, ...unlessNull(2), load(4, 0, 2, 0), ...END],
            [word, ...unlessNull(2), load(8, 0, 2, 4096), ...END],
            [word, ...unlessNull(2), slot(0x62, 2, 0, 0, 1), ...END],
          ];
          for (const code of ways) {
            const problem = disagreement(kind, code);
            if (problem) differences.push(`argument ${index}: ${problem}`);
          }
        }
      }
    }
    expect(differences).toEqual([]);
  }, 30_000);
});

kernel('symbols of the kernel', () => {
  const TP: Kind = { type: 'tracing', attachType: 'trace_raw_tp', attachTarget: 'sched_switch' };
  const THIS_CPU_PTR = 154;
  const PER_CPU_PTR = 153;
  const symbol = (register: number, name: string) => [
    slot(0x18, register, 3, 0, kernelBtf().find(name, 'var') ?? 0),
    slot(0),
  ];
  const perCpu = (name: string) => [...symbol(1, name), call(THIS_CPU_PTR)];
  /** The kernel knows few addresses of variables here, so these go by the rules. */
  const said = (...code: Buffer[]) => accepted(askVerifier(TP, [...code, ...END]));

  test('of a processor are reached through the helpers', () => {
    expect(said(...perCpu('runqueues'), load(4, 1, 0, 4))).toBe('accepted');
    expect(said(...symbol(1, 'runqueues'), load(4, 0, 1, 4))).toMatch(/^kernel-object-access/);
    const moved = [...symbol(1, 'runqueues'), slot(0x07, 1, 0, 0, 8), call(THIS_CPU_PTR)];
    expect(said(...moved)).toMatch(/^helper-argument/);
    const other = [...symbol(1, 'runqueues'), move(2, 3), call(PER_CPU_PTR)];
    expect(said(...other, load(4, 1, 0, 4))).toMatch(/^null-dereference/);
    expect(said(...other, ...unlessNull(0), load(4, 1, 0, 4))).toBe('accepted');
  });

  test('that are numbers are read in their size, and not written', () => {
    expect(said(...perCpu('bpf_prog_active'), load(4, 1, 0, 0))).toBe('accepted');
    expect(said(...perCpu('bpf_prog_active'), load(4, 1, 0, 4))).toMatch(/^memory-out-of-bounds/);
    const write = [...perCpu('bpf_prog_active'), slot(0x62, 0, 0, 0, 1)];
    expect(said(...write)).toMatch(/^memory-read-only/);
  });

  test('that are functions have an address and no bytes', () => {
    const id = kernelBtf().find('bpf_prog_put', 'func') ?? 0;
    const code = [slot(0x18, 1, 3, 0, id), slot(0)];
    expect(disagreement(TP, [...code, ...END])).toBeUndefined();
    expect(disagreement(TP, [...code, load(1, 0, 1, 0), ...END])).toBeUndefined();
  });

  test('are variables or functions', () => {
    const struct = [slot(0x18, 1, 3, 0, kernelBtf().find('task_struct', 'struct') ?? 0), slot(0)];
    expect(disagreement(TP, [...struct, ...END])).toBeUndefined();
    expect(accepted(askVerifier(TP, [...struct, ...END]))).toMatch(/^kernel-symbol/);
  });

  test('need the kernel’s types', () => {
    const code = [...symbol(1, 'runqueues'), ...END];
    const verdict = verify(programOf({ type: 'xdp' }, code));
    expect(verdict.ok ? '' : verdict.outcome).toBe('unsupported');
  });
});

kernel('without the kernel’s types', () => {
  test('BTF-typed programs are unsupported, and say why', () => {
    const kind = { type: 'tracing', attachType: 'trace_fentry', attachTarget: 'vfs_read' };
    const verdict = verify(programOf(kind, END));
    expect(verdict.ok ? '' : verdict.outcome).toBe('unsupported');
    expect(accepted(verdict)).toMatch(/types/);
  });
});

/** These the machine may not let us load: the rules are those of the documentation. */
kernel('functions and lsm hooks', () => {
  const traced = (attachType: string, attachTarget: string, more: Partial<Kind> = {}): Kind => ({
    type: attachType.startsWith('lsm') ? 'lsm' : 'tracing',
    attachType,
    attachTarget,
    ...more,
  });
  const word = (index: number) => load(8, 2, 1, 8 * index);
  const follow = load(1, 0, 2, 0);
  const check = (kind: Kind, ...code: Buffer[]) => accepted(askVerifier(kind, [...code, ...END]));

  test('pass pointers that nobody vouches for, and may be followed', () => {
    const kind = traced('trace_fentry', 'vfs_read');
    expect(check(kind, word(0), follow)).toBe('accepted');
    expect(check(kind, word(1), follow)).toMatch(/^not-a-pointer/); // char __user *
    expect(check(kind, word(4))).toMatch(/^context-out-of-bounds/);
  });

  test('pass structures by value in as many words as those fill', () => {
    // int __sys_bpf(enum bpf_cmd cmd, bpfptr_t uattr, unsigned int size), bpfptr_t of 16 bytes.
    const kind = traced('trace_fentry', '__sys_bpf');
    expect(check(kind, word(1), word(2), word(3))).toBe('accepted');
    expect(check(kind, word(4))).toMatch(/^context-out-of-bounds/);
  });

  test('show their result at the exit only', () => {
    expect(check(traced('trace_fexit', 'vfs_read'), word(4))).toBe('accepted');
    expect(check(traced('trace_fexit', 'vfs_read'), word(5))).toMatch(/^context-out-of-bounds/);
  });

  test('may be replaced where the kernel lets results be replaced', () => {
    const any = [move(0, -1), EXIT];
    const modify = traced('modify_return', 'security_file_open');
    expect(accepted(askVerifier(modify, any))).toBe('accepted');
    expect(check(traced('modify_return', 'vfs_read'))).toMatch(/^attach-target/);
    expect(accepted(askVerifier(traced('trace_fexit', 'vfs_read'), any))).toMatch(/^return-value/);
  });

  test('may sleep where the kernel may', () => {
    const sleepable = { sleepable: true };
    expect(check(traced('lsm_mac', 'file_open', sleepable))).toBe('accepted');
    expect(check(traced('lsm_mac', 'task_free', sleepable))).toMatch(/^attach-target/);
    expect(check(traced('trace_fentry', 'schedule', sleepable))).toMatch(/^attach-target/);
    expect(check({ type: 'xdp', sleepable: true })).toMatch(/^not-sleepable/);
    expect(check({ type: 'syscall' })).toMatch(/^must-sleep/);
  });

  test('of lsm pass trusted objects, but for those that come or go', () => {
    const acquire = [copy(1, 2), call(162)]; // bpf_sock_from_file
    expect(check(traced('lsm_mac', 'file_open'), word(0), ...acquire)).toBe('accepted');
    expect(check(traced('lsm_mac', 'file_alloc_security'), word(0), follow)).toBe('accepted');
    expect(check(traced('lsm_mac', 'vm_enough_memory'))).toMatch(/^attach-target/);
  });

  test('of lsm return 0 or an error; those without a result anything', () => {
    const returns = (kind: Kind, value: number) =>
      accepted(askVerifier(kind, [move(0, value), EXIT]));
    expect(returns(traced('lsm_mac', 'file_open'), -13)).toBe('accepted');
    expect(returns(traced('lsm_mac', 'file_open'), 1)).toMatch(/^return-value/);
    expect(returns(traced('lsm_mac', 'file_open'), -4096)).toMatch(/^return-value/);
    expect(returns(traced('lsm_mac', 'audit_rule_known'), 1)).toBe('accepted');
    expect(returns(traced('lsm_mac', 'sb_free_security'), 77)).toBe('accepted');
    expect(returns(traced('lsm_cgroup', 'socket_post_create'), 1)).toBe('accepted');
    const previous = [word(1), copy(0, 2), EXIT];
    expect(accepted(askVerifier(traced('lsm_mac', 'file_open'), previous))).toBe('accepted');
  });

  test('of tracing itself are closed', () => {
    expect(check(traced('trace_fentry', '__rcu_read_lock'))).toMatch(/attach-target|unsupported/);
    expect(check(traced('trace_fexit', 'do_exit'))).toMatch(/^attach-target/);
    expect(check(traced('trace_fentry', 'do_exit'))).toBe('accepted');
  });

  test('are read by programs under a compatible licence', () => {
    const closed = { license: 'none' } as const;
    expect(check(traced('trace_fentry', 'vfs_read', closed), word(0))).toBe('accepted');
    expect(check(traced('trace_fentry', 'vfs_read', closed), word(0), follow)).toMatch(
      /^kernel-object-licence/,
    );
    const tp: Kind = {
      type: 'tracing',
      attachType: 'trace_raw_tp',
      attachTarget: 'sched_switch',
      license: 'none',
    };
    expect(askKernel(tp, [word(1), follow, ...END]).accepted).toBe(false);
    expect(check(tp, word(1), follow)).toMatch(/^kernel-object-licence/);
  });
});
