/**
 * The BPF Type Format as values: what one entry of the type section says, by kind. The binary form
 * is in `parse.ts`; these objects are made on demand, since a kernel has 150,000 types and a
 * program asks for a dozen. Source: Documentation/bpf/btf.rst and uapi/linux/btf.h.
 */

/** Kind names in the order of their numbers (BTF_KIND_*); index 0 is void. */
export const KIND_NAMES = Object.freeze([
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
] as const);

export type BtfKind = (typeof KIND_NAMES)[number];

/** BTF_FUNC_STATIC, _GLOBAL, _EXTERN; variables use the same three. */
export type BtfLinkage = 'static' | 'global' | 'extern';

export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly typeId: number;
  /** From the start of the containing struct. */
  readonly bitOffset: number;
  /** 0: not a bit-field. */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  /** Signed or unsigned as the enum says. */
  readonly value: bigint;
}

export interface BtfParameter {
  readonly name: string;
  /** 0 in the last place: variadic. */
  readonly typeId: number;
}

export interface BtfSectionVariable {
  /** A 'var', or a 'func' for externs in .ksyms. */
  readonly typeId: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

interface Common {
  readonly id: number;
  /** Empty when anonymous. */
  readonly name: string;
}

export interface BtfVoid extends Common {
  readonly kind: 'void';
}

export interface BtfInt extends Common {
  readonly kind: 'int';
  readonly sizeBytes: number;
  readonly bits: number;
  /** Bits to skip at the start; 0 from every current compiler. */
  readonly bitOffset: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
}

/** Kinds that add something to one other type. */
export interface BtfReference extends Common {
  readonly kind: 'ptr' | 'typedef' | 'volatile' | 'const' | 'restrict' | 'type_tag';
  readonly typeId: number;
  /** Type tags: an attribute that is no `btf_type_tag` (kind_flag, Linux 6.15). */
  readonly isAttribute: boolean;
}

export interface BtfArray extends Common {
  readonly kind: 'array';
  readonly typeId: number;
  readonly indexTypeId: number;
  readonly length: number;
}

export interface BtfComposite extends Common {
  readonly kind: 'struct' | 'union';
  readonly sizeBytes: number;
  readonly members: readonly BtfMember[];
}

export interface BtfEnum extends Common {
  readonly kind: 'enum' | 'enum64';
  readonly sizeBytes: number;
  readonly signed: boolean;
  readonly enumerators: readonly BtfEnumerator[];
}

export interface BtfForward extends Common {
  readonly kind: 'fwd';
  readonly of: 'struct' | 'union';
}

export interface BtfFunction extends Common {
  readonly kind: 'func';
  /** A 'func_proto'. */
  readonly typeId: number;
  readonly linkage: BtfLinkage;
}

export interface BtfPrototype extends Common {
  readonly kind: 'func_proto';
  readonly returnTypeId: number;
  readonly parameters: readonly BtfParameter[];
}

export interface BtfVariable extends Common {
  readonly kind: 'var';
  readonly typeId: number;
  readonly linkage: BtfLinkage;
}

export interface BtfSection extends Common {
  readonly kind: 'datasec';
  readonly sizeBytes: number;
  readonly variables: readonly BtfSectionVariable[];
}

export interface BtfFloat extends Common {
  readonly kind: 'float';
  readonly sizeBytes: number;
}

export interface BtfDeclarationTag extends Common {
  readonly kind: 'decl_tag';
  readonly typeId: number;
  /** Member or parameter that is tagged; -1: the type itself. */
  readonly component: number;
  readonly isAttribute: boolean;
}

export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfReference
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfForward
  | BtfFunction
  | BtfPrototype
  | BtfVariable
  | BtfSection
  | BtfFloat
  | BtfDeclarationTag;

/** The members of the union that have kind K. */
export type BtfTypeOf<K extends BtfKind> = Extract<BtfType, { readonly kind: K }>;
