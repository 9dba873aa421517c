/**
 * Runs a program one instruction at a time, exactly as `evaluate.ts` says, and checks everything: each
 * register read was written, each access lies in a region, each jump stays in the program. It is the
 * oracle against which verifier and native code are tested, so it takes no shortcut and relies on no
 * proof.
 *
 * Frames are a list, not JavaScript recursion, so depth is a number to check; only callbacks, which
 * a helper runs from inside, nest the loop, and they count as frames too.
 */

import { constantOf, FUNCTION_ADDRESS } from './constants.ts';
import { alu, atomic, compare, extend, immediate } from './evaluate.ts';
import {
  DEFAULT_MAX_DEPTH,
  DEFAULT_MAY_GOTO_BUDGET,
  DEFAULT_STACK_BYTES,
  type Frame,
  openStack,
  stackTop,
} from './frame.ts';
import {
  type Executable,
  ExecutionFault,
  type FaultKind,
  type HelperArguments,
  type Host,
  type InterpretOptions,
  type Machine,
  type Outcome,
  type Registers,
} from './machine.ts';
import type { AddressSpace } from './memory.ts';
import type { Instruction } from './program.ts';
import {
  type AluOperation,
  type AtomicOperation,
  type JumpCondition,
  type Row,
  TABLE,
} from './table.ts';

/** Runs `instructions` until they exit, break a rule, or have executed `maxInstructions`. */
export function interpret(
  instructions: readonly Instruction[],
  host: Host,
  options: InterpretOptions = {},
): Outcome {
  const { mapReferences } = options;
  const executable = mapReferences ? { instructions, mapReferences } : { instructions };
  const run = new Run(host, options);
  try {
    const r0 = run.start(executable, options.entry ?? 0, options.registers ?? []);
    return { kind: 'exit', r0, executed: run.executed };
  } catch (error) {
    if (error instanceof ExecutionFault) {
      return { kind: 'fault', fault: error.fault, executed: run.executed };
    }
    if (error instanceof Exhausted) {
      return { kind: 'exhausted', pc: run.pc, executed: run.executed };
    }
    throw error;
  } finally {
    run.releaseStacks();
  }
}

class Exhausted {}

class Run implements Machine {
  readonly memory: AddressSpace;
  pc = 0;
  executed = 0;
  readonly #host: Host;
  readonly #stackBytes: number;
  readonly #stack: 'zeroed' | 'unwritten';
  readonly #maxDepth: number;
  readonly #maxInstructions: number;
  readonly #mayGotoBudget: number;
  readonly #frames: Frame[] = [];
  /** r0 to r10. A callback saves and restores what it must. */
  #registers: Registers = [];
  #instructions: readonly Instruction[] = [];
  #pendingTailCall: { target: Executable; context: bigint } | undefined;
  #thrown: { value: bigint; catcher: number | undefined } | undefined;

  constructor(host: Host, options: InterpretOptions) {
    this.#host = host;
    this.memory = host.memory;
    this.#stackBytes = options.stackBytes ?? DEFAULT_STACK_BYTES;
    this.#stack = options.stack ?? 'zeroed';
    this.#maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#maxInstructions = options.maxInstructions ?? Number.POSITIVE_INFINITY;
    this.#mayGotoBudget = options.mayGotoBudget ?? DEFAULT_MAY_GOTO_BUDGET;
  }

  get depth(): number {
    return this.#frames.length;
  }

  get executable(): Executable {
    return this.#top().executable;
  }

  start(executable: Executable, entry: number, args: readonly bigint[]): bigint {
    this.#registers = new Array(11).fill(undefined);
    this.#enter(executable, entry, args);
    return this.#loop();
  }

