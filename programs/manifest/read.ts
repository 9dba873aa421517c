/**
 * Reads a manifest: programs as raw instructions, with the maps, kernel functions and names that an
 * object file would give them by relocation. A file holds one set of maps for all its programs; each
 * program gets those that it refers to.
 */

import { parseBtf } from '../../btf/index.ts';
import {
  BYTES_PER_SLOT,
  type FunctionInfo,
  InputError,
  type MapEntry,
  type MapReference,
  type MapSpec,
  type Program,
} from '../../isa/index.ts';
import {
  type Manifest,
  type ManifestMap,
  type ManifestProgram,
  REFERENCE_TYPES,
} from './format.ts';
import { validate } from './generated/validate.js';
import { byteOffsetOf } from './locate.ts';
import { syntaxErrorAt } from './syntax.ts';

const LD_IMM64 = 0x18;
const CALL = 0x85;
/** BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, BPF_PSEUDO_KFUNC_CALL (uapi linux/bpf.h). */
const PSEUDO_MAP = 1;
const PSEUDO_MAP_VALUE = 2;
const PSEUDO_KFUNC = 2;
/** A program that says nothing of its licence may call what GPL programs may. */
const DEFAULT_LICENSE = 'GPL';

/** The document and where it came from, for messages. */
class Source {
  readonly file: string;
  readonly text: string;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** Throws InputError about the value at a JSON pointer. */
  fail(pointer: string, reason: string): never {
    const place = pointer === '' ? 'the document' : pointer;
    throw new InputError(this.file, byteOffsetOf(this.text, pointer), `${place}: ${reason}`);
  }

  bytes(pointer: string, hex: string): Uint8Array {
    if (hex.length % 2 !== 0) this.fail(pointer, 'an odd number of hexadecimal digits');
    const bytes = Buffer.from(hex, 'hex');
    if (bytes.length * 2 !== hex.length) this.fail(pointer, 'not hexadecimal');
    return new Uint8Array(bytes);
  }
}

function parseJson(source: Source): unknown {
  try {
    return JSON.parse(source.text);
  } catch (error) {
    const offset = Buffer.byteLength(source.text.slice(0, syntaxErrorAt(source.text)));
    const reason = (error as Error).message;
    throw new InputError(source.file, offset, `not JSON: ${reason}`);
  }
}

function check(source: Source): Manifest {
  const document = parseJson(source);
  if (validate(document)) return document as Manifest;
  const violation = validate.errors?.[0];
  if (violation === undefined) return source.fail('', 'not a manifest');
  const { instancePath, keyword, params, message = keyword } = violation;
  switch (keyword) {
    case 'additionalProperties':
      return source.fail(
        `${instancePath}/${params.additionalProperty}`,
        `no field is called '${params.additionalProperty}' here`,
      );
    case 'enum':
      return source.fail(instancePath, 'not one of the known names');
    case 'const':
      return source.fail(instancePath, `must be '${params.allowedValue}'`);
    default:
      return source.fail(instancePath, message);
  }
}

function readEntries(source: Source, pointer: string, map: ManifestMap): MapEntry[] {
  return (map.entries ?? []).map((entry, index) => {
    const at = `${pointer}/entries/${index}`;
    const key = source.bytes(`${at}/key`, entry.key);
    if (key.length !== map.keySize) {
      source.fail(`${at}/key`, `${key.length} bytes, but keys have ${map.keySize}`);
    }
    if (REFERENCE_TYPES.has(map.type)) return { key, value: entry.value };
    const value = source.bytes(`${at}/value`, entry.value);
    if (value.length !== map.valueSize) {
      source.fail(`${at}/value`, `${value.length} bytes, but values have ${map.valueSize}`);
    }
    return { key, value };
  });
}

