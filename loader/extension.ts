/**
 * Extension: a proven program, loaded, as something to call. A token: only `load` makes one, from
 * sealed code. Packets and contexts are copied into memory that belongs to the extension and that no
 * other JavaScript can reach, so nobody changes, detaches or resizes them while native code runs.
 */

import type { NativeCode } from '../jit/index.ts';
import { type ContextValues, decodeContext } from '../platform/index.ts';
import { addon, type ExtensionHandle, type Instance, type ProgramHandle } from './addon.ts';
import { type Environment, encodeEnvironment, hasFixedTime } from './environment.ts';
import {
  ADVANCE,
  CALLBACKS,
  CONTEXT_BYTES,
  ENVIRONMENT,
  EXECUTED,
  GIVEN,
  HELPER_FAILED,
  IDENTITIES,
  LIMIT,
  META_BYTES,
  NANOSECONDS,
  NO_LIMIT,
  OUTCOME,
  PACKET_BYTES,
  PINNED,
  REPEAT,
  STATUS,
  STOPPED,
  UNMETERED,
  u64At,
  WORDS,
} from './exchange.ts';
import { HelperError, type HostedHelpers } from './hosted.ts';
import { type ExtensionMap, releaseMap, retainMap } from './map.ts';
import type { SealOptions } from './options.ts';
import { lengthOf, viewOf } from './pinned.ts';
import { contextBytesOf, metadataOf } from './plan.ts';
import { contentsOf, reportOf } from './report.ts';
import type {
  AnyInput,
  ExtensionDescription,
  Identity,
  MeteredRun,
  RunInput,
  SharedExtension,
  TestOptions,
  TestReport,
} from './run-types.ts';
import type { SealReport } from './seal.ts';
import { encodeSurroundings } from './surroundings.ts';

/** RF_PACKET_BYTES_MAX of loader/native/instance.h. */
export const PACKET_BYTES_MAX = 262_144;

/** What takes a program's place. */
interface Successor {
  readonly program: ProgramHandle;
  readonly description: ExtensionDescription;
  readonly maps: readonly ExtensionMap[];
}

interface Parts {
  readonly extension: ExtensionHandle;
  readonly program: ProgramHandle;
  readonly description: ExtensionDescription;
  readonly maps: readonly ExtensionMap[];
  /** The loader's own, since it knows how to seal. */
  readonly replace: <C>(extension: Extension<C>, code: NativeCode, options: SealOptions) => void;
  /** Helpers in JavaScript, where the program type has any. */
  readonly hosted: HostedHelpers | undefined;
}

const KEY = Symbol('loader/extension');
const NOTHING = new Uint8Array();

