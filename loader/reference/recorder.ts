/**
 * What a run did, written down while the reference engine executes it: how often each instruction
 * ran, which way its branches went, and every call with what was passed and what came back.
 *
 * Arguments are decoded after the contract of the callee: a test wants to see the key that was looked
 * up, not the address at which it lay.
 */

import {
  type HelperArguments,
  type Host,
  type Instruction,
  KIND,
  KIND_JUMP,
  type Machine,
  type Program,
} from '../../isa/index.ts';
import { type HelperRow, type KfuncRow, kfunc as kfuncRow } from '../../platform/index.ts';
import { type Decoded, ownerOf } from './owners.ts';
import type { Run } from './run.ts';

/** A map that was passed, by name. */
export interface PassedMap {
  readonly map: string;
}

/**
 * Numbers as signed 64-bit; bytes of keys, values and memory as they were when the call was made;
 * null pointers; what is none of these by a word for its kind.
 */
export type PassedValue = bigint | Uint8Array | PassedMap | string | null;

/** One call of a helper or kernel function. */
export interface CallRecord {
  /** `bpf_map_update_elem`. */
  readonly name: string;
  /** Name of the program that called it: another one after a tail call. */
  readonly program: string;
  /** Slot of the call. */
  readonly instruction: number;
  readonly arguments: readonly PassedValue[];
  /** The number returned, the bytes that a look-up found, or null. */
  readonly result: PassedValue;
}

/** How often things happened in one program, by slot. */
export interface SlotCounts {
  readonly program: Program;
  readonly instructions: readonly Instruction[];
  readonly executed: Float64Array;
  /** Conditional jumps: how often the jump was taken, and how often not. */
  readonly taken: Float64Array;
  readonly passed: Float64Array;
}

/** Bytes of memory arguments without a size that a record shows. */
const UNSIZED_BYTES = 64;

/** What to write down: calls take memory with every run, counts do not. */
export type Recorded = 'counts' | 'counts-and-calls';

export class Recorder {
  readonly calls: CallRecord[] = [];
  readonly #recorded: Recorded;
  readonly #counts = new Map<Decoded, SlotCounts>();
  #latest: Decoded | undefined;
  /** The conditional jump that was executed last, until it is known where it led. */
  #jump: { readonly counts: SlotCounts; readonly pc: number } | undefined;

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
  }

  /** The program of the instruction that was executed last. */
  get program(): Program | undefined {
    return this.#latest && ownerOf(this.#latest)?.program;
  }

  get counts(): readonly SlotCounts[] {
    return [...this.#counts.values()];
  }

  /** The same host, which tells this recorder of what passes through it. */
  watch(host: Host, run: Run): Host {
    this.#jump = undefined; // of a run that was stopped behind it
    const counted: Host = {
      ...host,
      trace: (pc, registers, machine) => {
        host.trace?.(pc, registers, machine);
        this.#count(pc, machine.executable.instructions);
      },
    };
    return this.#recorded === 'counts' ? counted : { ...counted, ...this.#calls(host, run) };
  }

  #calls({ helper, kfunc }: Host, run: Run): Pick<Host, 'helper' | 'kfunc'> {
    const watched: { -readonly [key in 'helper' | 'kfunc']?: NonNullable<Host[key]> } = {};
    if (helper !== undefined)
      watched.helper = (id, args, machine) => {
        const contract = ownerOf(machine.executable.instructions)?.helper(id);
        const name = contract?.name ?? `helper ${id}`;
        const perform = () => helper(id, args, machine);
        return this.#call({ contract, name, run, args, machine }, perform);
      };
    if (kfunc !== undefined)
      watched.kfunc = (pc, args, machine) => {
        const name = ownerOf(machine.executable.instructions)?.kfuncs.get(pc) ?? 'kfunc';
        const perform = () => kfunc(pc, args, machine);
        return this.#call({ contract: kfuncRow(name), name, run, args, machine }, perform);
      };
    return watched;
  }

  #count(pc: number, instructions: Decoded): void {
    this.#settle(pc);
    this.#latest = instructions;
    const counts = this.#countsOf(instructions);
    if (counts === undefined) return;
    counts.executed[pc]!++;
    if (KIND[instructions[pc]!.op] === KIND_JUMP) this.#jump = { counts, pc };
  }

  /** A conditional jump leaves its frame in no other way, so what comes next tells where it led. */
  #settle(pc: number): void {
    const jump = this.#jump;
    if (jump === undefined) return;
    this.#jump = undefined;
    const ways = pc === jump.pc + 1 ? jump.counts.passed : jump.counts.taken;
    ways[jump.pc]!++;
  }

  #countsOf(instructions: Decoded): SlotCounts | undefined {
    const known = this.#counts.get(instructions);
    if (known !== undefined) return known;
    const program = ownerOf(instructions)?.program;
    if (program === undefined) return undefined;
    const slots = () => new Float64Array(instructions.length);
    const executed = slots();
    const counts = { program, instructions, executed, taken: slots(), passed: slots() };
    this.#counts.set(instructions, counts);
    return counts;
  }

  /** Calls are listed in the order in which they began: a callback's calls follow its caller's. */
  #call(begun: Begun, perform: () => bigint): bigint {
    const { name, machine } = begun;
    const place = this.calls.length;
    const record: CallRecord = {
      name,
      program: programOf(machine)?.name ?? '',
      instruction: machine.pc,
      arguments: passedValues(begun),
      result: 'none: the run ended in it',
    };
    this.calls.push(record);
    const r0 = perform();
    this.calls[place] = { ...record, result: resultValue(begun, r0) };
    return r0;
  }
}

