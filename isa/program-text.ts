/**
 * Standalone programs in assembly: directives that say what the code cannot, then the code.
 *
 *     .type xdp
 *     .license GPL
 *     .map counters array key 4 value 8 entries 16
 *     .kfunc bpf_dynptr_size
 *     entry:
 *       r1 = map[counters] ll
 *       ...
 *
 * Directives of clang -S that carry nothing for a program (`.globl`, `.p2align`, ...) are skipped;
 * an unknown one is an error, so that a misspelt word never changes a program silently.
 */

import { type AssemblyNames, assembleLines } from './assemble.ts';
import { encode } from './encode.ts';
import type { MapEntry, MapSpec, Program } from './program.ts';
import {
  errorAt,
  type Line,
  type Place,
  readLines,
  type Source,
  type Word,
} from './source-text.ts';
import { abridge } from './tokens.ts';

type Mutable<T> = { -readonly [key in keyof T]: T[key] };
type MutableMap = Omit<Mutable<MapSpec>, 'entries'> & { entries?: MapEntry[] };

interface Header {
  name: string;
  section: string;
  type: string;
  license: string;
  attachType?: string;
  attachTarget?: string;
  contextSize?: number;
  expect?: 'accepted' | 'rejected';
  readonly flags: string[];
  readonly kfuncs: string[];
  /** In the order of definition. */
  readonly maps: Map<string, MutableMap>;
}

/** The words after a directive, taken one by one. */
interface Arguments {
  readonly source: Source;
  readonly place: Place;
  readonly words: Word[];
}

/**
 * Reads a standalone program. Without `.type` it is a `memory` program with an empty context.
 * `helpers` gives helper numbers by name. Throws InputError with line and column.
 */
export function assembleProgram(
  text: string,
  file: string,
  helpers: AssemblyNames['helpers'] = new Map(),
): Program {
  const source = { file, text };
  const lines = [...readLines(source)];
  const header = readHeader(source, lines);
  const maps = [...header.maps.keys()];
  const assembly = assembleLines(source, lines, { helpers, maps, kfuncs: header.kfuncs });
  const { kfuncs: _, ...stated } = header;
  const contextSize = header.contextSize ?? (header.type === 'memory' ? 0 : undefined);
  return {
    ...stated,
    maps: [...header.maps.values()],
    ...(contextSize !== undefined && { contextSize }),
    file,
    code: encode(assembly.instructions),
    mapReferences: assembly.mapReferences,
    kfuncCalls: assembly.kfuncCalls,
    functions: [],
    lines: assembly.lines,
  };
}

function readHeader(source: Source, lines: readonly Line[]): Header {
  const header: Header = {
    name: 'main',
    section: '.text',
    type: 'memory',
    license: 'GPL',
    flags: [],
    kfuncs: [],
    maps: new Map(),
  };
  for (const line of lines) {
    if (line.kind !== 'directive' || isToolDirective(line)) continue;
    const read = DIRECTIVES[line.name];
    if (!read) {
      const known = Object.keys(DIRECTIVES).join(', ');
      throw errorAt(source, line.place, `expected one of ${known}; found '${abridge(line.name)}'`);
    }
    const args = { source, place: line.place, words: [...line.words] };
    read(header, args);
    const rest = args.words[0];
    if (rest)
      throw errorAt(
        source,
        rest.place,
        `expected the end of the line; found '${abridge(rest.text)}'`,
      );
  }
  return header;
}

/** Directives that clang -S writes and that say nothing about a program. */
const TOOL_DIRECTIVES = new Set(
  '.text .file .globl .global .p2align .align .size .ident .addrsig .addrsig_sym .loc .local'.split(
    ' ',
  ),
);

function isToolDirective(line: Line & { kind: 'directive' }): boolean {
  // clang: `.type main,@function`; ours has one word.
  if (line.name === '.type') return line.words.some((word) => word.text === '@function');
  return TOOL_DIRECTIVES.has(line.name);
}

