/**
 * Writes programs as a manifest, the inverse of `readManifest`. Programs share the maps of one file:
 * equal maps are written once, and different maps of one name get a number.
 */

import type { MapSpec, Program } from '../../isa/index.ts';
import { FORMAT, type Manifest, type ManifestMap, type ManifestProgram } from './format.ts';

const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

function writeMap(spec: MapSpec, name: string): ManifestMap {
  const { type, keySize, valueSize, maxEntries, flags, mapExtra, inner, frozen } = spec;
  const { btfKeyTypeId, btfValueTypeId, initial, entries } = spec;
  return {
    name,
    type,
    keySize,
    valueSize,
    maxEntries,
    ...(flags !== 0 && { flags }),
    ...(mapExtra !== 0 && { mapExtra }),
    ...(inner && { inner: writeMap(inner, inner.name) }),
    ...(btfKeyTypeId !== undefined && { btfKeyTypeId }),
    ...(btfValueTypeId !== undefined && { btfValueTypeId }),
    ...(frozen && { frozen }),
    ...(initial && { initial: hex(initial) }),
    ...(entries && {
      entries: entries.map(({ key, value }) => ({
        key: hex(key),
        value: typeof value === 'string' ? value : hex(value),
      })),
    }),
  };
}

/** The file's maps: each spec under the name that it has in the file. */
class MapNames {
  readonly maps: ManifestMap[] = [];
  readonly #bySpec = new Map<MapSpec, string>();
  readonly #texts = new Map<string, string>();

  nameOf(spec: MapSpec): string {
    const known = this.#bySpec.get(spec);
    if (known !== undefined) return known;
    const text = JSON.stringify(writeMap(spec, spec.name));
    let name = spec.name;
    for (let number = 2; (this.#texts.get(name) ?? text) !== text; number++) {
      name = `${spec.name}.${number}`;
    }
    this.#bySpec.set(spec, name);
    if (!this.#texts.has(name)) {
      this.#texts.set(name, text);
      this.maps.push(writeMap(spec, name));
    }
    return name;
  }
}

function writeProgram(program: Program, names: MapNames): ManifestProgram {
  const mapNames = program.maps.map((spec) => names.nameOf(spec));
  const { attachType, attachTarget, contextSize, expect } = program;
  const { flags, mapReferences, kfuncCalls, functions, lines } = program;
  return {
    name: program.name,
    type: program.type,
    ...(attachType !== undefined && { attachType }),
    ...(attachTarget !== undefined && { attachTarget }),
    license: program.license,
    ...(flags.length > 0 && { flags }),
    ...(contextSize !== undefined && { contextSize }),
    instructions: hex(program.code),
    ...(mapReferences.length > 0 && {
      mapRefs: mapReferences.map(({ instruction, map, valueOffset }) => {
        const name = mapNames[map];
        if (name === undefined) {
          throw new RangeError(`program ${program.name} has no map ${map}`);
        }
        return { instruction, map: name, ...(valueOffset !== undefined && { valueOffset }) };
      }),
    }),
    ...(kfuncCalls.length > 0 && { kfuncCalls }),
    ...(functions.length > 0 && {
      functions: functions.map(({ instruction, typeId, name }) => ({ instruction, typeId, name })),
    }),
    ...(lines.length > 0 && { lineInfo: lines }),
    ...(expect && { expect }),
  };
}

/** The BTF that all the programs share. Throws RangeError when they do not. */
function sharedBtf(programs: readonly Program[]): string | undefined {
  const [first, ...others] = new Set(
    programs.flatMap(({ btf }) => (btf ? [Buffer.from(btf).toString('base64')] : [])),
  );
  if (others.length > 0) throw new RangeError('the programs of one manifest share one BTF');
  return first;
}

/** The manifest of these programs, as JSON text. */
export function writeManifest(programs: readonly Program[]): string {
  const names = new MapNames();
  const written = programs.map((program) => writeProgram(program, names));
  const btf = sharedBtf(programs);
  const manifest: Manifest = {
    format: FORMAT,
    ...(btf !== undefined && { btf }),
    ...(names.maps.length > 0 && { maps: names.maps }),
    programs: written,
  };
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}
