/**
 * Bytes of machine code under construction. Jumps are not bytes yet: their size depends on their
 * distance, and the distance on the size of the jumps between. The buffer therefore records each
 * jump as a site of size zero and `finish` decides them all at once.
 *
 * A place is a raw offset (jumps counted as nothing) and the number of jumps before it; both are
 * needed, because two jumps and the label between them share one raw offset. Its final offset is the
 * raw one plus the final sizes of the jumps before it.
 */

import { InternalError } from '../../isa/index.ts';
import type { CodeMapEntry, Relocation } from '../code.ts';

/** A position that the code can refer to before it is known. */
export type Label = number;

export interface MachineCode {
  readonly code: Uint8Array;
  /** Final offset of each label. */
  readonly labels: readonly number[];
  readonly relocations: readonly Relocation[];
  readonly codeMap: readonly CodeMapEntry[];
  /** Final offsets of the marked places, in the order in which they were marked. */
  readonly marks: readonly number[];
  /** Bytes of code before the constant pool and the padding in front of it. */
  readonly textBytes: number;
}

/** What a constant-pool entry or a 64-bit immediate is filled with by the loader. */
export type RelocationTarget = Relocation extends infer R
  ? R extends Relocation
    ? Omit<R, 'offset'>
    : never
  : never;

/** Entries of the constant pool: placed after the code, 8 bytes each. */
export type PoolEntry =
  | { readonly kind: 'address'; readonly target: RelocationTarget }
  | { readonly kind: 'value'; readonly low: number; readonly high: number };

/** One form of a branch: its size, and how far from its end it reaches. */
export interface BranchForm {
  readonly sizeBytes: number;
  readonly min: number;
  readonly max: number;
}

/** What a target knows of its own bytes. */
export interface Encoder {
  /** Forms of a jump or branch row, shortest first; the last reaches everything. */
  readonly branchForms: (op: number) => readonly BranchForm[];
  /** Writes form number `form` of branch `op` at `offset`; `distance` from its end. */
  readonly writeBranch: (
    bytes: Uint8Array,
    offset: number,
    op: number,
    form: number,
    distance: number,
  ) => void;
  /** Fills the field at `offset` so that it refers to `to`; `kind` as given to CodeBuffer.fixup. */
  readonly writeFixup: (bytes: Uint8Array, offset: number, kind: number, to: number) => void;
  /** Fills `sizeBytes` bytes at `offset` with instructions that do nothing. */
  readonly nop: (bytes: Uint8Array, offset: number, sizeBytes: number) => void;
}

/** Column-wise storage of places: final offset = raw + sizes of the first `sites` jumps. */
class Places {
  readonly raw: number[] = [];
  readonly sites: number[] = [];

  add(raw: number, sites: number): number {
    this.raw.push(raw);
    return this.sites.push(sites) - 1;
  }
}

const INITIAL_BYTES = 1024;
const POOL_ALIGN_BYTES = 8;