function readMap(source: Source, pointer: string, map: ManifestMap): MapSpec {
  const initial = map.initial && source.bytes(`${pointer}/initial`, map.initial);
  if (initial && initial.length > map.valueSize * map.maxEntries) {
    source.fail(`${pointer}/initial`, `${initial.length} bytes are more than the map holds`);
  }
  return {
    name: map.name,
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags ?? 0,
    mapExtra: map.mapExtra ?? 0,
    frozen: map.frozen ?? false,
    ...(map.inner && { inner: readMap(source, `${pointer}/inner`, map.inner) }),
    ...(map.btfKeyTypeId !== undefined && { btfKeyTypeId: map.btfKeyTypeId }),
    ...(map.btfValueTypeId !== undefined && { btfValueTypeId: map.btfValueTypeId }),
    ...(initial && { initial }),
    ...(map.entries && { entries: readEntries(source, pointer, map) }),
  };
}

/** The file's maps by name. What their entries name must exist. */
function readMaps(source: Source, manifest: Manifest): ReadonlyMap<string, MapSpec> {
  const maps = new Map<string, MapSpec>();
  for (const [index, map] of (manifest.maps ?? []).entries()) {
    const pointer = `/maps/${index}`;
    if (maps.has(map.name)) source.fail(`${pointer}/name`, `a second map called '${map.name}'`);
    maps.set(map.name, readMap(source, pointer, map));
  }
  const programs = new Set(manifest.programs.map(({ name }) => name));
  for (const [index, { type, entries }] of [...maps.values()].entries()) {
    const known = type === 'prog_array' ? programs : maps;
    for (const [number, { value }] of (entries ?? []).entries()) {
      if (typeof value !== 'string' || known.has(value)) continue;
      const what = type === 'prog_array' ? 'program' : 'map';
      source.fail(`/maps/${index}/entries/${number}/value`, `no ${what} is called '${value}'`);
    }
  }
  return maps;
}

/** Gathers the maps of one program, in the order in which they are first needed. */
class MapList {
  readonly specs: MapSpec[] = [];
  readonly #all: ReadonlyMap<string, MapSpec>;
  readonly #indices = new Map<string, number>();

  constructor(all: ReadonlyMap<string, MapSpec>) {
    this.#all = all;
  }

  /** Index of the map called `name`, which brings along the maps in its entries. */
  add(name: string): number | undefined {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const spec = this.#all.get(name);
    if (spec === undefined) return undefined;
    const index = this.specs.push(spec) - 1;
    this.#indices.set(name, index);
    if (spec.type !== 'prog_array') {
      for (const { value } of spec.entries ?? []) if (typeof value === 'string') this.add(value);
    }
    return index;
  }
}

/** The bytes of slot `instruction`, or of the two slots of a constant. */
function slot(
  source: Source,
  pointer: string,
  code: Uint8Array,
  instruction: number,
  opcode: number,
): DataView {
  const length = opcode === LD_IMM64 ? 2 * BYTES_PER_SLOT : BYTES_PER_SLOT;
  const start = instruction * BYTES_PER_SLOT;
  if (start + length > code.length) {
    source.fail(`${pointer}/instruction`, 'behind the end of the program');
  }
  if (code[start] !== opcode) {
    const what = opcode === LD_IMM64 ? 'ld_imm64' : 'call';
    source.fail(`${pointer}/instruction`, `instruction ${instruction} is no ${what}`);
  }
  return new DataView(code.buffer, code.byteOffset + start, length);
}

function setSource(view: DataView, pseudo: number): void {
  view.setUint8(1, (view.getUint8(1) & 0x0f) | (pseudo << 4));
}

function readMapReferences(
  source: Source,
  pointer: string,
  program: ManifestProgram,
  code: Uint8Array,
  maps: MapList,
): MapReference[] {
  return (program.mapRefs ?? []).map(({ instruction, map: name, valueOffset }, index) => {
    const at = `${pointer}/mapRefs/${index}`;
    const view = slot(source, at, code, instruction, LD_IMM64);
    const map = maps.add(name);
    if (map === undefined) return source.fail(`${at}/map`, `no map is called '${name}'`);
    setSource(view, valueOffset === undefined ? PSEUDO_MAP : PSEUDO_MAP_VALUE);
    view.setInt32(4, map, true);
    view.setInt32(12, valueOffset ?? 0, true);
    return { instruction, map, ...(valueOffset !== undefined && { valueOffset }) };
  });
}