  /** A host's memory outlives the run; its stacks must not. */
  releaseStacks(): void {
    for (const frame of this.#frames) this.memory.remove(frame.stack);
    this.#frames.length = 0;
  }

  fault(kind: FaultKind, reason: string, address?: bigint): ExecutionFault {
    const { pc } = this;
    return new ExecutionFault(
      address === undefined ? { kind, pc, reason } : { kind, pc, reason, address },
    );
  }

  functionAt(address: bigint): number | undefined {
    const offset = address - FUNCTION_ADDRESS;
    if (offset < 0n || offset % 8n !== 0n) return undefined;
    const slot = offset / 8n;
    return slot < BigInt(this.#instructions.length) ? Number(slot) : undefined;
  }

  /** A helper is one instruction for its caller, so all registers are restored but for r0's result. */
  call(pc: number, args: readonly bigint[]): bigint {
    const returnPc = this.pc;
    const registers = [...this.#registers];
    this.#enter(this.executable, pc, args);
    const r0 = this.#loop();
    this.#registers = registers;
    this.pc = returnPc;
    return r0;
  }

  tailCall(target: Executable, context: bigint): void {
    this.#pendingTailCall = { target, context };
  }

  unwind(value: bigint, catcher: number | undefined): void {
    this.#thrown = { value, catcher };
  }

  #top(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  /**
   * Opens a frame with `args` in r1 and up. The callee starts without the caller's other registers:
   * r0 and r6 to r9 hold nothing that it may rely on, so reading them is a fault.
   */
  #enter(executable: Executable, pc: number, args: readonly (bigint | undefined)[]): void {
    const depth = this.#frames.length;
    if (depth >= this.#maxDepth) {
      throw this.fault('depth', `more than ${this.#maxDepth} nested calls`);
    }
    const stack = openStack(depth, this.#stackBytes, this.#stack);
    this.memory.add(stack);
    const saved = this.#registers.slice(6);
    this.#frames.push({
      executable,
      returnPc: this.pc + 1,
      saved,
      stack,
      mayGotoLeft: this.#mayGotoBudget,
      isTailCalled: false,
    });
    this.#instructions = executable.instructions;
    this.#registers.fill(undefined);
    args.forEach((value, index) => {
      this.#registers[index + 1] = value;
    });
    this.#registers[10] = stackTop(depth);
    this.pc = pc;
  }

  /** Closes the current frame; the caller's registers are back, but for r0 to r5. */
  #leave(): void {
    const frame = this.#frames.pop()!;
    this.memory.remove(frame.stack);
    const r0 = this.#registers[0];
    this.#registers.fill(undefined);
    this.#registers[0] = r0;
    frame.saved.forEach((value, index) => {
      this.#registers[index + 6] = value;
    });
    this.pc = frame.returnPc;
    const caller = this.#frames.at(-1);
    if (caller) this.#instructions = caller.executable.instructions;
  }

  /** Executes until the frame that is current now has exited; its r0. */
  #loop(): bigint {
    const depth = this.#frames.length;
    while (this.#frames.length >= depth) {
      const instruction = this.#instructions[this.pc];
      if (!instruction) throw this.fault('pc', 'execution left the program');
      if (this.executed >= this.#maxInstructions) throw new Exhausted();
      this.executed++;
      this.#host.trace?.(this.pc, this.#registers, this);
      this.#step(instruction, TABLE[instruction.op]!, depth);
    }
    return this.#registers[0]!;
  }

