/** The interpreter beyond single operations: faults, frames, calls to the host, limits. */

import { describe, expect, test } from 'vitest';
import {
  AddressSpace,
  assemble,
  type Executable,
  type Host,
  type InterpretOptions,
  interpret,
  type Machine,
  type Outcome,
} from '../../isa/index.ts';

function run(text: string, host: Partial<Host> = {}, options: InterpretOptions = {}): Outcome {
  const { instructions } = assemble(text, { helpers: new Map([['helper', 1]]), kfuncs: ['kfunc'] });
  return interpret(instructions, { memory: new AddressSpace(), ...host }, options);
}

const exit = (r0: bigint, executed: number): Outcome => ({ kind: 'exit', r0, executed });

describe('faults', () => {
  const cases: readonly (readonly [string, string, string, number])[] = [
    ['an unwritten register', 'r0 = r5\nexit', 'uninitialized', 0],
    ['an unwritten r0 at exit', 'exit', 'uninitialized', 0],
    ['r1 after a helper', 'r1 = 1\ncall helper\nr0 = r1\nexit', 'uninitialized', 2],
    ['r6 in a callee', 'r6 = 1\ncall f\nexit\nf: r0 = r6\nexit', 'uninitialized', 3],
    ['r0 of a callee that set none', 'r0 = 1\ncall f\nr2 = r0\nexit\nf: exit', 'uninitialized', 2],
    ['a write to r10', 'r10 = 0\nexit', 'frame-pointer', 0],
    ['memory in no region', 'r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit', 'access', 1],
    ['the byte above the stack', 'r0 = *(u8 *)(r10 + 0)\nexit', 'access', 0],
    ['across the end of the stack', 'r0 = *(u64 *)(r10 - 7)\nexit', 'access', 0],
    ['below the stack', 'r0 = *(u8 *)(r10 - 513)\nexit', 'access', 0],
    ['an address that wraps', 'r1 = -4\nr0 = *(u64 *)(r1 + 0)\nexit', 'access', 1],
    ['running off the end', 'r0 = 0', 'pc', 1],
    ['jumping out', 'goto -2', 'pc', -1],
    ['jumping into a constant', 'goto +1\nr0 = 1 ll\nexit', 'pc', 2],
    ['a callee outside', 'call pc+5\nexit', 'call', 0],
    ['callx to a number of no function', 'r1 = -1\ncallx r1', 'call', 1],
    ['a ninth frame', 'call f\nexit\nf: call f\nexit', 'depth', 2],
    ['a map without a host', 'r1 = map[fd:0]\nexit', 'unsupported', 0],
    ['a kernel function without a host', 'call kfunc\nexit', 'unsupported', 0],
    ['a packet without a host', 'r6 = 0\nr0 = *(u8 *)skb[0]\nexit', 'unsupported', 1],
    [
      'an address space without a host',
      'r1 = 0\nr1 = addr_space_cast(r1, 1, 0)\nexit',
      'unsupported',
      1,
    ],
  ];
  test.each(cases)('%s', (_, text, kind, pc) => {
    expect(run(text, { helper: () => 0n })).toMatchObject({ kind: 'fault', fault: { kind, pc } });
  });

  test('say the address', () => {
    const outcome = run('r1 = 0x1234\n*(u32 *)(r1 + 4) = 1\nexit');
    expect(outcome).toMatchObject({
      fault: { address: 0x1238n, reason: '4 bytes at 0x1238 cannot be written' },
    });
  });
});

