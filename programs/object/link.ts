/**
 * Makes one program of an entry function and the functions it needs: as libbpf does, each function is
 * appended once, behind what is there, the first time that the code in order calls it or takes its
 * address, and its own callees follow before the scan of the caller goes on; what catches its
 * exceptions comes last. Then distances are filled in. What is known by section and slot becomes known by slot of the program.
 */
import { type Btf, KIND_NAMES } from '../../btf/index.ts';
import {
  type FunctionInfo,
  InputError,
  type KfuncCall,
  type LineInfo,
  type MapReference,
  type Unresolved,
} from '../../isa/index.ts';
import type { LineRecord, SectionRecords } from './btf-ext.ts';
import {
  CALL,
  type CodeFunction,
  type CodeSection,
  immediateOf,
  LD_IMM64,
  SLOT_BYTES,
  sourceOf,
} from './code.ts';

/**
 * Slots of all linked programs of one file together, 16 MiB: many programs that each append the
 * same large functions could otherwise make gigabytes of a small file.
 */
export const MAX_LINKED_SLOTS = 2 * 1024 * 1024;

/** Longest source line kept; generated code has some of many kilobytes. */
const MAX_LINE_BYTES = 1024;

/** bpf_throw: what libbpf looks for on the function of a program. */
const CATCHER_TAG = 'exception_callback:';

export interface Linked {
  readonly code: Uint8Array;
  readonly mapReferences: MapReference[];
  readonly kfuncCalls: KfuncCall[];
  readonly functions: FunctionInfo[];
  readonly lines: LineInfo[];
  readonly unresolved: Unresolved[];
}

interface Part {
  readonly function: CodeFunction;
  /** First slot in the linked program. */
  readonly at: number;
}

/** What all programs of one object share. */
export class Linker {
  readonly #file: string;
  readonly #btf: Btf | undefined;
  readonly #records: ReadonlyMap<string, SectionRecords>;
  readonly #globals: ReadonlyMap<string, CodeFunction>;
  readonly #texts = new Map<number, string>();
  #slots = 0;

