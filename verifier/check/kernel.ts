/** What a program needs of the kernel it is verified against: its types, and a hook of its own. */

import type { Btf } from '../../btf/index.ts';
import { type Instruction, type Program, TABLE } from '../../isa/index.ts';
import type { ProgramTypeRow } from '../../platform/index.ts';
import type { Contract } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { findHook, type Hook } from '../kernel/hook.ts';
import { KernelTypes } from '../kernel/types.ts';

export type KernelBtf = Btf | undefined | (() => Btf | undefined);

/** Answers about one kernel serve all programs that are verified against it. */
const known = new WeakMap<Btf, KernelTypes>();

/** The kernel's types, if they can be had: asked for when something first depends on them. */
export function kernelTypes(source: KernelBtf): () => KernelTypes | undefined {
  let asked = false;
  let types: KernelTypes | undefined;
  return () => {
    if (asked) return types;
    asked = true;
    const btf = typeof source === 'function' ? source() : source;
    types = btf && (known.get(btf) ?? new KernelTypes(btf));
    if (btf !== undefined && types !== undefined) known.set(btf, types);
    return types;
  };
}

/** The hook of a BTF-typed program; other programs have none. */
export function hookOf(
  program: Program,
  type: ProgramTypeRow,
  kernel: () => KernelTypes | undefined,
): Hook | undefined | Failure {
  if (type.contextRule !== 'btf-arguments') return undefined;
  const types = kernel();
  if (types === undefined) {
    const reason =
      'the kernel’s types were not given, and those of the running kernel not readable';
    const values = { type: program.type, reason };
    return { code: 'program-type-unsupported', pc: 0, values };
  }
  const hook = findHook(program, types);
  if (!('reason' in hook)) return hook;
  const values = { type: program.type, reason: hook.reason };
  return { code: hook.code, pc: 0, values };
}

/** Attach types whose programs the kernel calls where it may sleep. */
const SLEEPABLE: Readonly<Record<string, readonly string[] | 'all'>> = {
  tracing: ['trace_fentry', 'trace_fexit', 'modify_return', 'trace_iter'],
  lsm: ['lsm_mac'],
  kprobe: 'all',
  struct_ops: 'all',
  syscall: 'all',
};

/** Whether the flag `sleepable` suits the program. */
export function checkSleepable(program: Program): Failure | undefined {
  const values = { type: program.type };
  const sleeps = program.flags.includes('sleepable');
  if (!sleeps)
    return program.type === 'syscall' ? { code: 'must-sleep', pc: 0, values } : undefined;
  const allowed = SLEEPABLE[program.type];
  if (allowed === 'all' || allowed?.includes(program.attachType ?? '')) return undefined;
  return { code: 'not-sleepable', pc: 0, values };
}

/** Kernel symbols that the program takes the address of: variables and functions with a type. */
export function checkSymbols(
  instructions: readonly Instruction[],
  kernel: () => KernelTypes | undefined,
): Failure[] {
  const failures: Failure[] = [];
  instructions.forEach((insn, pc) => {
    const row = TABLE[insn.op]!;
    if (row.kind !== 'constant' || row.operation !== 'kernel_symbol') return;
    const values = { imm: insn.imm };
    const { btf } = kernel() ?? {};
    if (btf === undefined || insn.immHigh !== 0) {
      failures.push({ code: 'kernel-symbol-unsupported', pc, values });
      return;
    }
    const kind = btf.has(insn.imm) ? btf.kindOf(insn.imm) : 'void';
    if (kind !== 'var' && kind !== 'func') failures.push({ code: 'kernel-symbol', pc, values });
  });
  return failures;
}

/** Results that are kernel objects: their types must be known, and there must be one. */
export function checkResults(
  calls: Iterable<readonly [number, Contract]>,
  type: ProgramTypeRow,
  kernel: () => KernelTypes | undefined,
): Failure | undefined {
  for (const [pc, { name, returns }] of calls) {
    // What is exchanged for a map's pointer has the type that the map says.
    const isExchange = returns.kind === 'btf' && returns.typeName === undefined;
    if (!OBJECTS.has(returns.kind) || isExchange) continue;
    const wanted = returns.kind === 'kernel-context' ? type.kernelContext : returns.typeName;
    if (returns.kind === 'kernel-context' && wanted === undefined) {
      return { code: 'kernel-context', pc, values: { type: type.name } };
    }
    const types = kernel();
    const isKnown =
      types !== undefined && (wanted === undefined || types.struct(wanted) !== undefined);
    if (isKnown) continue;
    const what = wanted === undefined ? 'the kernel’s types are' : `struct ${wanted} is`;
    const values = { name, reason: `${what} not known` };
    return { code: 'helper-unsupported', pc, values };
  }
  return undefined;
}

const OBJECTS: ReadonlySet<string> = new Set([
  'btf',
  'memory-or-btf',
  'kernel-context',
  'read-only-cast',
]);
