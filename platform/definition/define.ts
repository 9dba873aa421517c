/**
 * Program types of an embedder's own. A definition is checked when it is made and never changes
 * afterwards: the verifier proves against it, the compiler and both engines run by it, and a proof
 * carries it along, so that all of them mean the same contexts and helpers.
 *
 * ProgramType is a token (a private field, no public constructor): a look-alike with overlapping
 * fields or a wrong contract would make proofs that prove nothing.
 */

import { createHash } from 'node:crypto';
import { HELPERS } from '../helpers/index.ts';
import { helperByName, mayCall, profile, programType } from '../lookup.ts';
import type { ContextField, ContextLayout, HelperRow, Profile, ProgramTypeRow } from '../types.ts';
import { type ContextValues, decodeContext, encodeContext } from './codec.ts';
import { type Contract, contractOf } from './contract.ts';
import { isNumberType, NUMBER_TYPES } from './numbers.ts';
import type {
  ContextOf,
  FieldSpec,
  FieldSpecs,
  HelperArguments,
  HostedHelperSpec,
  LimitsSpec,
  PacketField,
  ProgramTypeSpec,
} from './spec.ts';

/** Helpers that are JavaScript functions: one trampoline each; RF_HOSTED_MAX of loader/native. */
export const HOSTED_HELPERS_MAX = 32;
/** Above every helper number of Linux, now and in any near future. */
const OWN_HELPER_IDS = 0x10000;
const CONTEXT_BYTES_MAX = 4096;
/** Slots of the native pointer header, as for XDP (platform/contexts/layout.ts). */
const POINTER_SLOTS = { packet: 0, 'packet-end': 1 } as const;
const POINTER_BYTES = 8;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$/;
const C_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A helper that is a JavaScript function, with what the loader must know to call it. */
export interface HostedHelper {
  readonly id: number;
  readonly name: string;
  readonly contract: Contract;
  readonly run: (...args: never[]) => unknown;
}

/** What a definition consists of: rows as the tables have them. */
export interface ProgramTypeParts {
  readonly row: ProgramTypeRow;
  readonly layout: ContextLayout;
  readonly profile: Profile;
  readonly hosted: readonly HostedHelper[];
  /** Numbers of ringfence's helpers by the definition's own numbers for them. */
  readonly aliases: ReadonlyMap<number, number>;
  /** Most instructions that a run may be proven to execute. */
  readonly executed: number | undefined;
}

const KEY = Symbol('platform/program-type');

/** A defined program type; `Context` is what its runs are given. */
export class ProgramType<Context = ContextValues> {
  readonly #parts: ProgramTypeParts;

  constructor(key: typeof KEY, parts: ProgramTypeParts) {
    if (key !== KEY) throw new TypeError('program types are made by defineProgramType() only');
    this.#parts = parts;
    Object.freeze(this);
  }

  /** Whether `defineProgramType` made it. */
  static is(x: unknown): x is ProgramType<unknown> {
    return typeof x === 'object' && x !== null && #parts in x;
  }

  get name(): string {
    return this.#parts.row.name;
  }

  /** @internal For whoever works by the definition: its rows. */
  static partsOf(key: typeof KEY, type: ProgramType<unknown>): ProgramTypeParts {
    if (key !== KEY) throw new TypeError('the rows of a definition are not for everybody');
    return type.#parts;
  }

  /** The context's bytes. Throws TypeError and RangeError naming the field at fault. */
  encode(context: Context): Uint8Array {
    const { fields, sizeBytes } = this.#parts.layout;
    return encodeContext(fields, sizeBytes, context as ContextValues);
  }