export class CodeBuffer {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  readonly #labelRaw: number[] = [];
  readonly #labelSites: number[] = [];
  readonly #jumps = { at: [] as number[], op: [] as number[], label: [] as Label[] };
  readonly #fixups = { place: new Places(), kind: [] as number[], label: [] as Label[] };
  readonly #relocations = { place: new Places(), target: [] as RelocationTarget[] };
  readonly #slots = { place: new Places(), pc: [] as number[] };
  readonly #marks = new Places();
  readonly #pool: { readonly entry: PoolEntry; readonly label: Label }[] = [];
  readonly #poolKeys = new Map<string, Label>();

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** Little-endian. */
  u32(value: number): void {
    if (this.#length + 4 > this.#bytes.length) this.#grow(4);
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
    this.#length = at + 4;
  }

  newLabel(): Label {
    this.#labelSites.push(0);
    return this.#labelRaw.push(-1) - 1;
  }

  /** The label means the next byte. */
  bind(label: Label): void {
    if (this.#labelRaw[label] !== -1) {
      throw new InternalError('code buffer', `label ${label} is bound twice`);
    }
    this.#labelRaw[label] = this.#length;
    this.#labelSites[label] = this.#jumps.at.length;
  }

  /** A jump or branch of row `op` to `label`. */
  jump(op: number, label: Label): void {
    this.#jumps.at.push(this.#length);
    this.#jumps.op.push(op);
    this.#jumps.label.push(label);
  }

  /** The field that starts at the next byte refers to `label`; `kind` is the target's business. */
  fixup(kind: number, label: Label): void {
    this.#fixups.place.add(this.#length, this.#jumps.at.length);
    this.#fixups.kind.push(kind);
    this.#fixups.label.push(label);
  }

  /** The next 8 bytes, written here as zeroes, are an address that the loader fills in. */
  relocation(target: RelocationTarget): void {
    this.#relocations.place.add(this.#length, this.#jumps.at.length);
    this.#relocations.target.push(target);
    this.u32(0);
    this.u32(0);
  }

  /** The code from here on belongs to BPF slot `pc`. */
  slot(pc: number): void {
    if (this.#slots.pc.at(-1) === pc) return;
    this.#slots.place.add(this.#length, this.#jumps.at.length);
    this.#slots.pc.push(pc);
  }

  /** Remembers this place for MachineCode.marks. */
  mark(): void {
    this.#marks.add(this.#length, this.#jumps.at.length);
  }

  /** Label of an entry of the constant pool; equal entries are stored once. */
  poolLabel(entry: PoolEntry): Label {
    const key = JSON.stringify(entry);
    const known = this.#poolKeys.get(key);
    if (known !== undefined) return known;
    const label = this.newLabel();
    this.#poolKeys.set(key, label);
    this.#pool.push({ entry, label });
    return label;
  }

  finish(encoder: Encoder): MachineCode {
    const { forms, prefix } = this.#relax(encoder);
    const textBytes = this.#length + prefix[this.#jumps.at.length]!;
    const poolStart = Math.ceil(textBytes / POOL_ALIGN_BYTES) * POOL_ALIGN_BYTES;
    const withPool = this.#pool.length > 0;
    const code = new Uint8Array(withPool ? poolStart + 8 * this.#pool.length : textBytes);
    if (withPool) encoder.nop(code, textBytes, poolStart - textBytes);

    const labels = this.#labelRaw.map((raw, i) => raw + prefix[this.#labelSites[i]!]!);
    const relocations = finalOffsets(this.#relocations.place, prefix).map(
      (offset, i) => ({ ...this.#relocations.target[i]!, offset }) as Relocation,
    );
    this.#pool.forEach(({ entry, label }, i) => {
      const offset = poolStart + 8 * i;
      labels[label] = offset;
      if (entry.kind === 'address') relocations.push({ ...entry.target, offset } as Relocation);
      else writeWords(code, offset, entry.low, entry.high);
    });
    this.#requireBound(labels);
    this.#copyText(code, labels, forms, prefix, encoder);
    const codeMap = finalOffsets(this.#slots.place, prefix).map((native, i) => ({
      native,
      instruction: this.#slots.pc[i]!,
    }));
    const marks = finalOffsets(this.#marks, prefix);
    return { code, labels, relocations, codeMap, marks, textBytes };
  }

  /**
   * Every jump starts in its shortest form and grows when its target is out of reach. Growing one
   * only lengthens distances, so no jump ever wants to shrink again and the loop ends, at the latest
   * when all have their last form.
   */
  #relax(encoder: Encoder): { forms: Uint8Array; prefix: Int32Array } {
    const { at, op, label } = this.#jumps;
    const count = at.length;
    const forms = new Uint8Array(count);
    const prefix = new Int32Array(count + 1);
    for (let changed = true; changed; ) {
      changed = false;
      for (let i = 0; i < count; i++) {
        prefix[i + 1] = prefix[i]! + encoder.branchForms(op[i]!)[forms[i]!]!.sizeBytes;
      }
      for (let i = 0; i < count; i++) {
        const target = label[i]!;
        const to = this.#labelRaw[target]! + prefix[this.#labelSites[target]!]!;
        const distance = to - (at[i]! + prefix[i + 1]!);
        const { min, max } = encoder.branchForms(op[i]!)[forms[i]!]!;
        if (distance >= min && distance <= max) continue;
        forms[i]!++;
        if (forms[i]! >= encoder.branchForms(op[i]!).length) {
          throw new InternalError('code buffer', `no form of jump ${i} reaches ${distance} bytes`);
        }
        changed = true;
      }
    }
    return { forms, prefix };
  }

  #copyText(
    code: Uint8Array,
    labels: readonly number[],
    forms: Uint8Array,
    prefix: Int32Array,
    encoder: Encoder,
  ): void {
    const { at, op, label } = this.#jumps;
    let from = 0;
    for (let i = 0; i < at.length; i++) {
      code.set(this.#bytes.subarray(from, at[i]!), from + prefix[i]!);
      from = at[i]!;
      const end = from + prefix[i + 1]!;
      encoder.writeBranch(code, from + prefix[i]!, op[i]!, forms[i]!, labels[label[i]!]! - end);
    }
    code.set(this.#bytes.subarray(from, this.#length), from + prefix[at.length]!);
    finalOffsets(this.#fixups.place, prefix).forEach((offset, i) => {
      encoder.writeFixup(code, offset, this.#fixups.kind[i]!, labels[this.#fixups.label[i]!]!);
    });
  }

  #requireBound(labels: readonly number[]): void {
    const pooled = new Set(this.#pool.map(({ label }) => label));
    labels.forEach((_, label) => {
      if (this.#labelRaw[label] === -1 && !pooled.has(label)) {
        throw new InternalError('code buffer', `label ${label} is never bound`);
      }
    });
  }

  #grow(more: number): void {
    const bytes = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

function finalOffsets(places: Places, prefix: Int32Array): number[] {
  return places.raw.map((raw, i) => raw + prefix[places.sites[i]!]!);
}

function writeWords(bytes: Uint8Array, offset: number, low: number, high: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setInt32(offset, low, true);
  view.setInt32(offset + 4, high, true);
}
