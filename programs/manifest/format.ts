/**
 * The shape of a `ringfence-program/1` document, after schema.json has accepted it. Bytes are
 * hexadecimal text, except the BTF, which is base64.
 */

export const FORMAT = 'ringfence-program/1';

export interface ManifestMap {
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  readonly mapExtra?: number;
  readonly inner?: ManifestMap;
  readonly btfKeyTypeId?: number;
  readonly btfValueTypeId?: number;
  readonly frozen?: boolean;
  readonly initial?: string;
  readonly entries?: readonly { readonly key: string; readonly value: string }[];
}

export interface ManifestProgram {
  readonly name: string;
  readonly type: string;
  readonly attachType?: string;
  readonly attachTarget?: string;
  readonly license?: string;
  readonly flags?: readonly string[];
  readonly contextSize?: number;
  readonly instructions: string;
  readonly mapRefs?: readonly {
    readonly instruction: number;
    readonly map: string;
    readonly valueOffset?: number;
  }[];
  readonly kfuncCalls?: readonly { readonly instruction: number; readonly name: string }[];
  readonly functions?: readonly {
    readonly instruction: number;
    readonly typeId: number;
    readonly name: string;
  }[];
  readonly lineInfo?: readonly {
    readonly instruction: number;
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly text: string;
  }[];
  readonly expect?: 'accepted' | 'rejected';
}

export interface Manifest {
  readonly format: typeof FORMAT;
  readonly btf?: string;
  readonly maps?: readonly ManifestMap[];
  readonly programs: readonly ManifestProgram[];
}

/** Map types whose values name other maps or programs. */
export const REFERENCE_TYPES: ReadonlySet<string> = new Set([
  'prog_array',
  'array_of_maps',
  'hash_of_maps',
]);
