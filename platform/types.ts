/**
 * The vocabulary in which a host says what it offers a program: contexts, helper contracts, map
 * types, program types, profiles. The tables beside this file are rows of these types; verifier,
 * JIT and loader read the rows and know no program type or helper by name.
 */

/** 'major.minor' of the first Linux release that has it. */
export type KernelVersion = `${number}.${number}`;

/** What a context field holds once loaded. */
export type FieldKind =
  | 'scalar'
  | 'packet' // packet data pointer
  | 'packet-end'
  | 'packet-meta'
  | 'socket' // struct bpf_sock *, possibly null per `nullable`
  | 'sock-common'
  | 'flow-keys' // struct bpf_flow_keys *
  | 'memory' // pointer to `pointee` bytes
  | 'memory-end' // sockopt optval_end
  | 'btf'; // pointer to kernel type `typeName`

export interface ContextField {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly kind: FieldKind;
  readonly read: boolean;
  readonly write: boolean;
  /**
   * Which accesses narrower than the field are allowed: none; reads of its first bytes only
   * ('read-start'); reads of its 2-byte halves ('read-halves'); reads of any aligned part; reads
   * and writes of any aligned part.
   */
  readonly narrow: 'none' | 'read-start' | 'read-halves' | 'read' | 'read-write';
  /** Also allow one aligned access of twice the size (two adjacent elements of an ip6 array). */
  readonly wide?: 'read' | 'read-write';
  readonly nullable?: boolean;
  /** Access only with these attach types; absent: all. */
  readonly attachTypes?: readonly string[];
  /** Writes only with these attach types; absent: wherever `attachTypes` allows access. */
  readonly writeAttachTypes?: readonly string[];
  /** Kernel type for 'btf'. */
  readonly typeName?: string;
  /** A number below zero is possible: for people, who see the field's value. */
  readonly signed?: true;
  /**
   * Index of the 64-bit slot in the pointer header of the native context (see loader/README.md):
   * pointer fields are 32-bit offsets in the uapi struct but native pointers when run.
   */
  readonly pointerSlot?: number;
}

export interface ContextLayout {
  /** Unique: the structure, and whose view of it (`__sk_buff/sched_cls`). */
  readonly name: string;
  /** `xdp_md`, `__sk_buff`, ... as in uapi/linux/bpf.h. */
  readonly struct: string;
  readonly sizeBytes: number;
  readonly fields: readonly ContextField[];
}

export type ArgumentKind =
  | 'anything' // any initialised value
  | 'context'
  | 'map' // constant map pointer
  | 'map-key' // readable, key size of the map in an earlier argument
  | 'map-value' // readable (or writable: access) value of that map
  | 'memory' // `sizeBytes`, or the size in the next argument
  | 'size' // constant or bounded size of the previous memory argument, > 0
  | 'size-or-zero'
  | 'constant-size' // a known constant (reserve, dynptr_from_mem, ...)
  | 'ringbuf-record'
  | 'sock-common'
  | 'socket'
  | 'btf-socket' // BTF-typed or helper-returned socket, any of the sock_common family
  | 'spin-lock'
  | 'timer'
  | 'kptr'
  | 'string' // pointer to NUL-terminated read-only map data
  | 'dynptr'
  | 'iterator'
  | 'callback'
  | 'stack'
  | 'percpu-btf'
  | 'btf'; // pointer to kernel type `typeName`

export interface Argument {
  readonly kind: ArgumentKind;
  /** For memory-like kinds; default 'read'. 'write' means the callee initialises it. */
  readonly access?: 'read' | 'write' | 'read-write';
  readonly nullable?: boolean;
  readonly sizeBytes?: number;
  readonly alignBytes?: number;
  readonly typeName?: string;
  /** The memory must lie in a map value. */
  readonly inMapValue?: boolean;
  /** Sizes: a constant is a multiple of this. */
  readonly multipleOf?: number;
  /** Strings: a format for as many numbers as the last argument says bytes of 8. */
  readonly format?: boolean;
  /** 'anything' that must be the constant 0. */
  readonly isZero?: boolean;
  /** The reference passed here is released by the call. */
  readonly releases?: boolean;
  /** For dynptr: 'uninit' creates one; the others require an initialised one. */
  readonly dynptr?: 'uninit' | 'any' | 'local' | 'ringbuf' | 'skb' | 'xdp';
  /** For 'uninit' dynptrs: what kind the call makes of it. */
  readonly creates?: 'local' | 'ringbuf' | 'skb' | 'xdp' | 'skb-meta' | 'file' | 'copy';
  /** Map types that a 'map' argument accepts are stated by the map type's row (`helpers`). */
  readonly callback?: CallbackShape;
}

