/**
 * What the profile, the privileges or the program type do not offer, and what the verifier
 * has no semantics for: with an outcome of 'unsupported' the program may be sound all the same.
 */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('environment');
const unsupported = rowsOf('environment', 'unsupported');

export const ENVIRONMENT = {
  // What a program names: functions, maps, kernel symbols.
  'subprograms-not-allowed': row(
    'the profile does not allow functions besides the entry',
    'mark helper functions __always_inline',
    'function calls to other bpf functions are allowed for CAP_BPF and CAP_SYS_ADMIN',
  ),
  'map-type-missing': row(
    "the profile '{profile}' has no maps of type {type} (map '{map}')",
    'use another map type, or a newer profile',
    'map_create: EINVAL',
  ),
  'map-fields': row(
    "{name} does not work on map '{map}': {problem}",
    'use a map type and a value type that go together',
    "map '{map}' has to have BTF in order to use {name}",
  ),
  'arena-privilege': row(
    'arenas need CAP_BPF and CAP_PERFMON',
    'load the program with both capabilities',
    'CAP_BPF and CAP_PERFMON are required to use arena',
  ),
  'map-pointer-unsupported': unsupported(
    'a map of type {type} is read as the structure that the kernel keeps it in, which is not known',
    'give the kernel types (--kernel-btf)',
    'map_ptr access not supported for map type',
  ),
  'map-not-sleepable': row(
    "programs that may sleep cannot use map '{map}' of type {type}",
    'use an array, hash, ring buffer or local storage',
    'Sleepable programs can only use array, hash, ringbuf and local storage maps',
  ),
  'packet-access-forbidden': row(
    'programs of this type have no direct packet access',
    'use bpf_skb_load_bytes',
    'invalid bpf_context access',
  ),
  'kernel-object-licence': row(
    "kernel structure '{type}' is open to programs under a GPL-compatible licence; this one says '{license}'",
    'state the licence: char LICENSE[] SEC("license") = "GPL";',
    "Cannot access kernel 'struct {type}' from non-GPL compatible program",
  ),
  'attach-target': row(
    'the program cannot be attached: {reason}',
    'choose another function, tracepoint or hook',
    '{reason}',
  ),
  'kernel-symbol-unsupported': unsupported(
    'the address of a kernel symbol is taken, and the types that say what it is are unknown',
    'give the kernel types (--kernel-btf); symbols of modules are not supported',
    'kernel is missing BTF, make sure CONFIG_DEBUG_INFO_BTF=y is specified in Kconfig.',
  ),
  // How it is loaded and attached.
  'program-type-missing': row(
    "the profile '{profile}' has no programs of type {type}",
    'choose another profile, or another program type',
    'bpf_prog_load: EINVAL',
  ),
  'program-type-privilege': row(
    'programs of type {type} need {needs}',
    'load the program with that privilege',
    'bpf_prog_load: EPERM',
  ),
  'attach-type': row(
    "programs of type {type} cannot be loaded for attach type '{attachType}'",
    'name an attach type of the program type in its section',
    'bpf_prog_load: EINVAL',
  ),
  'not-sleepable': row(
    'programs of this type and attach type cannot be sleepable',
    'leave the sleepable flag out',
    'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable',
  ),
  'must-sleep': row(
    'programs of this type are always sleepable',
    'set the sleepable flag: SEC("syscall") does',
    'Syscall programs can only be sleepable',
  ),
  // Helpers.
  'helper-unknown': row(
    'no helper has number {helper}',
    'check the helper number',
    'invalid func unknown#{helper}',
  ),
  'helper-too-new': row(
    'helper {name} (number {helper}) came with Linux {since}; the profile is {profile}',
    'use a newer kernel, or do without this helper',
    'invalid func {name}#{helper}',
  ),
  'helper-not-allowed': row(
    'a program of type {type} cannot call {name}',
    'use a helper that this program type offers',
    'program of this type cannot use helper {name}#{helper}',
  ),
  'helper-gpl': row(
    "{name} is for programs under a GPL-compatible licence; this one says '{license}'",
    'state the licence: char LICENSE[] SEC("license") = "GPL";',
    'cannot call GPL-restricted function from non-GPL compatible program',
  ),
  'helper-sleeps': row(
    '{name} may sleep, which is not allowed here',
    'mark the program sleepable (SEC("...s/")), or leave the critical region first',
    'helper {name}#{helper} may sleep in non-sleepable prog',
  ),
  'helper-privilege': row(
    '{name} needs more privilege than the program is loaded with',
    'load the program with CAP_BPF and CAP_PERFMON',
    'program of this type cannot use helper {name}#{helper}',
  ),
  'helper-unsupported': unsupported(
    '{name} has no semantics here: {reason}',
    'verify this program with a kernel',
    '',
  ),
  // Kernel functions.
  'kfunc-unsupported': unsupported(
    'kernel function {name} has no semantics here',
    'verify this program with a kernel',
    'calling kernel function {name} is not allowed',
  ),
  'kfunc-too-new': row(
    'kernel function {name} came with Linux {since}; the profile is {profile}',
    'use a newer kernel, or do without this function',
    'calling kernel function {name} is not allowed',
  ),
  'kfunc-not-allowed': row(
    'a program of type {type} cannot call kernel function {name}',
    'use a function that this program type offers',
    'calling kernel function {name} is not allowed',
  ),
  'kfunc-gpl': row(
    "kernel functions are for programs under a GPL-compatible licence; this one says '{license}'",
    'state the licence: char LICENSE[] SEC("license") = "GPL";',
    'cannot call kernel function from non-GPL compatible program',
  ),
  'kfunc-sleeps': row(
    'kernel function {name} may sleep, which this program may not',
    'mark the program sleepable (SEC("...s/"))',
    'program must be sleepable to call sleepable kfunc {name}',
  ),
  // The rest: uses that depend on the program type.
  'map-field-not-allowed': row(
    "programs of type {type} cannot use map '{map}', whose values hold a {object}",
    'use another map, or another program type',
    'progs of this type cannot use {object} yet',
  ),
  'call-unsupported': row(
    "this profile has no '{name}'",
    'call the function by its name',
    'unknown opcode {opcode}',
  ),
  'program-type-unsupported': unsupported(
    'programs of type {type} are not supported: {reason}',
    'verify this program with a kernel',
    '',
  ),
  'program-unresolved': unsupported(
    '{reason}',
    'give the kernel types the program was built against (--kernel-btf)',
    'invalid func unknown#195896080',
  ),
  'legacy-packet-load': row(
    'programs of type {type} have no legacy packet loads',
    'use direct packet access',
    'BPF_LD_[ABS|IND] instructions not allowed for this program type',
  ),
  'early-return': row(
    'function {function} may be left in its middle by {what}, which nothing here allows',
    'move the instruction into the program itself, or build with BTF (clang -g)',
    '{what} is not allowed in subprogs without BTF',
  ),
} as const satisfies Record<string, DiagnosticRow>;