describe('memory', () => {
  test('read-only regions refuse stores and atomics', () => {
    for (const store of ['*(u8 *)(r1 + 0) = 1', 'r2 = 1\nlock *(u64 *)(r1 + 0) += r2']) {
      const memory = new AddressSpace();
      memory.add({ name: 'rodata', base: 0x1000n, bytes: new Uint8Array(8), access: 'read' });
      const outcome = run(`r1 = 0x1000\n${store}\nr0 = 0\nexit`, { memory });
      expect(outcome).toMatchObject({ kind: 'fault', fault: { kind: 'access' } });
    }
  });

  test('a virtual region decides what a read yields', () => {
    const memory = new AddressSpace();
    memory.add({
      name: 'context',
      base: 0x1000n,
      sizeBytes: 16,
      load: (offset, sizeBytes) =>
        offset === 4 && sizeBytes === 4 ? 0x2000_0000_0000n : undefined,
      store: () => false,
    });
    // A 32-bit field can hold a pointer only if the program's width says so; loads cut to 4 bytes.
    expect(run('r1 = 0x1000\nr0 = *(u32 *)(r1 + 4)\nexit', { memory })).toEqual(exit(0n, 3));
    expect(run('r1 = 0x1000\nr0 = *(u32 *)(r1 + 0)\nexit', { memory }).kind).toBe('fault');
  });

  test('regions may touch, not overlap', () => {
    const memory = new AddressSpace();
    const region = (base: bigint, size: number) =>
      ({ name: `at ${base}`, base, bytes: new Uint8Array(size), access: 'read-write' }) as const;
    memory.add(region(100n, 10));
    memory.add(region(110n, 10));
    memory.add(region(90n, 10));
    expect(() => memory.add(region(119n, 1))).toThrow(RangeError);
    expect(() => memory.add(region(85n, 6))).toThrow(RangeError);
    expect(() => memory.add(region((1n << 64n) - 4n, 5))).toThrow(RangeError);
    expect(memory.find(109n, 1)?.offset).toBe(9);
    expect(memory.find(109n, 2)).toBeUndefined();
    expect(memory.view(112n, 8, 'read')?.length).toBe(8);
    expect(memory.view(112n, 9, 'read')).toBeUndefined();
  });

  test('a stack may have to be written before it is read', () => {
    const text = '*(u16 *)(r10 - 8) = 1\nr0 = *(u32 *)(r10 - 8)\nexit';
    expect(run(text)).toEqual(exit(1n, 3));
    const outcome = run(text, {}, { stack: 'unwritten' });
    expect(outcome).toMatchObject({ kind: 'fault', fault: { kind: 'uninitialized', pc: 1 } });
    const narrow = '*(u16 *)(r10 - 8) = 1\nr0 = *(u16 *)(r10 - 8)\nexit';
    expect(run(narrow, {}, { stack: 'unwritten' })).toEqual(exit(1n, 3));
    const filled = 'r1 = r10\nr1 += -8\ncall helper\nr0 = *(u64 *)(r10 - 8)\nexit';
    const fill: Host['helper'] = (_id, [address], { memory }) => {
      expect(memory.view(address!, 8, 'read')).toBeUndefined();
      memory.view(address!, 8, 'write')!.fill(1);
      return 0n;
    };
    const after = run(filled, { helper: fill }, { stack: 'unwritten' });
    expect(after).toEqual(exit(0x0101010101010101n, 5));
  });

  test('stacks are gone after the run, also after a fault', () => {
    const memory = new AddressSpace();
    run('r0 = *(u8 *)(r10 + 0)\nexit', { memory });
    run('r0 = 0\nexit', { memory });
    expect(memory.find(0x7fff_f000_0000n - 8n, 8)).toBeUndefined();
  });
});