const DIRECTIVES: Readonly<Record<string, (header: Header, args: Arguments) => void>> = {
  '.name': (header, args) => {
    header.name = word(args, 'a program name');
  },
  '.section': (header, args) => {
    header.section = word(args, 'a section name');
    args.words.length = 0;
  },
  '.type': (header, args) => {
    header.type = word(args, 'a program type');
  },
  '.license': (header, args) => {
    header.license = word(args, 'a license');
  },
  '.attach': (header, args) => {
    header.attachType = word(args, 'an attach type');
  },
  '.target': (header, args) => {
    header.attachTarget = word(args, 'a kernel function, tracepoint or hook');
  },
  '.context': (header, args) => {
    header.contextSize = count(args, 'the size of the context in bytes');
  },
  '.flag': (header, args) => {
    header.flags.push(word(args, 'a program-load flag'));
  },
  '.kfunc': (header, args) => {
    header.kfuncs.push(word(args, 'a kernel function'));
  },
  '.expect': (header, args) => {
    const verdict = word(args, 'accepted or rejected');
    if (verdict !== 'accepted' && verdict !== 'rejected') {
      throw errorAt(
        args.source,
        args.place,
        `expected accepted or rejected; found '${abridge(verdict)}'`,
      );
    }
    header.expect = verdict;
  },
  '.map': (header, args) => {
    const map = readMap(header, args);
    header.maps.set(map.name, map);
  },
  '.entry': readEntry,
};

function word(args: Arguments, what: string): string {
  const first = args.words.shift();
  if (!first) throw errorAt(args.source, args.place, `expected ${what} at the end of the line`);
  return first.text;
}

/** Sizes and counts: what fits the kernel's __u32. */
function count(args: Arguments, what: string): number {
  const place = args.words[0]?.place ?? args.place;
  const text = word(args, what);
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (value <= 0xffff_ffff) return value;
  throw errorAt(args.source, place, `expected ${what}, 0 to 4294967295; found '${abridge(text)}'`);
}

function bytes(args: Arguments, what: string): Uint8Array {
  const place = args.words[0]?.place ?? args.place;
  const text = word(args, what);
  if (!/^([0-9a-f]{2})*$/i.test(text)) {
    throw errorAt(
      args.source,
      place,
      `expected ${what} as pairs of hexadecimal digits; found '${abridge(text)}'`,
    );
  }
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** `.map NAME TYPE`, then `key N value N entries N` and more in any order. */
function readMap(header: Header, args: Arguments): MutableMap {
  const name = word(args, 'a map name');
  if (header.maps.has(name)) {
    throw errorAt(args.source, args.place, `map '${abridge(name)}' is defined twice`);
  }
  const map: MutableMap = {
    name,
    type: word(args, 'a map type'),
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    mapExtra: 0,
    frozen: false,
  };
  while (args.words.length > 0) readMapProperty(header, map, args);
  return map;
}

function readMapProperty(header: Header, map: MutableMap, args: Arguments): void {
  const place = args.words[0]!.place;
  const property = word(args, 'a property');
  switch (property) {
    case 'key':
      map.keySize = count(args, 'the size of a key in bytes');
      return;
    case 'value':
      map.valueSize = count(args, 'the size of a value in bytes');
      return;
    case 'entries':
      map.maxEntries = count(args, 'a number of entries');
      return;
    case 'flags':
      map.flags = count(args, 'BPF_F_* flags');
      return;
    case 'extra':
      map.mapExtra = count(args, 'map_extra');
      return;
    case 'frozen':
      map.frozen = true;
      return;
    case 'initial':
      map.initial = bytes(args, 'the initial content');
      return;
    case 'inner':
      map.inner = mapNamed(header, args);
      return;
    default:
      throw errorAt(
        args.source,
        place,
        `expected key, value, entries, flags, extra, frozen, initial or inner; found '${abridge(property)}'`,
      );
  }
}

function mapNamed(header: Header, args: Arguments): MutableMap {
  const place = args.words[0]?.place ?? args.place;
  const name = word(args, 'the name of a map defined above');
  const map = header.maps.get(name);
  if (!map) throw errorAt(args.source, place, `no map defined above is called '${abridge(name)}'`);
  return map;
}

/** `.entry MAP KEY VALUE`: bytes in hexadecimal; a value that begins with @ names a map or program. */
function readEntry(header: Header, args: Arguments): void {
  const map = mapNamed(header, args);
  const key = bytes(args, 'a key');
  const named = args.words[0]?.text.startsWith('@');
  const value = named ? word(args, 'a name').slice(1) : bytes(args, 'a value');
  map.entries ??= [];
  map.entries.push({ key, value });
}
