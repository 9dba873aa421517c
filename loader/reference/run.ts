/** One run of the reference engine: what helpers see of it, apart from the machine. */

import type { ByteRegion, Executable, Machine } from '../../isa/index.ts';
import { CPU_SLOTS, type Environment } from '../environment.ts';
import type { Identity, Redirect } from '../run-types.ts';
import type { ReferenceArena } from './arena.ts';
import { Around } from './around.ts';
import { ReferenceMap } from './maps.ts';
import { type Allocator, CONTEXT_ADDRESS, OBJECT_ADDRESS } from './memory.ts';
import type { RunMemory } from './packet.ts';
import type { Dynptr, Tunnel } from './variables.ts';

/** MAX_TAIL_CALL_CNT, include/linux/bpf.h. */
const TAIL_CALLS_MAX = 33;

/** What program arrays hold. */
interface Target {
  readonly executable: Executable;
}

export class Run {
  readonly packet: RunMemory;
  readonly cpu: number;
  readonly process;
  redirect: Redirect | undefined;
  trace = '';
  tailCalls = 0;
  readonly allocator: Allocator;
  /** Program type. */
  readonly type: string;
  /** What lies beside the machine's memory, by the address of the program's variable. */
  readonly dynptrs = new Map<bigint, Dynptr>();
  readonly around: Around;
  /** Metadata that the program gave its packet. */
  tunnel: Tunnel | undefined;
  /** Of the system call that a control group's program judges. */
  retval = 0;
  readonly iterators = new Map<bigint, Iterator<number>>();
  /** A timer's or work queue's callback runs. */
  inDeferred = false;
  readonly identity: Readonly<Record<keyof Identity, bigint>>;
  /** The address that stands for the current task. */
  readonly task: bigint;
  readonly #environment: Environment;
  readonly #records = new Map<bigint, { map: ReferenceMap; bytes: Uint8Array }>();
  readonly #temporary: ByteRegion[] = [];
  #time: bigint;
  #random: bigint;

  constructor(
    allocator: Allocator,
    packet: RunMemory,
    type: string,
    environment: Environment,
    identity: Identity = {},
  ) {
    this.allocator = allocator;
    this.type = type;
    this.packet = packet;
    this.#environment = environment;
    this.around = new Around(environment, allocator);
    this.cpu = (environment.cpu ?? 0) % CPU_SLOTS;
    const { pid = 1, tgid = 1, uid = 0, gid = 0, comm = 'node' } = environment.process ?? {};
    this.process = {
      pidTgid: (BigInt(tgid) << 32n) | BigInt(pid),
      uidGid: (BigInt(gid) << 32n) | BigInt(uid),
      comm,
    };
    const { socket = 1, task = environment.process?.pid ?? 1, cgroup = 1, inode = 1 } = identity;
    this.identity = {
      socket: BigInt(socket),
      task: BigInt(task),
      cgroup: BigInt(cgroup),
      inode: BigInt(inode),
    };
    this.task = allocator.name(this.identity);
    this.#time = BigInt(environment.time?.nanoseconds ?? 0);
    this.#random = BigInt(environment.random ?? process.hrtime.bigint());
  }

  mapAt(address: bigint): ReferenceMap | undefined {
    const object = this.allocator.objects.get(address);
    return object instanceof ReferenceMap ? object : undefined;
  }

  /** A program has one at most, and so have those that share maps with it. */
  get arena(): ReferenceArena | undefined {
    for (const object of this.allocator.objects.values())
      if (object instanceof ReferenceMap && object.arena !== undefined) return object.arena;
    return undefined;
  }

  now(): bigint {
    const { time } = this.#environment;
    if (time === undefined) return process.hrtime.bigint();
    const now = this.#time;
    this.#time += BigInt(time.step ?? 0);
    return BigInt.asUintN(64, now);
  }

  /** What `now` is about to say: reading it is not the program's reading. */
  get clock(): bigint {
    return this.#environment.time === undefined ? process.hrtime.bigint() : this.#time;
  }

  /** Whose storage a pointer means; undefined: nobody's. */
  identify(object: bigint): bigint | undefined {
    if (object === OBJECT_ADDRESS || object === CONTEXT_ADDRESS) return this.identity.socket;
    return object === this.task ? this.identity.task : undefined;
  }

  /** A dynamic pointer over a record that a callback may look at. */
  lendDynptr(record: Uint8Array): bigint {
    const address = this.scratch(new Uint8Array(16));
    const memory = this.#place('record', record, 'read-write');
    this.dynptrs.set(address, {
      kind: 'local',
      address: memory,
      offset: 0,
      sizeBytes: record.length,
      readOnly: false,
    });
    return address;
  }

  /** splitmix64, as in loader/native/helpers_environment.c, so that equal seeds give equal runs. */
  random(): bigint {
    const mask = (value: bigint) => BigInt.asUintN(64, value);
    this.#random = mask(this.#random + 0x9e3779b97f4a7c15n);
    let word = this.#random;
    word = mask((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n);
    word = mask((word ^ (word >> 27n)) * 0x94d049bb133111ebn);
    return BigInt.asUintN(32, (word >> 32n) ^ word);
  }

  scratch(bytes: Uint8Array): bigint {
    return this.#place('key', bytes.slice(), 'read');
  }

  #place(name: string, bytes: Uint8Array, access: ByteRegion['access']): bigint {
    const region = this.allocator.place(name, bytes, access);
    this.#temporary.push(region);
    return region.base;
  }

  /** Takes away what only this run may reach. A run that was stopped gives back what it held. */
  release(): void {
    for (const { map, bytes } of this.#records.values()) map.finish(bytes, 'discarded');
    this.#records.clear();
    for (const region of this.#temporary) this.allocator.memory.remove(region);
    this.around.release();
    this.allocator.heap.sweep();
    this.allocator.objects.delete(this.task);
  }

  reserve(map: ReferenceMap, sizeBytes: number): bigint {
    const bytes = map.reserve(sizeBytes);
    if (bytes === undefined) return 0n;
    const address = this.#place('record', bytes, 'read-write');
    this.#records.set(address, { map, bytes });
    return address;
  }

  finishRecord(address: bigint, state: 'ready' | 'discarded'): bigint {
    const record = this.#records.get(address);
    record?.map.finish(record.bytes, state);
    this.#records.delete(address);
    return 0n;
  }

  tailCall(machine: Machine, target: unknown, context: bigint): bigint {
    if (this.tailCalls >= TAIL_CALLS_MAX) return -2n;
    this.tailCalls++;
    machine.tailCall((target as Target).executable, context);
    return 0n;
  }
}