/** A call that is about to be performed. */
interface Begun {
  readonly contract: HelperRow | KfuncRow | undefined;
  readonly name: string;
  readonly run: Run;
  readonly args: HelperArguments;
  readonly machine: Machine;
}

const programOf = ({ executable }: Machine) => ownerOf(executable.instructions)?.program;

/** The arguments after their contract. A contract that is broken faults later, in the helper itself. */
function passedValues({ contract, args, run, machine }: Begun): PassedValue[] {
  if (contract === undefined) return [];
  const map = mapAmong(args, run);
  // What a format does not use is left unwritten.
  const written = contract.arguments.filter((_, i) => args[i] !== undefined);
  return written.map((argument, i) => {
    const value = args[i]!;
    switch (argument.kind) {
      case 'anything':
      case 'number':
      case 'size':
      case 'size-or-zero':
      case 'constant-size':
        return BigInt.asIntN(64, value);
      case 'map':
        return { map: run.mapAt(value)?.name ?? 'unknown' };
      case 'map-key':
        return bytesAt(machine, value, map?.keySize);
      case 'map-value':
        return bytesAt(machine, value, map?.spec.valueSize);
      case 'memory':
      case 'string':
        return bytesAt(machine, value, argument.sizeBytes ?? sizeAfter(contract, args, i));
      default:
        return value === 0n ? null : argument.kind;
    }
  });
}

/** The number in the argument that states the size of memory argument `index`. */
function sizeAfter(
  contract: HelperRow | KfuncRow,
  args: HelperArguments,
  index: number,
): number | undefined {
  const kind = contract.arguments[index + 1]?.kind;
  if (kind !== 'size' && kind !== 'size-or-zero' && kind !== 'constant-size') return undefined;
  const size = args[index + 1];
  return size === undefined ? undefined : Number(BigInt.asUintN(32, size));
}

const mapAmong = (args: HelperArguments, run: Run) =>
  args.map((value) => (value === undefined ? undefined : run.mapAt(value))).find(Boolean);

/** A copy of the bytes, up to where memory ends; of text, up to its end. */
function bytesAt(machine: Machine, address: bigint, size: number | undefined): PassedValue {
  if (address === 0n) return null;
  const place = machine.memory.find(address, 1);
  if (place === undefined || !('bytes' in place.region)) return 'memory';
  const { bytes } = place.region;
  const end = Math.min(bytes.length, place.offset + (size ?? UNSIZED_BYTES));
  const shown = bytes.slice(place.offset, end);
  const nul = shown.indexOf(0);
  return size === undefined && nul >= 0 ? shown.slice(0, nul) : shown;
}

function resultValue({ contract, args, run, machine }: Begun, r0: bigint): PassedValue {
  if (contract === undefined) return BigInt.asIntN(64, r0);
  const { kind } = contract.returns;
  switch (kind) {
    case 'map-value':
      return bytesAt(machine, r0, mapAmong(args, run)?.spec.valueSize);
    case 'scalar':
    case 'void':
    case 'never':
      return BigInt.asIntN(64, r0);
    default:
      return r0 === 0n ? null : kind;
  }
}
