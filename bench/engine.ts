/** What runs a benchmark program, one row of the comparison each. */
import { kernelRefusal, loadIntoKernel } from '../hosts/index.ts';
import type { Program } from '../isa/index.ts';
import { compile } from '../jit/index.ts';
import { loadReference } from '../loader/index.ts';
import { verify } from '../verifier/index.ts';
import type { Harness } from './harness.ts';

export interface Measurement {
  /** Of all runs together. */
  readonly nanoseconds: number;
  /** Low 32 bits. */
  readonly r0: number;
}

/** A program ready to run; the packet is the harness's or was given to `open`. */
export interface Runner {
  run(count: number): Promise<Measurement>;
  close(): void;
}

export interface Engine {
  readonly name: string;
  /** Why it cannot take part here. */
  readonly refusal: string | undefined;
  /**
   * Whether what the empty program costs is deducted: the kernel's test run does more around each run
   * than the harness does around native and ringfence's code, which it calls alike.
   */
  readonly entry: 'measured' | 'deducted';
  open(name: string, program: Program, packet: Uint8Array): Promise<Runner>;
}

export function native(harness: Harness): Engine {
  return {
    name: 'native',
    refusal: undefined,
    entry: 'measured',
    open: async (name) => ({
      run: (count) => harness.runNative(name, count),
      close: () => {},
    }),
  };
}

/** The very bytes that `load` would seal; the harness calls them, so the loop is native code's. */
export function ringfence(harness: Harness): Engine {
  return {
    name: 'ringfence',
    refusal: undefined,
    entry: 'measured',
    open: async (name, program) => {
      const verdict = verify(program);
      if (!verdict.ok)
        throw new Error(`ringfence refuses ${name}: ${verdict.diagnostics[0]?.message}`);
      const code = compile(verdict.proof);
      if (code.relocations.length > 0)
        throw new Error(`${name} needs the loader: ${JSON.stringify(code.relocations[0])}`);
      const slot = await harness.mapCode(code.code, code.entry);
      return { run: (count) => harness.runCode(slot, count), close: () => {} };
    },
  };
}

export function kernel(): Engine {
  const refusal = process.platform === 'linux' ? kernelRefusal() : 'not Linux';
  return {
    name: 'kernel',
    refusal,
    entry: 'deducted',
    open: async (name, program, packet) => {
      const verdict = loadIntoKernel(program);
      if (!verdict.accepted) throw new Error(`the kernel refuses ${name}`);
      return {
        run: async (count) => {
          // The kernel's own figure, in whole nanoseconds a run: a test run takes some 15 ms more to
          // set up, and its clock, unlike ours, stops while another process has the processor.
          const { r0, nanosecondsPerRun } = verdict.program.testRun({ packet, repeat: count });
          return { nanoseconds: nanosecondsPerRun * count, r0 };
        },
        close: () => verdict.program.close(),
      };
    },
  };
}

/** The reference interpreter: checks every access, written to be right and not fast. */
export function interpreter(): Engine {
  return {
    name: 'interpreter',
    refusal: undefined,
    entry: 'measured',
    open: async (name, program, packet) => {
      const [extension] = loadReference([program]);
      if (extension === undefined) throw new Error(`${name} was not loaded`);
      return {
        run: async (count) => {
          const start = process.hrtime.bigint();
          const { r0 } = extension.test({ packet }, { repeat: count });
          return {
            nanoseconds: Number(process.hrtime.bigint() - start),
            r0: Number(BigInt.asUintN(32, r0)),
          };
        },
        close: () => extension.close(),
      };
    },
  };
}