  constructor(
    file: string,
    btf: Btf | undefined,
    records: ReadonlyMap<string, SectionRecords>,
    code: Iterable<CodeSection>,
  ) {
    this.#file = file;
    this.#btf = btf;
    this.#records = records;
    const functions = [...code].flatMap((section) => section.functions);
    this.#globals = new Map(
      functions.filter((each) => each.global).map((each) => [each.name, each]),
    );
  }

  link(entry: CodeFunction): Linked {
    const { parts, slots } = this.#arrange(entry);
    const code = new Uint8Array(slots * SLOT_BYTES);
    const linked: Linked = {
      code,
      mapReferences: [],
      kfuncCalls: [],
      functions: [],
      lines: [],
      unresolved: [],
    };
    for (const part of parts.values()) {
      const { start, end } = part.function;
      code.set(
        part.function.code.bytes.subarray(start * SLOT_BYTES, end * SLOT_BYTES),
        part.at * SLOT_BYTES,
      );
      this.#carryMarks(part, parts, linked);
      this.#carryRecords(part, linked);
    }
    return linked;
  }

  /** The functions of the program in the order of their code. */
  #arrange(entry: CodeFunction): { parts: ReadonlyMap<CodeFunction, Part>; slots: number } {
    const parts = new Map<CodeFunction, Part>();
    let slots = 0;
    const place = (each: CodeFunction): void => {
      parts.set(each, { function: each, at: slots });
      slots += each.end - each.start;
      this.#slots += each.end - each.start;
      if (this.#slots > MAX_LINKED_SLOTS)
        throw new InputError(
          this.#file,
          each.code.section.offset,
          `the programs of this file link to more than ${MAX_LINKED_SLOTS} instructions`,
          each.code.section.name,
        );
    };
    const caught = this.#catcherOf(entry);
    for (const root of caught === undefined ? [entry] : [entry, caught]) {
      if (parts.has(root)) continue;
      place(root);
      // A stack of scans rather than recursion: call chains of a hostile file can be long.
      const scans = [{ needs: neededBy(root), next: 0 }];
      for (let scan = scans.at(-1); scan; scan = scans.at(-1)) {
        const target = scan.needs[scan.next++];
        if (target === undefined) scans.pop();
        else if (!parts.has(target)) {
          place(target);
          scans.push({ needs: neededBy(target), next: 0 });
        }
      }
    }
    return { parts, slots };
  }

  /**
   * The global function that a tag of the entry names to catch its exceptions: no instruction refers
   * to it. Of several, none is: a verifier refuses the program anyway.
   */
  #catcherOf(entry: CodeFunction): CodeFunction | undefined {
    const records = this.#records.get(entry.code.section.name)?.functions ?? [];
    const record = records[firstFrom(records, entry.start)];
    if (!this.#btf || record?.slot !== entry.start) return undefined;
    const tags = this.#btf
      .declarationTags(record.typeId)
      .filter(({ name }) => name.startsWith(CATCHER_TAG));
    const name = tags.length === 1 ? tags[0]!.name.slice(CATCHER_TAG.length) : undefined;
    return name === undefined ? undefined : this.#globals.get(name);
  }

  /** Copies marks, and fills in the distances to the functions where they now are. */
  #carryMarks(part: Part, parts: ReadonlyMap<CodeFunction, Part>, linked: Linked): void {
    const { function: from, at } = part;
    const { code, start, end } = from;
    const view = new DataView(linked.code.buffer);
    for (let slot = start; slot < end; slot++) {
      const instruction = at + slot - start;
      const fault = code.unresolved.get(slot);
      if (fault !== undefined) linked.unresolved.push({ instruction, ...fault });
      const target = functionAt(from, slot);
      const distance = target && parts.get(target)!.at - instruction - 1;
      if (distance !== undefined) view.setInt32(instruction * SLOT_BYTES + 4, distance, true);
      const mark = code.marks.get(slot);
      if (mark?.kind === 'map')
        linked.mapReferences.push({
          instruction,
          map: mark.map,
          ...(mark.valueOffset !== undefined && { valueOffset: mark.valueOffset }),
        });
      else if (mark?.kind === 'kfunc') linked.kfuncCalls.push({ instruction, name: mark.name });
    }
  }

  #carryRecords({ function: from, at }: Part, linked: Linked): void {
    const records = this.#records.get(from.code.section.name);
    const btf = this.#btf;
    if (!records || !btf) return;
    const { start, end } = from;
    for (let i = firstFrom(records.functions, start); i < records.functions.length; i++) {
      const record = records.functions[i]!;
      if (record.slot >= end) break;
      const type = btf.typeOf(record.typeId, 'func');
      if (!type)
        throw new InputError(
          this.#file,
          from.code.section.offset + record.slot * SLOT_BYTES,
          `type ${record.typeId} of a function is of kind ${kindName(btf, record.typeId)}`,
          from.code.section.name,
        );
      linked.functions.push({
        instruction: at + record.slot - start,
        typeId: record.typeId,
        name: type.name,
        linkage: type.linkage,
      });
    }
    for (let i = firstFrom(records.lines, start); i < records.lines.length; i++) {
      const record = records.lines[i]!;
      if (record.slot >= end) break;
      linked.lines.push(this.#lineInfo(record, at + record.slot - start, btf));
    }
  }

  #lineInfo(record: LineRecord, instruction: number, btf: Btf): LineInfo {
    return {
      instruction,
      file: this.#text(record.fileName, btf),
      line: record.line,
      column: record.column,
      text: this.#text(record.text, btf),
    };
  }

  /** Lines share their strings: the same source line is named by many instructions. */
  #text(offset: number, btf: Btf): string {
    let text = this.#texts.get(offset);
    if (text === undefined) {
      text = btf.string(offset, MAX_LINE_BYTES);
      this.#texts.set(offset, text);
    }
    return text;
  }
}

function kindName(btf: Btf, id: number): string {
  return btf.has(id) ? btf.kindOf(id) : KIND_NAMES[0];
}

/** Functions that the instructions of `from` refer to, in order; repeated ones too. */
function neededBy(from: CodeFunction): CodeFunction[] {
  const needed: CodeFunction[] = [];
  for (let slot = from.start; slot < from.end; slot++) {
    const target = functionAt(from, slot);
    if (target) needed.push(target);
  }
  return needed;
}

/**
 * The function that the instruction calls or takes the address of. Inside one section a compiler
 * may leave no relocation but the distance itself; a target inside the same function (assembly)
 * needs no change, since the function is copied whole.
 */
function functionAt(from: CodeFunction, slot: number): CodeFunction | undefined {
  const { code } = from;
  const mark = code.marks.get(slot);
  if (mark?.kind === 'function') return mark.target;
  if (mark || !isLocalReference(code, slot)) return undefined;
  const target = slot + 1 + immediateOf(code, slot);
  const inside = target >= from.start && target < from.end;
  return inside ? undefined : code.byStart.get(target);
}

/** BPF_PSEUDO_CALL is 1, BPF_PSEUDO_FUNC is 4. */
function isLocalReference(code: CodeSection, slot: number): boolean {
  const opcode = code.bytes[slot * SLOT_BYTES];
  const source = sourceOf(code, slot);
  return (opcode === CALL && source === 1) || (opcode === LD_IMM64 && source === 4);
}

/** Index of the first record at or behind `slot`. */
function firstFrom(records: readonly { readonly slot: number }[], slot: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle]!.slot < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}