/** Argument list with which a helper calls the program's callback. */
export type CallbackShape =
  | 'loop' // (u64 index, void *context)
  | 'for-each-map' // (map, key, value, context)
  | 'timer' // (map, key, value)
  | 'find-vma' // (task, vma, context)
  | 'user-ringbuf'; // (dynptr, context)

export type ReturnKind =
  | 'scalar'
  | 'void'
  | 'map-value' // of the map in the map argument
  | 'memory' // `sizeBytes`, or the size argument of kind constant-size
  | 'socket'
  | 'sock-common'
  | 'tcp-socket'
  | 'xdp-socket'
  | 'btf' // `typeName`
  | 'memory-or-btf'
  | 'never'; // does not return on success (tail_call falls through on failure: scalar)

export interface Return {
  readonly kind: ReturnKind;
  readonly nullable?: boolean;
  readonly typeName?: string;
  readonly sizeBytes?: number;
  /** Proven range of a scalar result as signed 64-bit, where the contract guarantees one. */
  readonly range?: { readonly min: number; readonly max: number };
  /** The range is [-MAX_ERRNO, value of the size argument] (probe_read_str and the like). */
  readonly boundedBySize?: boolean;
  /** The result is a reference that must be released. */
  readonly acquires?: boolean;
  /** The object of the first argument under another type: it lives as long as that reference. */
  readonly sameObject?: boolean;
  /** The memory belongs to the dynptr argument and is gone with it. */
  readonly ofDynptr?: boolean;
  /** The memory returned may not be written. */
  readonly readOnly?: boolean;
  /** 'btf' only: trusted (valid, no null check needed before use as an argument) or RCU-protected. */
  readonly trust?: 'trusted' | 'rcu' | 'untrusted';
}

export interface HelperRow {
  readonly id: number;
  /** Without the `bpf_` prefix removed: `bpf_map_lookup_elem`. */
  readonly name: string;
  readonly since: KernelVersion;
  /** Needs a GPL-compatible licence. */
  readonly gpl: boolean;
  readonly arguments: readonly Argument[];
  readonly returns: Return;
  /** Program types that may call it. 'all': every type's base set. */
  readonly programTypes: 'all' | readonly string[];
  /** Further restricted to these attach types, per program type. */
  readonly attachTypes?: Readonly<Record<string, readonly string[]>>;
  /** The arguments from this index on may be left uninitialised (what a format does not use). */
  readonly variadicFrom?: number;
  /** Invalidates packet pointers. */
  readonly changesPacket?: boolean;
  /** May be called while a lock is held. */
  readonly underLock?: boolean;
  /**
   * Runs another program in place of this one: a subprogram that calls it may return to its caller
   * with the packet changed, though where the call itself returns nothing has changed.
   */
  readonly leaves?: boolean;
  /** May sleep: needs the `sleepable` flag. */
  readonly sleeps?: boolean;
  /** Needs full privilege (CAP_PERFMON / CAP_SYS_ADMIN) on Linux. */
  readonly privileged?: boolean;
  /** Needs at least CAP_BPF: an unprivileged loader may not use it. */
  readonly needsCapBpf?: boolean;
  /** Speaks of kernel objects (tasks, cgroups, perf events) that no other host has. */
  readonly kernelOnly?: boolean;
  /** Packet pointers are accepted for memory, map-key and map-value arguments. */
  readonly packetAccess?: boolean;
  /** Reads memory at addresses that nobody has proven: what a format names, or a plain number. */
  readonly readsByNumber?: boolean;
  /** Its contract has no semantics here: programs that call it are `unsupported`. */
  readonly unsupported?: string;
  /** It is a JavaScript function of the embedder's: anything may happen to memory that it can see. */
  readonly hosted?: true;
  /** Contracts that differ for some program types; `helperFor` picks. */
  readonly variants?: readonly HelperVariant[];
}

/** What a helper's contract is instead, for programs of these types. */
export interface HelperVariant {
  readonly programTypes: readonly string[];
  readonly gpl?: boolean;
  readonly arguments?: readonly Argument[];
  readonly returns?: Return;
}

