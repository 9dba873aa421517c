/**
 * Makes a program's BTF acceptable to BPF_BTF_LOAD. What clang writes into an object describes data
 * sections and extern functions in ways that only a loader can complete; the kernel wants section
 * sizes, variable offsets and parameter names. What nobody completed is rewritten in place into plain
 * types of the same length; nothing that the verifier looks at depends on it. Layout: Documentation/bpf/btf.rst.
 */
import { addon } from '../../loader/index.ts';
import { Attribute, COMMAND } from './attribute.ts';

const KIND = { int: 1, func: 12, var: 14, datasec: 15, enum64: 19 } as const;
const FUNC_GLOBAL = 1;
const FUNC_EXTERN = 2;
/** Linkage of a variable. */
const EXTERN = 2;
const HEADER_BYTES = 12;

/** Bytes after the 12-byte type header, by kind and vlen. */
function bodyBytes(kind: number, vlen: number): number {
  switch (kind) {
    case 1: // int
    case 14: // var
    case 17: // decl tag
      return 4;
    case 3: // array
      return 12;
    case 4: // struct
    case 5: // union
    case 15: // datasec
    case 19: // enum64
      return 12 * vlen;
    case 6: // enum
    case 13: // func proto
      return 8 * vlen;
    default:
      return 0;
  }
}

const info = (kind: number, vlen: number) => ((kind << 24) | vlen) >>> 0;

/** A copy of `btf` that the kernel takes. Expects well-formed BTF (programs/object has checked it). */
export function loadableBtf(btf: Uint8Array): Uint8Array {
  const out = Uint8Array.from(btf);
  const view = new DataView(out.buffer);
  const headerBytes = view.getUint32(4, true);
  const start = headerBytes + view.getUint32(8, true);
  const end = start + view.getUint32(12, true);
  const prototypesToName = new Set<number>();
  const positions = typePositions(view, start, end);
  const complete = completeSections(view, positions);
  let someName = 0;
  for (const [id, at] of positions.entries()) {
    if (id === 0) continue;
    const word = view.getUint32(at + 4, true);
    const kind = (word >>> 24) & 0x1f;
    const vlen = word & 0xffff;
    const body = at + HEADER_BYTES;
    if (kind === KIND.func) {
      someName = view.getUint32(at, true);
      if (vlen === FUNC_EXTERN) {
        view.setUint32(at + 4, info(KIND.func, FUNC_GLOBAL), true);
        prototypesToName.add(view.getUint32(at + 8, true));
      }
    } else if (kind === KIND.var && !complete.has(id)) {
      view.setUint32(at + 4, info(KIND.int, 0), true);
      view.setUint32(at + 8, 1, true); // a one-byte integer
      view.setUint32(body, 8, true);
    } else if (kind === KIND.datasec && !complete.has(id)) {
      // Its entries have the size of those of an enum64, which needs nothing but names.
      view.setUint32(at, 0, true);
      view.setUint32(at + 4, info(KIND.enum64, vlen), true);
      view.setUint32(at + 8, 8, true);
      for (let i = 0; i < vlen; i++) {
        view.setUint32(body + 12 * i, someName, true);
        view.setUint32(body + 12 * i + 4, i, true);
        view.setUint32(body + 12 * i + 8, 0, true);
      }
    }
  }
  for (const id of prototypesToName) nameParameters(view, positions[id], someName);
  return out;
}

/** Where each type begins, by id. */
function typePositions(view: DataView, start: number, end: number): number[] {
  const positions: number[] = [0];
  for (let at = start; at < end; ) {
    positions.push(at);
    const word = view.getUint32(at + 4, true);
    at += HEADER_BYTES + bodyBytes((word >>> 24) & 0x1f, word & 0xffff);
  }
  return positions;
}

/**
 * Ids of the data sections that a reader of the object completed, and of their variables: they can
 * stay, and must where the values of a data map hold special fields.
 */
function completeSections(view: DataView, positions: readonly number[]): ReadonlySet<number> {
  const kindAt = (at: number) => (view.getUint32(at + 4, true) >>> 24) & 0x1f;
  const complete = new Set<number>();
  for (const [id, at] of positions.entries()) {
    if (id === 0 || kindAt(at) !== KIND.datasec || view.getUint32(at + 8, true) === 0) continue;
    const count = view.getUint32(at + 4, true) & 0xffff;
    const variables = Array.from({ length: count }, (_, i) =>
      view.getUint32(at + HEADER_BYTES + 12 * i, true),
    );
    const isPlain = (variable: number) => {
      const place = positions[variable] ?? 0;
      return kindAt(place) === KIND.var && view.getUint32(place + HEADER_BYTES, true) !== EXTERN;
    };
    if (!variables.every(isPlain)) continue;
    complete.add(id);
    for (const variable of variables) complete.add(variable);
  }
  return complete;
}

function nameParameters(view: DataView, at: number | undefined, name: number): void {
  if (at === undefined) return;
  const count = view.getUint32(at + 4, true) & 0xffff;
  for (let i = 0; i < count; i++) {
    const parameter = at + HEADER_BYTES + 8 * i;
    if (view.getUint32(parameter, true) === 0) view.setUint32(parameter, name, true);
  }
}

export interface LoadedBtf {
  readonly descriptor: number;
  close(): void;
}

/** Loads BTF into the kernel; undefined when the kernel refuses it (programs load without). */
export function loadBtf(btf: Uint8Array): LoadedBtf | undefined {
  const bytes = loadableBtf(btf);
  const descriptor = new Attribute().pointer(0, bytes).u32(16, bytes.length).try(COMMAND.btfLoad);
  if (descriptor < 0) return undefined;
  return { descriptor, close: () => addon().closeDescriptor(descriptor) };
}