describe('the host', () => {
  test('helpers get five arguments and yield r0', () => {
    const seen: unknown[] = [];
    const outcome = run('r1 = 7\nr3 = 9\ncall helper\nexit', {
      helper: (id, args) => {
        seen.push(id, ...args);
        return -1n;
      },
    });
    expect(seen).toEqual([1, 7n, undefined, 9n, undefined, undefined]);
    expect(outcome).toEqual(exit(0xffff_ffff_ffff_ffffn, 4));
  });

  test('a helper reports a broken contract', () => {
    const outcome = run('call helper\nexit', {
      helper: (_id, _args, machine) => {
        throw machine.fault('call', 'r1 must be a map');
      },
    });
    expect(outcome).toMatchObject({ kind: 'fault', fault: { pc: 0, reason: 'r1 must be a map' } });
  });

  test('callx calls a helper by number', () => {
    const outcome = run('r3 = 5\ncallx r3\nexit', { helper: (id) => BigInt(id) });
    expect(outcome).toEqual(exit(5n, 3));
  });

  test('callbacks run in their own frames and keep the caller as it was', () => {
    const outcome = run(
      `r6 = 100
       r1 = 4
       r2 = func[body]
       r3 = r10
       r3 += -8
       *(u64 *)(r10 - 8) = 0
       call helper
       r0 = *(u64 *)(r10 - 8)
       r0 += r6
       exit
       body: r3 = *(u64 *)(r2 + 0)
       r3 += r1
       *(u64 *)(r2 + 0) = r3
       r6 = 1
       r0 = 0
       exit`,
      {
        helper: (_id, [count, callback, context], machine) =>
          loop(machine, count!, callback!, context!),
      },
    );
    // 10 in the program, 6 in each of 4 callbacks.
    expect(outcome).toEqual(exit(106n, 34));
  });

  function loop(machine: Machine, count: bigint, callback: bigint, context: bigint): bigint {
    const slot = machine.functionAt(callback)!;
    for (let index = 0n; index < count; index++) machine.call(slot, [index, context]);
    return count;
  }

  test('a callback that calls itself for ever meets the depth limit', () => {
    const outcome = run('f: r1 = func[f]\ncall helper\nexit', {
      helper: (_id, [callback], machine) => machine.call(machine.functionAt(callback!)!, []),
    });
    expect(outcome).toMatchObject({ kind: 'fault', fault: { kind: 'depth' } });
  });

  test('a tail call replaces the frame and returns to its caller', () => {
    const target: Executable = {
      instructions: assemble('r0 = *(u64 *)(r10 - 8)\nr0 += r1\nexit').instructions,
    };
    const outcome = run(
      `call f
       r0 += 1
       exit
       f: *(u64 *)(r10 - 8) = 5
       call helper
       r0 = 1000
       exit`,
      {
        helper: (_id, _args, machine) => {
          machine.tailCall(target, 20n);
          return 0n;
        },
      },
    );
    expect(outcome).toEqual(exit(21n, 8));
  });

  test('unwinding leaves all frames', () => {
    const outcome = run('call f\nr0 = 1\nexit\nf: call kfunc\nr0 = 2\nexit', {
      kfunc: (_pc, _args, machine) => {
        machine.unwind(77n, undefined);
        return 0n;
      },
    });
    expect(outcome).toEqual(exit(77n, 2));
  });

  test('unwinding ends where a tail call entered, and lets a catcher speak', () => {
    const thrower = assemble(
      'call f\nr0 = 1\nexit\nf: call kfunc\nr0 = 2\nexit\ncatch: r0 = r1\nr0 += 1\nexit',
      { kfuncs: ['kfunc'] },
    );
    const outcome = run('call f\nr0 += 1000\nexit\nf: r1 = 5\ncall helper\nr0 = 3\nexit', {
      helper: (_id, _args, machine) => {
        machine.tailCall(thrower, 5n);
        return 0n;
      },
      kfunc: (_pc, _args, machine) => {
        machine.unwind(77n, 6);
        return 0n;
      },
    });
    expect(outcome).toEqual(exit(1078n, 10));
  });

  test('map constants', () => {
    const { instructions, mapReferences } = assemble(
      'r1 = map[b] ll\nr0 = map[a][0] + 12 ll\nr0 += r1\nexit',
      { maps: ['a', 'b'] },
    );
    const host: Host = {
      memory: new AddressSpace(),
      mapAddress: (map) => BigInt(map) * 0x100n,
      mapValueAddress: (map, offset) => 0x1000n + BigInt(map * 0x100 + offset),
    };
    expect(interpret(instructions, host, { mapReferences })).toEqual(exit(0x110cn, 4));
    // Without references the immediates name the map.
    expect(interpret(instructions, host)).toMatchObject({ r0: 0x110cn });
  });

  test('legacy packet loads', () => {
    const packet = (offset: number, sizeBytes: number) =>
      offset === 14 && sizeBytes === 2 ? 0x0800n : undefined;
    const text = 'r6 = 0\nr1 = 4\nr0 = *(u16 *)skb[r1 + 10]\nexit';
    expect(run(text, { loadPacket: packet })).toEqual(exit(0x0800n, 4));
    const past = 'r6 = 0\ncall f\nr0 += 5\nexit\nf: r6 = 0\nr0 = *(u8 *)skb[99]\nr0 = 7\nexit';
    expect(run(past, { loadPacket: packet })).toEqual(exit(5n, 6));
  });
});

describe('limits', () => {
  test('the instruction limit is exact', () => {
    const text = 'r0 = 1 ll\nr0 += 1\nexit';
    expect(run(text, {}, { maxInstructions: 3 })).toEqual(exit(2n, 3));
    expect(run(text, {}, { maxInstructions: 2 })).toEqual({
      kind: 'exhausted',
      pc: 3,
      executed: 2,
    });
    expect(run('goto -1', {}, { maxInstructions: 1000 })).toMatchObject({ executed: 1000 });
  });

  test('each frame has its own may_goto budget, shared by its may_gotos', () => {
    const count = 'r0 = 0\nagain: may_goto end\nr0 += 1\nmay_goto end\nr0 += 1\ngoto again\nend: ';
    expect(run(`${count}exit`, {}, { mayGotoBudget: 5 })).toMatchObject({ r0: 5n });
    const nested = `${count}r6 = r0\ncall f\nr0 += r6\nexit\nf: may_goto +2\nr0 = 10\nexit\nr0 = 20\nexit`;
    expect(run(nested, {}, { mayGotoBudget: 5 })).toMatchObject({ r0: 15n });
  });

  test('the stack of each frame has the size asked for', () => {
    const text = '*(u8 *)(r10 - 64) = 1\nr0 = 0\nexit';
    expect(run(text, {}, { stackBytes: 64 }).kind).toBe('exit');
    expect(run(text, {}, { stackBytes: 56 }).kind).toBe('fault');
  });

  test('a trace sees every instruction before it runs', () => {
    const seen: string[] = [];
    run('r0 = 1\ncall f\nexit\nf: r0 = 2\nexit', {
      trace: (pc, registers, machine) => seen.push(`${machine.depth}:${pc}:${registers[0]}`),
    });
    expect(seen).toEqual(['1:0:undefined', '1:1:1', '2:3:undefined', '2:4:2', '1:2:2']);
  });

  test('entry and registers can be chosen', () => {
    const outcome = run('r0 = 1\nexit\nr0 = r2\nexit', {}, { entry: 2, registers: [1n, 9n] });
    expect(outcome).toEqual(exit(9n, 2));
  });
});