/** Names decide what is called: the immediate that was given means nothing any more. */
function bindKfuncs(source: Source, pointer: string, program: ManifestProgram, code: Uint8Array) {
  for (const [index, { instruction }] of (program.kfuncCalls ?? []).entries()) {
    const view = slot(source, `${pointer}/kfuncCalls/${index}`, code, instruction, CALL);
    setSource(view, PSEUDO_KFUNC);
    view.setInt32(4, 0, true);
  }
}

/** Functions with the linkage that their BTF states. */
function readFunctions(
  program: ManifestProgram,
  linkageOf: (typeId: number) => FunctionInfo['linkage'],
): FunctionInfo[] {
  return (program.functions ?? []).map((info) => {
    const linkage = linkageOf(info.typeId);
    return { ...info, ...(linkage !== undefined && { linkage }) };
  });
}

function readProgram(
  source: Source,
  index: number,
  program: ManifestProgram,
  shared: {
    readonly maps: ReadonlyMap<string, MapSpec>;
    readonly btf: Uint8Array | undefined;
    readonly linkageOf: (typeId: number) => FunctionInfo['linkage'];
  },
): Program {
  const pointer = `/programs/${index}`;
  const code = source.bytes(`${pointer}/instructions`, program.instructions);
  if (code.length % BYTES_PER_SLOT !== 0) {
    source.fail(`${pointer}/instructions`, `${code.length} bytes are no multiple of 8`);
  }
  if (program.type === 'memory' && program.contextSize === undefined) {
    source.fail(pointer, 'a memory program needs its contextSize');
  }
  const maps = new MapList(shared.maps);
  const mapReferences = readMapReferences(source, pointer, program, code, maps);
  bindKfuncs(source, pointer, program, code);
  return {
    name: program.name,
    file: source.file,
    section: '',
    type: program.type,
    ...(program.attachType !== undefined && { attachType: program.attachType }),
    ...(program.attachTarget !== undefined && { attachTarget: program.attachTarget }),
    license: program.license ?? DEFAULT_LICENSE,
    flags: program.flags ?? [],
    ...(program.contextSize !== undefined && { contextSize: program.contextSize }),
    code,
    maps: maps.specs,
    mapReferences,
    kfuncCalls: program.kfuncCalls ?? [],
    functions: readFunctions(program, shared.linkageOf),
    lines: program.lineInfo ?? [],
    ...(shared.btf && { btf: shared.btf }),
    ...(program.expect && { expect: program.expect }),
  };
}

function readBtf(source: Source, base64: string | undefined): Uint8Array | undefined {
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== Math.floor((base64.replace(/=+$/, '').length * 3) / 4)) {
    source.fail('/btf', 'not base64');
  }
  return new Uint8Array(bytes);
}

/** Looks up the linkage of functions; the BTF is parsed when the first is asked for. */
function linkageReader(source: Source, btf: Uint8Array | undefined) {
  let parsed: ReturnType<typeof parseBtf> | undefined;
  return (typeId: number): FunctionInfo['linkage'] => {
    if (btf === undefined) return undefined;
    parsed ??= parseBtf(btf, source.file, {
      section: '/btf',
      offset: byteOffsetOf(source.text, '/btf'),
    });
    if (typeId >= parsed.count) return undefined;
    const type = parsed.type(typeId);
    return type?.kind === 'func' ? type.linkage : undefined;
  };
}

/**
 * The programs of a manifest. Throws InputError with the JSON path and byte offset of the first
 * thing that is wrong.
 */
export function readManifest(text: string, file: string): Program[] {
  const source = new Source(file, text);
  const manifest = check(source);
  const btf = readBtf(source, manifest.btf);
  const shared = { maps: readMaps(source, manifest), btf, linkageOf: linkageReader(source, btf) };
  return manifest.programs.map((program, index) => readProgram(source, index, program, shared));
}