/** A kernel function: what its prototype in BTF and its flags in the kernel's sets say together. */
export interface KfuncRow {
  readonly name: string;
  readonly since: KernelVersion;
  readonly flags: readonly KfuncFlag[];
  readonly arguments: readonly KfuncArgument[];
  readonly returns: KfuncReturn;
  readonly programTypes: 'all' | readonly string[];
  /** Further restricted to these attach types, per program type. */
  readonly attachTypes?: Readonly<Record<string, readonly string[]>>;
  /** Open to programs that are bound to a device only. */
  readonly ofDevice?: boolean;
  /** Open to every program that may sleep, whatever its type. */
  readonly orSleepable?: boolean;
  /** Invalidates packet pointers. */
  readonly changesPacket?: boolean;
  /** May be called while a lock is held. */
  readonly underLock?: boolean;
  /** Reads memory at addresses that nobody has proven. */
  readonly readsByNumber?: boolean;
  readonly unsupported?: string;
}

/** Kinds that only kernel functions have. */
export type KfuncArgumentKind =
  | ArgumentKind
  | 'ignored' // not looked at: may be uninitialised
  | 'number'
  | 'untrusted' // arguments of global functions: anything, read where a fault yields 0
  | 'arena-pointer' // a pointer into an arena, or a number
  | 'allocated' // owning reference to an object that the program allocated
  | 'percpu-allocated'
  | 'refcounted' // owning or non-owning reference to an object with a bpf_refcount
  | 'any-pointer' // any pointer
  | 'kernel-pointer' // context or trusted pointer to `typeName`
  | 'local-type' // known constant: id of a structure in the program's BTF
  | 'kernel-type' // known constant: id of a structure in the kernel's BTF
  | 'list-head' // in a map value or an allocated object, its lock held
  | 'list-node' // owning reference to an object, at its node
  | 'rbtree-root'
  | 'rbtree-node'
  | 'node-in-tree' // non-owning reference to a node of the tree
  | 'irq-flag' // 8 bytes of stack that name the saved interrupt state
  | 'resilient-spin-lock'
  | 'workqueue'
  | 'task-work';

export interface KfuncArgument extends Omit<Argument, 'kind' | 'callback'> {
  readonly kind: KfuncArgumentKind;
  readonly callback?: CallbackShape | 'rbtree-less' | 'workqueue' | 'task-work';
  /** For 'irq-flag': whether the call saves to it or restores from it. */
  readonly irq?: 'save' | 'restore';
}

export type KfuncReturnKind =
  | ReturnKind
  | 'allocated' // object of the 'local-type' argument
  | 'percpu-allocated'
  | 'same' // another reference to the object of the 'refcounted' argument
  | 'list-node'
  | 'rbtree-node'
  | 'kernel-context' // the kernel's own structure behind the context
  | 'read-only-cast'; // untrusted pointer to the 'kernel-type' argument

export interface KfuncReturn extends Omit<Return, 'kind'> {
  readonly kind: KfuncReturnKind;
  /** The result is a borrowed node: it is gone when the lock is released. */
  readonly nonOwning?: boolean;
}

/** Meanings as in Documentation/bpf/kfuncs.rst. */
export type KfuncFlag =
  | 'acquire'
  | 'release'
  | 'ret-null'
  | 'trusted-args'
  | 'rcu'
  | 'rcu-protected'
  | 'sleepable'
  | 'destructive'
  | 'iter-new'
  | 'iter-next'
  | 'iter-destroy'
  | 'fastcall'
  // Regions that they open and close.
  | 'rcu-lock'
  | 'rcu-unlock'
  | 'preempt-disable'
  | 'preempt-enable'
  | 'irq-save'
  | 'irq-restore'
  | 'lock'
  | 'unlock'
  | 'throws';

