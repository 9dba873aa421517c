/**
 * Program: what every source of programs yields and everything later consumes. Plain data; nothing
 * here has been checked beyond its own shape.
 */

/** One 8-byte slot after decoding; see `decode`. `op` indexes TABLE. */
export interface Instruction {
  readonly op: number;
  readonly dst: number;
  readonly src: number;
  /** Signed displacement: bytes for memory rows, slots for jumps (also for `gotol`). */
  readonly off: number;
  /** Signed 32-bit immediate; the low half for constants. */
  readonly imm: number;
  /** High half of a constant; 0 elsewhere. */
  readonly immHigh: number;
}

/** Sizes in bytes. `type` as libbpf_bpf_map_type_str prints it (`percpu_array`). */
export interface MapSpec {
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* map-creation flags. */
  readonly flags: number;
  readonly mapExtra: number;
  /** Shared under its name in the BPF file system (LIBBPF_PIN_BY_NAME). */
  readonly pinning?: 'by-name';
  readonly numaNode?: number;
  /** Template of the inner map, for maps of maps. */
  readonly inner?: MapSpec;
  /** Type ids in the program's BTF. */
  readonly btfKeyTypeId?: number;
  readonly btfValueTypeId?: number;
  /** The program and user space may not change it any more; its `initial` is its content. */
  readonly frozen: boolean;
  /** Content of array maps: values in order, each `valueSize` bytes; may be shorter than the map. */
  readonly initial?: Uint8Array;
  /** Other initial entries; a string value names a map or program (maps of maps, prog arrays). */
  readonly entries?: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array | string;
}

/** A `ld_imm64` at slot `instruction` that names a map (and an offset into its only value). */
export interface MapReference {
  readonly instruction: number;
  /** Index into Program.maps. */
  readonly map: number;
  /** Present: the address of byte `valueOffset` of the value at key 0, not of the map. */
  readonly valueOffset?: number;
}

/** Source position of the instructions from `instruction` up to the next entry. 1-based. */
export interface LineInfo {
  readonly instruction: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A function of the program and its BTF_KIND_FUNC type id, starting at slot `instruction`. */
export interface FunctionInfo {
  readonly instruction: number;
  readonly typeId: number;
  readonly name: string;
  /** BTF linkage of the function: global functions are verified on their own. */
  readonly linkage?: 'static' | 'global' | 'extern';
}

export interface KfuncCall {
  readonly instruction: number;
  readonly name: string;
}

export interface Program {
  readonly name: string;
  /** Where it came from, for messages. */
  readonly file: string;
  readonly section: string;
  /** As libbpf_bpf_prog_type_str prints it (`sched_cls`), or `memory`. */
  readonly type: string;
  /** As libbpf_bpf_attach_type_str prints it (`cgroup_inet_egress`). */
  readonly attachType?: string;
  /** Kernel function, tracepoint or hook name. */
  readonly attachTarget?: string;
  readonly license: string;
  /** BPF_F_* program-load flags in kebab case (`strict-alignment`). */
  readonly flags: readonly string[];
  /** Bytes behind r1; `memory` programs only. */
  readonly contextSize?: number;
  /** Linked instructions: 8 bytes a slot, little-endian, subprograms included. */
  readonly code: Uint8Array;
  readonly maps: readonly MapSpec[];
  readonly mapReferences: readonly MapReference[];
  readonly kfuncCalls: readonly KfuncCall[];
  readonly functions: readonly FunctionInfo[];
  readonly lines: readonly LineInfo[];
  /** Raw .BTF of the program. */
  readonly btf?: Uint8Array;
  /** Manifest files state what their author expects. */
  readonly expect?: 'accepted' | 'rejected';
  /** Why this program cannot be used as it stands (a CO-RE relocation that no kernel type matched). */
  readonly unresolved?: readonly Unresolved[];
}

/** An instruction that cannot do what its source says. */
export interface Unresolved {
  readonly instruction: number;
  readonly reason: string;
  /**
   * The source may guard it by a test of whether the kernel has what is missing: nothing is wrong
   * as long as it is never reached.
   */
  readonly guarded?: true;
}