/** `Context` is what runs are given: types that `defineProgramType` made have fields of their own. */
export class Extension<Context = ContextValues> implements Disposable {
  readonly #extension: ExtensionHandle;
  readonly #instance: Instance;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #outcome: Float64Array;
  #input: Uint8Array | undefined;
  readonly #run: () => void;
  /** The array of the last run. */
  #latest: Uint8Array | undefined;
  /** Our view of the array that native code reads itself, and the index of its last byte. */
  #pinned: Uint8Array = NOTHING;
  #lastPinned = 0;
  /** The exchange area asks for a run on this, which is pinned, and nothing else. */
  #isInPlace = false;
  #ready: { packet: Uint8Array | undefined; memory: Uint8Array | undefined } | undefined;
  readonly #identities: BigUint64Array;
  #hasIdentity = false;
  readonly #replace: Parts['replace'];
  #description: ExtensionDescription;
  #mapList: readonly ExtensionMap[] = [];
  #maps: Readonly<Record<string, ExtensionMap>> = {};
  readonly #hosted: HostedHelpers | undefined;
  #program: ProgramHandle;
  #closed = false;
  constructor(key: typeof KEY, parts: Parts) {
    if (key !== KEY) throw new TypeError('extensions are made by load() only');
    this.#extension = parts.extension;
    this.#program = parts.program;
    this.#description = parts.description;
    const { hosted } = parts;
    this.#hosted = hosted;
    this.#instance = addon().createInstance(
      parts.extension,
      hosted === undefined ? null : (index, ...args) => hosted.call(index, args),
    );
    this.#words = new Uint32Array(this.#instance.exchange, 0, WORDS);
    this.#bytes = new Uint8Array(this.#instance.exchange);
    this.#outcome = new Float64Array(this.#instance.exchange, OUTCOME * 4, 1);
    this.#run = this.#instance.run;
    this.#identities = new BigUint64Array(this.#instance.exchange, IDENTITIES * 4, 4);
    this.#putIdentity({});
    this.#replace = parts.replace;
    this.#addMaps(parts.maps);
    Object.freeze(this);
  }

  /** Whether `load` made it. */
  static is(x: unknown): x is Extension {
    return typeof x === 'object' && x !== null && #extension in x;
  }

  #addMaps(maps: readonly ExtensionMap[]): void {
    const added = maps.filter((map) => !this.#mapList.includes(map));
    for (const map of added) retainMap(map);
    this.#mapList = [...this.#mapList, ...added];
    const byName = Object.fromEntries(this.#mapList.map((map) => [map.name, map]));
    this.#maps = Object.freeze(Object.assign(Object.create(null), byName));
  }

  /** By name. */
  get maps(): Readonly<Record<string, ExtensionMap>> {
    return this.#maps;
  }
  /** Of the program. */
  get name(): string {
    return this.#description.name;
  }
  /** As libbpf prints it (`sched_cls`), `memory`, or the name of a defined type. */
  get type(): string {
    return this.#description.type;
  }
  /** Proven bound on executed instructions of one run; null: none of its own. */
  get worstCaseInstructions(): number | null {
    return this.#description.worstCaseInstructions;
  }
  /** How the code is protected. */
  get seal(): SealReport {
    return this.#description.seal;
  }

  /** Name of a result of this program type: `XDP_PASS` for 2. */
  actionName(r0: number): string | undefined {
    return this.#description.plan.actions[r0] ?? this.#description.plan.actions[r0 | 0];
  }

  /**
   * One run; the low 32 bits of r0, unsigned. `test` tells everything else. Throws TypeError and
   * RangeError for input that the program type does not take, and when the extension is closed or
   * running on this thread; HelperError when a helper of a defined type failed.
   */
  run(input: RunInput<Context>): number {
    if (!this.#isReadyFor(input)) {
      this.#put(input);
      this.#pinIfSteady(input);
    }
    this.#run();
    const outcome = this.#outcome[0]!;
    if (outcome < 0) this.#refuse(-outcome);
    if (input.memory !== undefined && this.#words[GIVEN] === 0) this.#takeMemory(input.memory);
    return outcome;
  }

  /**
   * The extension's own input: where packets lie, or the memory of a `memory` program. What is written
   * there need not be copied; `runInput` runs on it.
   */
  get input(): Uint8Array {
    this.#input ??= new Uint8Array(this.#instance.input);
    return this.#input;
  }

  /**
   * As `run`, on the first `bytes` bytes of `input` as they are, without context: the least that a
   * run costs. What the program writes stays there. Other runs use the same memory.
   */
  runInput(bytes: number): number {
    if (!this.#isInPlace) this.#putNothing();
    this.#words[PACKET_BYTES] = bytes;
    this.#run();
    const outcome = this.#outcome[0]!;
    if (outcome < 0) this.#refuse(-outcome);
    return outcome;
  }

  /**
   * One run of at most `maxInstructions`; default: no limit. The count is exact: a run that is stopped
   * has executed so many instructions of the source program and no more, and what they wrote to
   * packet, memory and maps stays; locks and records that it held are given back. Throws TypeError
   * unless the program was compiled with `metering: 'metered'`, and so were those it tail-calls.
   */
  runMetered(input: RunInput<Context>, maxInstructions = Number.POSITIVE_INFINITY): MeteredRun {
    if (!this.#description.metered)
      throw new TypeError(`${this.name} was compiled without a meter: it has no limit to keep`);
    const limited = maxInstructions !== Number.POSITIVE_INFINITY;
    if (limited && !(Number.isSafeInteger(maxInstructions) && maxInstructions >= 1))
      throw new RangeError(
        `maxInstructions is a whole number of at least 1, not ${maxInstructions}`,
      );
    const limit = limited ? maxInstructions : NO_LIMIT;
    const words = this.#words;
    this.#put(input);
    words[LIMIT] = limit % 2 ** 32;
    words[LIMIT + 1] = Math.floor(limit / 2 ** 32);
    this.#instance.run();
    words[LIMIT] = words[LIMIT + 1] = NO_LIMIT;
    const outcome = this.#outcome[0]!;
    const stopped = outcome === -STOPPED;
    if (outcome < 0 && !stopped) this.#refuse(-outcome);
    if (input.memory !== undefined && words[GIVEN] === 0) this.#takeMemory(input.memory);
    return {
      outcome: stopped ? 'stopped' : 'exit',
      r0: stopped ? 0 : outcome,
      executed: u64At(this.#words, EXECUTED),
    };
  }

  /**
   * Runs every packet `buffer[offsets[i], offsets[i] + lengths[i])` in one crossing and returns the
   * low 32 bits of each r0. Throws RangeError at the first packet that is out of bounds; those
   * before it have run. Programs that leave their packets alone run on the bytes of `buffer` itself,
   * others on copies; so do all when it is shared memory, so that a run sees one state of it.
   */
  runBatch(
    buffer: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    results: Uint32Array = new Uint32Array(offsets.length),
  ): Uint32Array {
    this.#words[CONTEXT_BYTES] = 0;
    if (!this.#description.plan.packet)
      throw new TypeError(`${this.type} programs take no packets: use run()`);
    if (this.#hosted !== undefined) return this.#runEach(buffer, offsets, lengths, results);
    const done = this.#instance.batch(
      buffer,
      offsets,
      lengths,
      results,
      !(buffer.buffer instanceof ArrayBuffer),
    );
    if (this.#words[STATUS] !== 0) this.#refuse();
    if (done < offsets.length)
      throw new RangeError(
        `packet ${done} (offset ${offsets[done]}, ${lengths[done]} bytes) is not inside the ${buffer.length} bytes of the buffer, or longer than ${PACKET_BYTES_MAX}`,
      );
    return results;
  }

  /** JavaScript runs in between, so no address outlives a run: one crossing each. */
  #runEach(
    buffer: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    results: Uint32Array,
  ): Uint32Array {
    for (let i = 0; i < offsets.length; i++) {
      const packet = buffer.slice(offsets[i], offsets[i]! + lengths[i]!);
      if (packet.length !== lengths[i])
        throw new RangeError(`packet ${i} is not inside the ${buffer.length} bytes of the buffer`);
      results[i] = this.run({ packet } as AnyInput as RunInput<Context>);
    }
    return results;
  }

  /** Numbers of the context as the last `test` left it; of a defined type, as the last run did. */
  get context(): Required<Context> {
    const { fields, contextBytes } = this.#description.plan;
    const at = this.#instance.contextAt;
    return decodeContext(fields, this.#bytes.slice(at, at + contextBytes)) as Required<Context>;
  }

  /** Time in native code of the last `runBatch` or `test`, in nanoseconds. */
  get nanoseconds(): number {
    return u64At(this.#words, NANOSECONDS);
  }

  /** Runs `repeat` times, packet and context reset before each, and reports on the last run. */
  test(input: RunInput<Context>, options: TestOptions = {}): TestReport {
    const runs = options.repeat ?? 1;
    if (!Number.isInteger(runs) || runs < 1 || runs > 0xffffffff)
      throw new RangeError(`repeat must be a whole number of at least 1, not ${runs}`);
    const before = options.observe === 'maps' ? contentsOf(this.#mapList) : [];
    this.#put(input);
    this.#words[REPEAT] = runs;
    this.#instance.test();
    if (this.#words[STATUS] !== 0) this.#refuse();
    if (input.memory !== undefined) this.#takeMemory(input.memory);
    const exchange = { instance: this.#instance, words: this.#words, bytes: this.#bytes };
    return reportOf({ ...exchange, plan: this.#description.plan }, runs, before);
  }

  /** Replaces the environment of all later runs of this object. */
  fix(environment: Environment): void {
    const tables = encodeSurroundings(environment) ?? null;
    if (!this.#instance.surround(tables)) this.#refuseSurroundings();
    this.#words.set(encodeEnvironment(environment), ENVIRONMENT);
  }

  #refuseSurroundings(): never {
    throw new TypeError(`extension ${this.name} is running: its surroundings cannot change now`);
  }

  /**
   * Lets time go on: timers and work queues in this extension's maps that fall due run on this thread,
   * in the order of their moments. A fixed clock moves on by `nanoseconds`, and shows each callback the
   * moment that it was due; with the system's clock, what is due by now runs. Returns how many ran: as
   * many as `most` says are not all, so call again.
   */
  advance(nanoseconds: number | bigint = 0, most = 1_000_000): number {
    const distance = BigInt(nanoseconds);
    if (distance < 0n || distance >= 2n ** 64n)
      throw new RangeError(`time goes on by 0 or more nanoseconds, not ${nanoseconds}`);
    if (!Number.isInteger(most) || most < 1 || most > 0xffffffff)
      throw new RangeError(`most is a whole number of at least 1, not ${most}`);
    const words = this.#words;
    if (distance !== 0n && !hasFixedTime(words[ENVIRONMENT]!))
      throw new TypeError("the system's clock cannot be moved on: fix the environment's time");
    words[ADVANCE] = Number(distance & 0xffffffffn);
    words[ADVANCE + 1] = Number(distance >> 32n);
    words[CALLBACKS] = most;
    this.#instance.advance();
    if (words[STATUS] !== 0) this.#refuse();
    return words[CALLBACKS]!;
  }

  /**
   * Runs timers and work as they fall due, from Node's event loop, until what is returned is disposed
   * of. Keeps the process alive meanwhile.
   */
  keepTime(pollMilliseconds = 1): Disposable {
    const timer = setInterval(() => this.advance(), pollMilliseconds);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /**
   * An id and description for a worker thread of this process: `openShared` there yields an
   * extension over the same code and maps. This one must stay open until then.
   */
  share(): SharedExtension {
    return { id: addon().shareExtension(this.#extension), description: this.#description };
  }

  /** No run may follow. Maps that only this extension used are closed. Harmless twice. */
  close(): void {
    if (this.#closed) return;
    this.#hosted?.refuseNesting(this.name);
    this.#closed = true;
    this.#latest = this.#ready = undefined;
    this.#pinned = NOTHING;
    this.#instance.close();
    addon().closeExtension(this.#extension);
    addon().closeProgram(this.#program);
    for (const map of this.#mapList) releaseMap(map);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Puts other code in this one's place, for every thread at once: runs that are under way finish with
   * the old code, later ones have the new. Maps of the same name stay, with their content. Throws
   * TypeError where the program's type or context differ, or what a proof assumed of a map.
   */
  replace(code: NativeCode, options: SealOptions = {}): void {
    this.#replace(this, code, options);
  }

  /** @internal For the loader: swaps the program, atomically for every thread. */
  static adopt<C>(key: typeof KEY, extension: Extension<C>, next: Successor): boolean {
    if (key !== KEY) throw new TypeError('programs are replaced by the loader');
    const { program, description, maps } = next;
    if (!addon().replaceProgram(extension.#extension, program)) return false;
    addon().closeProgram(extension.#program);
    extension.#program = program;
    extension.#description = description;
    extension.#addMaps(maps);
    return true;
  }

  /** @internal */
  static programOf<C>(key: typeof KEY, extension: Extension<C>): ProgramHandle {
    if (key !== KEY) throw new TypeError('program handles belong to the loader');
    return extension.#program;
  }

  /** @internal */
  static mapsOf<C>(key: typeof KEY, extension: Extension<C>): readonly ExtensionMap[] {
    if (key !== KEY) throw new TypeError('map handles belong to the loader');
    return extension.#mapList;
  }

  #put(input: AnyInput): void {
    const { plan } = this.#description;
    this.#hosted?.refuseNesting(this.name);
    const words = this.#words;
    const { packet, context } = input;
    if (input.identity !== undefined || this.#hasIdentity) this.#putIdentity(input.identity ?? {});
    this.#ready = undefined;
    this.#isInPlace = false;
    words[PINNED] = 0;
    if (plan.kind === 'memory') {
      this.#putMemory(input);
      return;
    }
    if (input.memory !== undefined)
      throw new TypeError(`${this.type} programs take no memory; it is for memory programs`);
    if (packet === undefined) {
      if (plan.packet) throw new TypeError(`${this.type} programs run on a packet`);
    } else {
      if (!plan.packet) throw new TypeError(`${this.type} programs take no packet`);
      const length = lengthOf(packet);
      if (length > PACKET_BYTES_MAX)
        throw new RangeError(`a packet has at most ${PACKET_BYTES_MAX} bytes, not ${length}`);
      this.#bytes.set(packet, this.#instance.packetAt);
      words[PACKET_BYTES] = length;
    }
    words[META_BYTES] = 0;
    words[CONTEXT_BYTES] = 0;
    if (input.metaBytes !== undefined || context !== undefined) this.#putContext(input);
  }

  #putIdentity(identity: Identity): void {
    const { socket = 1, task = 0, cgroup = 1, inode = 1 } = identity;
    this.#identities.set([socket, task, cgroup, inode].map((number) => BigInt(number)));
    this.#hasIdentity = Object.keys(identity).length > 0;
  }

  #putContext({ packet, context: wanted, metaBytes: given }: AnyInput): void {
    const { plan } = this.#description;
    const words = this.#words;
    const context = contextBytesOf(plan, wanted);
    const metaBytes = given ?? metadataOf(plan, context);
    if (metaBytes % 4 !== 0 || !(metaBytes >= 0 && metaBytes <= (packet?.length ?? 0)))
      throw new RangeError(`metaBytes is a multiple of 4 within the packet, not ${metaBytes}`);
    words[META_BYTES] = metaBytes;
    if (context === undefined) return;
    if (context.length > plan.contextBytes)
      throw new RangeError(
        `the context of ${this.type} has ${plan.contextBytes} bytes, not ${context.length}`,
      );
    this.#bytes.set(context, this.#instance.contextAt);
    words[CONTEXT_BYTES] = context.length;
  }

  #putMemory({ memory, packet, context }: AnyInput): void {
    const { contextBytes } = this.#description.plan;
    if (packet !== undefined || context !== undefined)
      throw new TypeError('memory programs take memory, neither packet nor context');
    const length = memory === undefined ? 0 : lengthOf(memory);
    if (length !== contextBytes)
      throw new RangeError(`${this.name} takes ${contextBytes} bytes of memory, not ${length}`);
    if (memory !== undefined) this.#bytes.set(memory, this.#instance.contextAt);
  }

  /** What comes a second time will come again: native code copies it itself, which is quicker. */
  #pinIfSteady(input: AnyInput): void {
    const { packet, memory, context, metaBytes, identity } = input;
    const bytes = packet ?? memory;
    const isSteady = bytes !== undefined && bytes === this.#latest && this.#hosted === undefined;
    this.#latest = bytes;
    if (!isSteady || context !== undefined || metaBytes !== undefined || identity !== undefined)
      return;
    const view = viewOf(bytes);
    if (view === undefined || !this.#instance.pin(bytes)) return;
    this.#pinned = view;
    this.#lastPinned = view.length - 1;
    this.#words[PINNED] = 1;
    this.#ready = { packet, memory };
  }

  /** For runs on what lies in the exchange area. */
  #putNothing(): void {
    const words = this.#words;
    if (this.#hasIdentity) this.#putIdentity({});
    this.#ready = undefined;
    words[PINNED] = words[META_BYTES] = words[CONTEXT_BYTES] = 0;
    this.#isInPlace = true;
  }

  /** Whether the input is that of the last run, in memory that is still there. */
  #isReadyFor(input: AnyInput): boolean {
    const ready = this.#ready;
    return (
      ready !== undefined &&
      input.packet === ready.packet &&
      input.memory === ready.memory &&
      this.#pinned[this.#lastPinned] !== undefined &&
      input.context === undefined &&
      input.metaBytes === undefined &&
      input.identity === undefined
    );
  }

  #takeMemory(memory: Uint8Array): void {
    const at = this.#instance.contextAt;
    memory.set(this.#bytes.subarray(at, at + memory.length));
  }

  /** Why native code ran nothing; enum rf_status in loader/native/instance.h. */
  #refuse(status = this.#words[STATUS]!): never {
    switch (status) {
      case 1:
        throw new TypeError(`extension ${this.name} is closed`);
      case 2:
        throw new TypeError(`extension ${this.name} is already running on this thread`);
      case HELPER_FAILED:
        throw this.#hosted?.takeFailure() ?? new HelperError('of its type', 'its thread is ending');
      case UNMETERED:
        throw new TypeError(
          `extension ${this.name}: a tail call leads to a program that was compiled without a meter`,
        );
      default:
        throw new RangeError(`extension ${this.name}: no memory for the packet`);
    }
  }
}

Object.freeze(Extension);
Object.freeze(Extension.prototype);

/** For the loader alone; no index re-exports these. */
export function mintExtension(parts: Parts, environment: Environment | undefined): Extension {
  const extension = new Extension(KEY, parts);
  if (environment !== undefined) extension.fix(environment);
  return extension;
}
export function adoptProgram<C>(extension: Extension<C>, next: Successor): boolean {
  return Extension.adopt(KEY, extension, next);
}
export function programOf<C>(extension: Extension<C>): ProgramHandle {
  return Extension.programOf(KEY, extension);
}
export function mapsOf<C>(extension: Extension<C>): readonly ExtensionMap[] {
  return Extension.mapsOf(KEY, extension);
}