  /** Executes one instruction and moves `pc`. `depth` is where the loop ends. */
  #step(instruction: Instruction, row: Row, depth: number): void {
    switch (row.kind) {
      case 'alu':
        this.#stepAlu(instruction, row);
        break;
      case 'cast':
        this.#stepCast(instruction);
        break;
      case 'load':
        this.#write(
          instruction.dst,
          extend(
            this.#load(this.#address(instruction.src, instruction.off), row.sizeBytes),
            row.sizeBytes,
            row.signed ? 'sign' : 'zero',
          ),
        );
        break;
      case 'store':
        this.#store(
          this.#address(instruction.dst, instruction.off),
          row.sizeBytes,
          this.#operand(instruction, row),
        );
        break;
      case 'atomic':
        this.#stepAtomic(instruction, row);
        break;
      case 'jump':
        this.#stepJump(instruction, row);
        break;
      case 'goto':
        this.pc += instruction.off;
        break;
      case 'may_goto': {
        const frame = this.#top();
        if (frame.mayGotoLeft === 0) this.pc += instruction.off;
        else frame.mayGotoLeft--;
        break;
      }
      case 'call':
        this.#stepCall(instruction, row, depth);
        return;
      case 'exit':
        this.#exit(depth);
        return;
      case 'constant':
        this.#write(instruction.dst, this.#constant(instruction, row));
        this.pc += 2;
        return;
      case 'packet':
        this.#stepPacket(instruction, row, depth);
        return;
      case 'continuation':
        throw this.fault('pc', 'execution entered the second slot of a constant');
      default:
        row.kind satisfies never;
    }
    this.pc++;
  }

  /** A callee may leave r0 alone; the program and its callbacks may not. */
  #exit(depth: number): void {
    if (this.#frames.length === depth) this.#read(0);
    this.#leave();
  }

  #read(register: number): bigint {
    const value = this.#registers[register];
    if (value === undefined) {
      throw this.fault('uninitialized', `r${register} is read but was never written`);
    }
    return value;
  }

  #write(register: number, value: bigint): void {
    if (register === 10) throw this.fault('frame-pointer', 'r10 cannot be written');
    this.#registers[register] = value;
  }

  #operand(instruction: Instruction, row: Row): bigint {
    return row.source === 'reg' ? this.#read(instruction.src) : immediate(instruction.imm);
  }

  #address(register: number, offset: number): bigint {
    return BigInt.asUintN(64, this.#read(register) + BigInt(offset));
  }

  #load(address: bigint, sizeBytes: number): bigint {
    const value = this.memory.load(address, sizeBytes);
    if (value !== undefined) return value;
    const place = this.memory.find(address, sizeBytes);
    const where = `${sizeBytes} bytes at 0x${address.toString(16)}`;
    if (place && 'bytes' in place.region) {
      throw this.fault('uninitialized', `${where} were not all written`, address);
    }
    throw this.fault('access', `${where} cannot be read`, address);
  }

  #store(address: bigint, sizeBytes: number, value: bigint): void {
    if (this.memory.store(address, sizeBytes, value)) return;
    const reason = `${sizeBytes} bytes at 0x${address.toString(16)} cannot be written`;
    throw this.fault('access', reason, address);
  }

  #stepAlu(instruction: Instruction, row: Row): void {
    const dst = row.dst === 'update' ? this.#read(instruction.dst) : 0n;
    const src = row.source === 'none' ? 0n : this.#operand(instruction, row);
    const operation = row.operation as AluOperation;
    const width = row.width as 32 | 64;
    this.#write(instruction.dst, alu(operation, width, dst, src, row.sizeBytes));
  }

  #stepCast({ dst, src, imm }: Instruction): void {
    const cast = this.#host.castAddress?.(this.#read(src), imm >>> 16, imm & 0xffff);
    if (cast === undefined) throw this.fault('unsupported', 'this host has no address spaces');
    this.#write(dst, cast);
  }

  #stepJump(instruction: Instruction, row: Row): void {
    const condition = row.operation as JumpCondition;
    const dst = this.#read(instruction.dst);
    const src = this.#operand(instruction, row);
    if (compare(condition, row.width as 32 | 64, dst, src)) this.pc += instruction.off;
  }

  /**
   * One thread runs, so load then store is atomic. A failed cmpxchg stores what it found: it needs
   * the right to write either way, as the verifier demands.
   */
  #stepAtomic(instruction: Instruction, row: Row): void {
    const operation = row.operation as AtomicOperation;
    const loads = operation === 'load_acquire';
    const base = loads ? instruction.src : instruction.dst;
    const address = this.#address(base, instruction.off);
    const operand = loads ? 0n : this.#read(instruction.src);
    const r0 = operation === 'cmpxchg' ? this.#read(0) : 0n;
    const before = operation === 'store_release' ? 0n : this.#load(address, row.sizeBytes);
    const after = atomic(operation, row.sizeBytes, before, operand, r0);
    if (!loads) this.#store(address, row.sizeBytes, after.memory);
    if (after.register === undefined) return;
    // Memory that is not there answers no atomic operation: the register keeps its value.
    if (!loads && this.memory.isAbsent(address, row.sizeBytes)) return;
    const fetching = loads ? instruction.dst : operation === 'cmpxchg' ? 0 : instruction.src;
    this.#write(fetching, after.register);
  }

  #constant(instruction: Instruction, row: Row): bigint {
    const value = constantOf(instruction, row, this.pc, this.executable, this.#host);
    if (value !== undefined) return value;
    throw this.fault('unsupported', `this host has nothing for '${row.name}'`);
  }

  /** The offset is an int for the kernel's helper; negative ones have meanings that the host knows. */
  #stepPacket(instruction: Instruction, row: Row, depth: number): void {
    const context = this.#read(6);
    const index = row.operation === 'ind' ? this.#read(instruction.src) : 0n;
    const offset = Number(BigInt.asIntN(32, index + BigInt(instruction.imm)));
    if (!this.#host.loadPacket) throw this.fault('unsupported', 'this host has no packet');
    const value = this.#host.loadPacket(offset, row.sizeBytes, context);
    this.#registers[0] = value ?? 0n;
    // A failed load returns 0 from the function that it is in.
    if (value === undefined) {
      this.#exit(depth);
      return;
    }
    for (let register = 1; register <= 5; register++) this.#registers[register] = undefined;
    this.pc++;
  }

  #stepCall(instruction: Instruction, row: Row, depth: number): void {
    switch (row.operation) {
      case 'subprogram':
        this.#callFunction(this.pc + 1 + instruction.imm);
        return;
      case 'kfunc': {
        const result = this.#host.kfunc?.(this.pc, this.#arguments(), this);
        const thrown = this.#thrown;
        if (thrown === undefined) this.#returned(result, 'this host has no kernel functions');
        else this.#leaveProgram(thrown.value, thrown.catcher, depth);
        return;
      }
      case 'register':
        this.#callRegister(this.#read(instruction.dst));
        return;
      default:
        this.#callHelper(instruction.imm);
    }
  }

  #callFunction(target: number): void {
    if (target < 0 || target >= this.#instructions.length) {
      throw this.fault('call', `there is no function at slot ${target}`);
    }
    this.#enter(this.executable, target, this.#registers.slice(1, 6));
  }

  /** `callx`: a function of the program, or a helper by its number. */
  #callRegister(value: bigint): void {
    const target = this.functionAt(value);
    if (target !== undefined) this.#callFunction(target);
    else if (value <= 0x7fff_ffffn) this.#callHelper(Number(value));
    else throw this.fault('call', `0x${value.toString(16)} is no function`, value);
  }

  #callHelper(id: number): void {
    const result = this.#host.helper?.(id, this.#arguments(), this);
    this.#returned(result, 'this host has no helpers');
  }

  #arguments(): HelperArguments {
    const [, r1, r2, r3, r4, r5] = this.#registers;
    return [r1, r2, r3, r4, r5];
  }

  /** After a callee of the host: r0 is its result, r1 to r5 are gone. */
  #returned(result: bigint | undefined, absent: string): void {
    if (result === undefined) throw this.fault('unsupported', absent);
    const tail = this.#pendingTailCall;
    if (tail) {
      this.#pendingTailCall = undefined;
      this.#switchTo(tail.target, tail.context);
      return;
    }
    this.#registers.fill(undefined, 1, 6);
    this.#registers[0] = BigInt.asUintN(64, result);
    this.pc++;
  }

  /**
   * After an exception: leaves the frames of the program that runs now, down to where it was entered, by
   * the host or by a tail call. `catcher` takes the place of the first one, and its result counts.
   */
  #leaveProgram(value: bigint, catcher: number | undefined, depth: number): void {
    this.#thrown = undefined;
    let first = this.#frames.length - 1;
    while (first > 0 && !this.#frames[first]!.isTailCalled) first--;
    if (first + 1 < depth) throw this.fault('call', 'an exception would leave a helper');
    while (this.#frames.length > first + 1) this.#leave();
    if (catcher !== undefined) {
      this.#restart(value);
      this.pc = catcher;
      return;
    }
    this.#registers[0] = value;
    this.#leave();
  }

  /** The current frame begins anew: a clean stack, and one argument. */
  #restart(argument: bigint): void {
    const frame = this.#top();
    frame.mayGotoLeft = this.#mayGotoBudget;
    frame.stack.bytes.fill(0);
    frame.stack.written?.fill(0);
    this.#registers.fill(undefined);
    this.#registers[1] = argument;
    this.#registers[10] = stackTop(this.#frames.length - 1);
  }

  /** The current frame becomes the target's, and returns to the same place. */
  #switchTo(target: Executable, context: bigint): void {
    const frame = this.#top();
    frame.executable = target;
    frame.isTailCalled = true;
    this.#instructions = target.instructions;
    this.#restart(context);
    this.pc = 0;
  }
}
