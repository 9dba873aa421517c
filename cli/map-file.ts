/** Map contents as JSON, in and out: `[{ "key": hex, "value": hex }, …]`. */

import { UsageError } from './exit-code.ts';
import { readBytes } from './input.ts';

/** A map of either engine. */
export interface OpenMap {
  readonly name: string;
  set(key: Uint8Array, value: Uint8Array): void;
  entries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
}

export interface MapEntryDocument {
  readonly key: string;
  readonly value: string;
}

/** Entries by map name. */
export type MapDocument = Readonly<Record<string, readonly MapEntryDocument[]>>;

const HEX = /^([0-9a-fA-F]{2})*$/;
const isHex = (value: unknown): value is string => typeof value === 'string' && HEX.test(value);

function parseEntries(file: string): MapEntryDocument[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(readBytes(file)));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
  if (!Array.isArray(parsed))
    throw new UsageError(`${file}: expected a list of { "key", "value" }`);
  return parsed.map((entry: Partial<MapEntryDocument> | null, index) => {
    if (!isHex(entry?.key) || !isHex(entry?.value)) {
      throw new UsageError(`${file}: entry ${index}: "key" and "value" must be hexadecimal text`);
    }
    return { key: entry.key, value: entry.value };
  });
}

const bytes = (digits: string) => Uint8Array.from(Buffer.from(digits, 'hex'));
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

/** Puts a file's entries into a map. Throws UsageError, also where the map refuses an entry. */
export function fillMap(map: OpenMap, file: string): void {
  parseEntries(file).forEach(({ key, value }, index) => {
    try {
      map.set(bytes(key), bytes(value));
    } catch (error) {
      throw new UsageError(
        `${file}: entry ${index}: ${error instanceof Error ? error.message : error}`,
      );
    }
  });
}

/** Everything in the maps that have entries to show; queues and ring buffers show none. */
export function mapContents(maps: Readonly<Record<string, OpenMap>>): MapDocument {
  return Object.fromEntries(
    Object.entries(maps).map(([name, map]) => {
      const entries = [...map.entries()].map(([key, value]) => ({
        key: hex(key),
        value: hex(value),
      }));
      return [name, entries.sort((a, b) => (a.key < b.key ? -1 : 1))];
    }),
  );
}
