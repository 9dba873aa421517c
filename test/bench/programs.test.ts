/**
 * The benchmark programs give the same results everywhere: as clang compiled them for this
 * processor, in the kernel, as ringfence compiled and loaded them, and interpreted; for every
 * version of the instruction set. A differential test of whole programs whose oracle is a C compiler.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildHarness, buildObjects, findCompiler } from '../../bench/build.ts';
import { Harness } from '../../bench/harness.ts';
import { packetFor } from '../../bench/workloads.ts';
import { kernelRefusal, withKernelProgram } from '../../hosts/index.ts';
import type { Program } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { type Extension, load, loadReference } from '../../loader/index.ts';
import { verify } from '../../verifier/index.ts';

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), '../../bench');
const compiler =
  process.platform === 'linux' && process.arch === 'x64' ? findCompiler() : undefined;
if (compiler === undefined)
  console.log(
    'benchmark programs are not run: they need x86-64 Linux and a clang that builds for BPF',
  );
else if (!takesCpu('v4'))
  console.log(`benchmark programs are not run for v4: ${compiler} is too old`);
const refusal = kernelRefusal();
if (refusal !== undefined) console.log(`benchmark programs do not run in the kernel: ${refusal}`);

/** clang has -mcpu=v4 since version 18. */
function takesCpu(cpu: string): boolean {
  const flags = ['-target', 'bpf', `-mcpu=${cpu}`, '-x', 'c', '-c', '/dev/null', '-o', '/dev/null'];
  return compiler !== undefined && spawnSync(compiler, flags).status === 0;
}
/** The oldest and the newest; v3 is what the other tests take. */
const CPUS = ['v2', 'v4'].filter(takesCpu);

/** The packet of the benchmark, one too short for any program, and others with bytes changed. */
function packetsFor(name: string): Uint8Array[] {
  const whole = packetFor(name);
  const changed = Array.from({ length: 6 }, (_, n) => {
    const packet = whole.slice();
    for (let i = n; i < packet.length; i += 5 + n) packet[i]! ^= 0x35 * (n + 1);
    return packet;
  });
  const sizes = [14, 20, 37, 38, 64, 70, 130].filter((bytes) => bytes < whole.length);
  return [whole, ...changed, ...sizes.map((bytes) => whole.slice(0, bytes))];
}

function extensionOf(program: Program): Extension {
  const verdict = verify(program);
  if (!verdict.ok) throw new Error(`${program.name}: ${verdict.diagnostics[0]?.message}`);
  return load(compile(verdict.proof, { check: 'on' }), { lifetime: 'replaceable' });
}

interface Case {
  readonly packet: Uint8Array;
  readonly r0: number;
}

describe.skipIf(compiler === undefined)('benchmark programs', () => {
  let folder: string;
  let harness: Harness;
  let programs: ReadonlyMap<string, Program>;
  const cases = new Map<string, readonly Case[]>();

  async function casesOf(name: string): Promise<Case[]> {
    const found: Case[] = [];
    for (const packet of packetsFor(name)) {
      await harness.setPacket(packet);
      found.push({ packet, r0: (await harness.runNative(name, 1)).r0 });
    }
    return found;
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ringfence-bench-'));
    harness = new Harness(buildHarness(SOURCES, folder, compiler!));
    programs = buildObjects(SOURCES, folder, compiler!, 'v3');
    for (const name of programs.keys()) cases.set(name, await casesOf(name));
  });
  afterAll(() => {
    harness.close();
    rmSync(folder, { recursive: true });
  });

  /** Some of the packets of every program, and their results as native code gives them. */
  function compare(count: number, run: (name: string, packets: Uint8Array[]) => number[]): void {
    for (const [name, all] of cases) {
      const chosen = all.slice(0, count);
      const results = run(
        name,
        chosen.map(({ packet }) => packet),
      );
      expect([name, results]).toEqual([name, chosen.map(({ r0 }) => r0)]);
    }
  }

  it.each(CPUS)('run as native code does, compiled from -mcpu=%s', (cpu) => {
    const built = buildObjects(SOURCES, folder, compiler!, cpu);
    compare(Infinity, (name, packets) => {
      using extension = extensionOf(built.get(name)!);
      return packets.map((packet) => extension.run({ packet }));
    });
  });

  it('run interpreted as native code does', () => {
    compare(2, (name, packets) => {
      const [reference] = loadReference([programs.get(name)!]);
      return packets.map((packet) => reference!.run({ packet }));
    });
  });

  it.skipIf(refusal !== undefined)('run in the kernel as native code does', () => {
    compare(Infinity, (name, packets) =>
      withKernelProgram(programs.get(name)!, (loaded) =>
        packets.map((packet) => loaded.testRun({ packet }).r0),
      ),
    );
  });
});