export interface MapTypeRow {
  /** As libbpf_bpf_map_type_str prints it. */
  readonly name: string;
  /** enum bpf_map_type. */
  readonly id: number;
  readonly since: KernelVersion;
  readonly keySize: 'any' | 'zero' | 4 | 'trie' | readonly number[];
  readonly valueSize: 'any' | 'zero' | 4 | 'stack' | readonly number[];
  /** 'pages': a power of two and a multiple of the page size. */
  readonly maxEntries: 'positive' | 'zero' | 'pages';
  /** BPF_F_* flags without which it cannot be created. */
  readonly requiredFlags: number;
  /** Helpers that accept a map of this type (names); maps of maps accept by their inner type. */
  readonly helpers: readonly string[];
  /** Lookups of an existing constant key in range never return null (array maps). */
  readonly lookupAlwaysFinds: boolean;
  /** The program may hold pointers into its values. */
  readonly directValue: boolean;
  readonly perCpu: boolean;
  /** Kernel helper lookups yield an inner map rather than a value. */
  readonly ofMaps: boolean;
  /**
   * What a look-up finds: a value, an inner map, or an object that null checks turn the result into
   * ('socket' is acquired and must be released).
   */
  readonly lookup: 'value' | 'map' | 'socket' | 'xdp-socket';
  /** What an update stores: bytes, or the socket that the argument points to. */
  readonly updateTakes: 'value' | 'socket';
  /** The structure in which the kernel keeps it: what its map pointer points to. */
  readonly kernelStruct: string;
  /** Helpers that only some program types may use on it: `type`, or `type/attach_type`. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
  /** Sleepable programs may use it. */
  readonly sleepable: boolean;
}

export interface ProgramTypeRow {
  /** As libbpf_bpf_prog_type_str prints it, or `memory`. */
  readonly name: string;
  /** enum bpf_prog_type; 0 for `memory`. */
  readonly id: number;
  readonly since: KernelVersion;
  /** Layout behind r1; null: raw bytes whose rules `contextRule` states. */
  readonly context: string | null;
  /** That layout itself, where no table has it: types that embedders define. */
  readonly layout?: ContextLayout;
  /** The kernel's own structure behind the context, for programs that ask for it. */
  readonly kernelContext?: string;
  readonly contextRule?: 'btf-arguments' | 'raw-words' | 'tracepoint' | 'buffer' | 'btf-struct';
  /** Highest readable context byte for raw rules. */
  readonly contextBytes?: number;
  /** Allowed r0 at exit, as a signed number of `rangeBits`, per attach type or default. */
  readonly returns: ReturnRule;
  readonly returnsByAttach?: Readonly<Record<string, ReturnRule>>;
  /** lsm: hooks whose result has another range than the type's. */
  readonly returnsByTarget?: Readonly<Record<string, ReturnRule>>;
  /** Width at which `returns` must hold. */
  readonly rangeBits: 32 | 64;
  /** Width of the result that the caller of the program sees. */
  readonly returnBits: 32 | 64;
  /** Attach types with which it can be loaded; absent: the attach type means nothing to it; empty: none. */
  readonly attachTypes?: readonly string[];
  /** What a program that names none is loaded as. */
  readonly defaultAttachType?: string;
  /** What loads and stores may do with packet bytes. */
  readonly packet: 'none' | 'read' | 'read-write';
  /**
   * Whether helpers take packet pointers from it: all do, none does, or (absent) those that say so
   * by `packetAccess`. A helper that writes needs `packet` to be 'read-write', too.
   */
  readonly packetArguments?: boolean;
  /** Whether legacy ld_abs / ld_ind are allowed. */
  readonly legacyPacketLoads: boolean;
  /** Names of r0 values for people: 0 → XDP_ABORTED. */
  readonly actions?: Readonly<Record<number, string>>;
  readonly unsupported?: string;
}

export type ReturnRule = 'any' | { readonly min: number; readonly max: number };

export interface Profile {
  /** `linux-6.18`, `portable`, `memory`, `windows`. */
  readonly name: string;
  readonly family: 'linux' | 'windows' | 'portable' | 'memory';
  readonly version: KernelVersion | null;
  /** Highest -mcpu level accepted. */
  readonly isa: 1 | 2 | 3 | 4;
  readonly maxInstructions: number;
  readonly maxProcessed: number;
  readonly stackBytes: number;
  readonly maxCallDepth: number;
  readonly boundedLoops: boolean;
  readonly subprograms: boolean;
  readonly globalFunctions: boolean;
  /** The only program types it has, with their rules there; absent: those of its Linux version. */
  readonly programTypes?: readonly ProgramTypeRow[];
  /** The only helpers that it has, by its own numbers; absent: the tables', by `helperIds`. */
  readonly helpers?: ReadonlyMap<number, HelperRow>;
  /** Its own numbering of helpers; absent: Linux's. */
  readonly helperIds?: ReadonlyMap<number, string>;
  /** Features by name, for rules that arrived later (e.g. 'uninit-stack-helper-read'). */
  readonly features: ReadonlySet<string>;
}