  /** The numbers of a context; those of 8 bytes as bigint. */
  decode(bytes: Uint8Array): Required<Context> {
    return decodeContext(this.#parts.layout.fields, bytes) as Required<Context>;
  }
}
Object.freeze(ProgramType);
Object.freeze(ProgramType.prototype);

/**
 * The rows of a definition, for the stages that work by it; the package does not export this. Maps
 * cannot be frozen, and an edited row would make proofs that prove nothing.
 */
export const partsOf = (type: ProgramType<unknown>): ProgramTypeParts =>
  ProgramType.partsOf(KEY, type);

/**
 * Defines a program type. Throws TypeError or RangeError, naming the field or helper, for fields that
 * overlap, are misaligned or lie beyond the context, unknown types and contracts, and numbers or
 * names that are taken.
 */
export function defineProgramType<
  const F extends FieldSpecs,
  const H extends HelperArguments = Record<never, never>,
>(spec: ProgramTypeSpec<F, H>): ProgramType<ContextOf<F>> {
  if (typeof spec?.name !== 'string' || !NAME.test(spec.name))
    throw new TypeError(`'${spec?.name}' is no name for a program type: letters, digits, _ and -`);
  if (programType(spec.name) !== undefined)
    throw new RangeError(`'${spec.name}' is a program type already`);
  const layout = layoutOf(spec.name, spec.context);
  const helpers = helpersOf(spec as unknown as ProgramTypeSpec<FieldSpecs, HelperArguments>);
  const { returns = 'any', limits = {} } = spec;
  if (returns !== 'any' && !(Number.isInteger(returns.min) && returns.min <= returns.max))
    throw new RangeError(`${spec.name}: results from ${returns.min} to ${returns.max} are none`);
  const row: ProgramTypeRow = Object.freeze({
    name: spec.name,
    id: numberOf(spec.name, layout, helpers.rows),
    since: '3.19',
    context: layout.name,
    layout,
    returns: returns === 'any' ? 'any' : Object.freeze({ min: returns.min, max: returns.max }),
    rangeBits: 64,
    returnBits: 64,
    packet: layout.fields.some(({ kind }) => kind === 'packet') ? 'read-write' : 'none',
    packetArguments: true,
    legacyPacketLoads: false,
    ...(returns !== 'any' && returns.names ? { actions: Object.freeze({ ...returns.names }) } : {}),
  });
  const host = profileOf(spec.name, row, helpers.rows, limits);
  return new ProgramType<ContextOf<F>>(
    KEY,
    Object.freeze({
      row,
      layout,
      profile: host,
      hosted: Object.freeze(helpers.hosted),
      aliases: helpers.aliases,
      executed: limits.executed,
    }),
  );
}

/**
 * A number for the type, so that native code tells programs of one definition from those of another:
 * equal definitions have equal numbers, in every thread. Linux's own are small.
 */
function numberOf(
  name: string,
  layout: ContextLayout,
  helpers: ReadonlyMap<number, HelperRow>,
): number {
  const text = JSON.stringify([name, layout, [...helpers.values()]]);
  return 0x4000_0000 | (createHash('sha256').update(text).digest().readUInt32LE() >>> 2);
}

/** The host of these programs: what `memory` programs have, within the definition's limits. */
function profileOf(
  name: string,
  row: ProgramTypeRow,
  helpers: ReadonlyMap<number, HelperRow>,
  limits: LimitsSpec,
): Profile {
  const memory = profile('memory')!;
  const within = (what: keyof LimitsSpec, most: number): number => {
    const value = limits[what] ?? most;
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new RangeError(
      `${name}: limits.${what} is a whole number from 1 to ${most}, not ${value}`,
    );
  };
  within('executed', Number.MAX_SAFE_INTEGER);
  return Object.freeze({
    ...memory,
    name,
    maxInstructions: within('instructions', memory.maxInstructions),
    stackBytes: within('stackBytes', memory.stackBytes),
    maxCallDepth: within('callDepth', memory.maxCallDepth),
    programTypes: Object.freeze([row]),
    helpers,
  });
}

function layoutOf(
  name: string,
  context: { readonly sizeBytes?: number; readonly fields: FieldSpecs },
): ContextLayout {
  const fields = Object.entries(context.fields).map(([field, spec]) => fieldOf(name, field, spec));
  fields.sort((a, b) => a.offset - b.offset);
  fields.forEach((field, i) => {
    const before = fields[i - 1];
    if (before !== undefined && before.offset + before.sizeBytes > field.offset)
      throw new RangeError(`${name}: field '${field.name}' overlaps '${before.name}'`);
  });
  for (const kind of ['packet', 'packet-end'] as const)
    if (fields.filter((field) => field.kind === kind).length > 1)
      throw new RangeError(`${name}: there is one packet, and one field of type '${kind}'`);
  const last = fields.at(-1);
  const end = last === undefined ? 0 : last.offset + last.sizeBytes;
  const sizeBytes = context.sizeBytes ?? Math.ceil(end / 8) * 8;
  if (!(Number.isInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= CONTEXT_BYTES_MAX))
    throw new RangeError(
      `${name}: a context has 0 to ${CONTEXT_BYTES_MAX} bytes, not ${sizeBytes}`,
    );
  if (last !== undefined && end > sizeBytes)
    throw new RangeError(
      `${name}: field '${last.name}' ends at byte ${end}, beyond the ${sizeBytes} bytes of the context`,
    );
  return Object.freeze({
    name: `defined/${name}`,
    struct: 'defined',
    sizeBytes,
    fields: Object.freeze(fields),
  });
}

const isPacketField = (spec: FieldSpec): spec is PacketField =>
  Object.hasOwn(POINTER_SLOTS, spec.type);

function fieldOf(type: string, name: string, spec: FieldSpec): ContextField {
  const where = `${type}: field '${name}'`;
  if (!C_NAME.test(name)) throw new TypeError(`${where}: a field's name is an identifier of C`);
  if (isPacketField(spec)) {
    const slot = { pointerSlot: POINTER_SLOTS[spec.type] };
    const access = { read: true, write: false, narrow: 'none' } as const;
    const place = placeOf(where, name, spec.offset, POINTER_BYTES);
    return Object.freeze({ ...place, ...slot, ...access, kind: spec.type });
  }
  if (!isNumberType(spec.type))
    throw new TypeError(
      `${where}: there is no type '${spec.type}'; there is ${Object.keys(NUMBER_TYPES).join(', ')}, packet, packet-end`,
    );
  const { sizeBytes, signed } = NUMBER_TYPES[spec.type];
  const { access = 'read' } = spec;
  if (!['read', 'write', 'read-write'].includes(access))
    throw new TypeError(`${where}: access is read, write or read-write, not '${access}'`);
  return Object.freeze({
    ...placeOf(where, name, spec.offset, sizeBytes),
    kind: 'scalar',
    read: access !== 'write',
    write: access !== 'read',
    narrow: 'none',
    ...(signed ? { signed } : {}),
  });
}

function placeOf(where: string, name: string, offset: number, sizeBytes: number) {
  if (!Number.isInteger(offset) || offset < 0 || offset % sizeBytes !== 0)
    throw new RangeError(`${where}: offset ${offset} is no multiple of its ${sizeBytes} bytes`);
  return { name, offset, sizeBytes };
}

interface DefinedHelpers {
  readonly rows: ReadonlyMap<number, HelperRow>;
  readonly hosted: readonly HostedHelper[];
  readonly aliases: ReadonlyMap<number, number>;
}

function helpersOf(spec: ProgramTypeSpec<FieldSpecs, HelperArguments>): DefinedHelpers {
  const rows = new Map<number, HelperRow>();
  for (const row of builtinsOf(spec)) rows.set(row.id, row);
  const claim = (name: string, id: number): void => {
    if (!C_NAME.test(name)) throw new TypeError(`${spec.name}: '${name}' is no identifier of C`);
    if (!Number.isInteger(id) || id < OWN_HELPER_IDS || id > 0x7fffffff)
      throw new RangeError(
        `${spec.name}: helper '${name}' has number ${id}; numbers of one's own begin at ${OWN_HELPER_IDS}`,
      );
    const taken = rows.get(id);
    if (taken !== undefined)
      throw new RangeError(`${spec.name}: helpers '${taken.name}' and '${name}' are both ${id}`);
  };
  const aliases = new Map<number, number>();
  for (const [name, { id, builtin }] of Object.entries(spec.aliases ?? {})) {
    claim(name, id);
    const row = builtinNamed(spec.name, builtin);
    rows.set(id, Object.freeze({ ...row, id, name }));
    aliases.set(id, row.id);
  }
  const hosted = Object.entries(spec.helpers ?? {}).map(([name, helper]): HostedHelper => {
    claim(name, helper.id);
    const own = hostedHelper(spec.name, name, helper);
    rows.set(helper.id, rowOf(own));
    return own;
  });
  if (hosted.length > HOSTED_HELPERS_MAX)
    throw new RangeError(
      `${spec.name}: at most ${HOSTED_HELPERS_MAX} helpers are JavaScript functions, not ${hosted.length}`,
    );
  return { rows, hosted, aliases };
}

/** The names of `builtins`, or all that memory programs may call. */
function builtinsOf({
  name,
  builtins = 'all',
}: Pick<ProgramTypeSpec<FieldSpecs, HelperArguments>, 'name' | 'builtins'>): HelperRow[] {
  if (builtins !== 'all') return builtins.map((each) => builtinNamed(name, each));
  return HELPERS.filter(isForMemory).map(({ name: each }) => builtinNamed(name, each));
}

const isForMemory = (row: HelperRow): boolean =>
  mayCall(row, 'memory') && row.unsupported === undefined && row.privileged !== true;

/** The row of a helper that memory programs may call, open to the definition's programs. */
function builtinNamed(type: string, name: string): HelperRow {
  const row = helperByName(name);
  if (row === undefined) throw new RangeError(`${type}: there is no helper '${name}'`);
  if (!isForMemory(row))
    throw new RangeError(`${type}: '${name}' is for kernel programs, not for an embedder's`);
  const { variants: _, attachTypes: __, ...shared } = row;
  return Object.freeze({ ...shared, programTypes: 'all' });
}

function hostedHelper(type: string, name: string, spec: HostedHelperSpec): HostedHelper {
  if (typeof spec.run !== 'function')
    throw new TypeError(`${type}: helper '${name}' has no function 'run'`);
  const contract = contractOf(`${type}: helper '${name}'`, spec.arguments, spec.returns ?? 'void');
  return Object.freeze({ id: spec.id, name, contract, run: spec.run as HostedHelper['run'] });
}

const rowOf = ({ id, name, contract }: HostedHelper): HelperRow =>
  Object.freeze({
    id,
    name,
    since: '3.19',
    gpl: false,
    arguments: contract.registers,
    returns: contract.result,
    programTypes: 'all',
    packetAccess: true,
    hosted: true,
  });
