/**
 * Maps of an observed program: typed by BTF where there is BTF, bytes otherwise, and compared between
 * two moments, so that a test sees what a run changed.
 */

import { type Btf, parseBtf, type TypedValue, type TypedView, typedView } from '../btf/index.ts';
import type { MapSpec } from '../isa/index.ts';
import {
  changesBetween,
  contentOf,
  decodeValue,
  type MapChange,
  type MapContent,
  type ReferenceMap,
} from '../loader/index.ts';

/** What a map held at a moment. */
export interface Snapshot {
  readonly content: MapContent;
  readonly records: ReadonlySet<Uint8Array>;
}

export class ObservedMap {
  readonly #map: ReferenceMap;
  readonly #key: TypedView | undefined;
  readonly #value: TypedView | undefined;

  constructor(map: ReferenceMap, types: Btf | undefined) {
    const { spec } = map;
    this.#map = map;
    this.#key = viewOf(types, spec.btfKeyTypeId, spec.keySize);
    this.#value = viewOf(types, spec.btfValueTypeId, spec.valueSize);
  }

  get name(): string {
    return this.#map.name;
  }
  get type(): string {
    return this.#map.type;
  }
  get spec(): MapSpec {
    return structuredClone(this.#map.spec);
  }

  /** A copy, typed where BTF tells how; per-CPU maps answer one value for each of their slots. */
  get(key: TypedValue): TypedValue | undefined {
    const value = this.#map.get(encode(this.name, 'key', this.#key, key));
    return value === undefined ? undefined : decodeValue(this.#value, value);
  }

  /** Throws RangeError where the map refuses (full, index out of range, wrong size). */
  set(key: TypedValue, value: TypedValue): void {
    this.#map.set(
      encode(this.name, 'key', this.#key, key),
      encode(this.name, 'value', this.#value, value),
    );
  }

  /** False: there was no such key, or the map's entries cannot be deleted. */
  delete(key: TypedValue): boolean {
    return this.#map.delete(encode(this.name, 'key', this.#key, key)) === 0n;
  }

  *entries(): Generator<readonly [key: TypedValue, value: TypedValue]> {
    for (const [key, value] of this.#map.entries())
      yield [this.#key?.decode(key) ?? key, decodeValue(this.#value, value)];
  }

  [Symbol.iterator](): Generator<readonly [key: TypedValue, value: TypedValue]> {
    return this.entries();
  }

  /** Ring buffers and perf event arrays: the next record, removed; undefined: none yet. */
  consume(): Uint8Array | undefined {
    return this.#map.consume();
  }

  snapshot(): Snapshot {
    return { content: contentOf(this.#map.entries()), records: new Set(this.#map.waiting()) };
  }

  /** Keys whose values are not what they were, in the order of their bytes. */
  changesSince(before: Snapshot): MapChange[] {
    const types = { key: this.#key, value: this.#value };
    return changesBetween(before.content, contentOf(this.#map.entries()), types);
  }

  /** Records that came since, oldest first; they can still be consumed. */
  recordsSince(before: Snapshot): Uint8Array[] {
    return this.#map
      .waiting()
      .filter((bytes) => !before.records.has(bytes))
      .map((bytes) => bytes.slice());
  }
}

/** The types that describe a program's maps. */
export const mapTypes = (raw: Uint8Array | undefined, file: string): Btf | undefined =>
  raw === undefined ? undefined : parseBtf(raw, file);

/** Only a type of exactly the declared size describes the bytes. */
function viewOf(btf: Btf | undefined, typeId = 0, sizeBytes: number): TypedView | undefined {
  const fits = btf !== undefined && typeId !== 0 && btf.sizeOf(typeId) === sizeBytes;
  return fits ? typedView(btf, typeId) : undefined;
}

function encode(
  map: string,
  what: 'key' | 'value',
  view: TypedView | undefined,
  value: TypedValue,
): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (view !== undefined) return view.encode(value);
  throw new TypeError(`map ${map}: its ${what} has no type in BTF, so give bytes`);
}
