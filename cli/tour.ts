/**
 * What `npm start` shows: the whole path on real input. A firewall that clang compiled is read,
 * proven, compiled, sealed and run over a capture; then a program that cannot be proven is explained.
 * Every number printed was computed by this run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { parseBtf, type TypedView, typedView } from '../btf/index.ts';
import { type Capture, readCapture } from '../hosts/index.ts';
import type { Program } from '../isa/index.ts';
import { compile } from '../jit/index.ts';
import { type Extension, load, loadReference, type ReferenceExtension } from '../loader/index.ts';
import { readObject } from '../programs/object/index.ts';
import { verify } from '../verifier/index.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { render, type Style } from './report/index.ts';
import { PACKAGE_ROOT } from './root.ts';

const SAMPLES = join(PACKAGE_ROOT, 'programs/samples');
const PROFILE = 'linux-6.18';
const BLOCKED = ['203.0.113.7', '203.0.113.66', '198.51.100.23'] as const;
/** Rounds over the capture for timing: enough for native code to take some milliseconds. */
const NATIVE_ROUNDS = 50;
const INTERPRETER_ROUNDS = 1;
const INTERPRETER_PACKETS = 100;

const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const style: Style = { colour };
const print = (text: string) => process.stdout.write(`${text}\n`);
const heading = (text: string) => print(`\n${colour ? styleText(['bold', 'cyan'], text) : text}`);

function sample(name: string): Program {
  const file = `programs/samples/${name}.bpf.o`;
  const [program] = readObject(readFileSync(join(SAMPLES, `${name}.bpf.o`)), file);
  if (program === undefined) throw new Error(`${file} has no program`);
  return program;
}

const addressBytes = (address: string) => Uint8Array.from(address.split('.').map(Number));

/** Values of a map as the program's own types describe them. */
function valuesOf(program: Program, map: string): TypedView {
  const typeId = program.maps.find(({ name }) => name === map)?.btfValueTypeId;
  if (program.btf === undefined || typeId === undefined) throw new Error(`${map} has no BTF types`);
  return typedView(parseBtf(program.btf, program.file), typeId);
}

function showSeal(seal: Extension['seal']): void {
  heading('sealed');
  const facts = [
    seal.writeSealed ? 'the code can never be written again' : 'no write seal here',
    seal.mappingSealed ? 'its mapping can never be changed' : 'no mseal here',
    seal.unwritable ? 'an attempt to make it writable was refused' : 'it could be made writable',
  ];
  print(`  ${seal.method}: ${facts.join(', ')}`);
  print(`  ${seal.mapsLine}`);
}

function showResults(extension: Extension, capture: Capture, program: Program): void {
  const { bytes, offsets, lengths } = capture;
  const blocklist = extension.maps.blocklist;
  const hits = valuesOf(program, 'blocklist');
  for (const source of BLOCKED) {
    blocklist?.set(addressBytes(source), hits.encode({ packets: 0, bytes: 0 }));
  }
  const counts = new Map<string, number>();
  for (const r0 of extension.runBatch(bytes, offsets, lengths)) {
    const name = extension.actionName(r0) ?? String(r0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  heading(`${offsets.length} packets of programs/samples/mixed.pcap`);
  for (const [name, count] of counts) print(`  ${name.padEnd(10)} ${count}`);
  for (const [source, value] of blocklist?.entries() ?? []) {
    const { packets, bytes: total } = hits.decode(value) as { packets: number; bytes: number };
    print(`  blocked ${source.join('.')}: ${packets} packets, ${total} bytes`);
  }
}

/** Median nanoseconds per packet over `rounds` batches, timed around each batch. */
function nanosecondsPerPacket(
  engine: Extension | ReferenceExtension,
  capture: Capture,
  rounds: number,
): number {
  const times = Array.from({ length: rounds }, () => {
    engine.runBatch(capture.bytes, capture.offsets, capture.lengths);
    return engine.nanoseconds / capture.offsets.length;
  });
  return times.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
}

function showSpeed(extension: Extension, program: Program, capture: Capture): void {
  const few = {
    ...capture,
    offsets: capture.offsets.slice(0, INTERPRETER_PACKETS),
    lengths: capture.lengths.slice(0, INTERPRETER_PACKETS),
  };
  const [interpreter] = loadReference([program]);
  if (interpreter === undefined) return;
  const native = nanosecondsPerPacket(extension, capture, NATIVE_ROUNDS);
  const interpreted = nanosecondsPerPacket(interpreter, few, INTERPRETER_ROUNDS);
  interpreter.close();
  heading('speed');
  print(`  native       ${native.toFixed(1).padStart(9)} ns per packet`);
  print(`  interpreter  ${interpreted.toFixed(1).padStart(9)} ns per packet`);
}

function showRejection(name: string): ExitCode {
  heading(`programs/samples/${name}.bpf.o`);
  const verdict = verify(sample(name), { profile: PROFILE });
  print(render(verdict, style));
  return verdict.ok ? EXIT.internal : EXIT.proven;
}

/** Runs the tour; 0 when everything went as it should. */
export function main(): ExitCode {
  const program = sample('firewall');
  const verdict = verify(program, { profile: PROFILE });
  heading(`programs/samples/firewall.bpf.o`);
  print(render(verdict, style));
  if (!verdict.ok) return EXIT.internal;
  const capture = readCapture(readFileSync(join(SAMPLES, 'mixed.pcap')), 'mixed.pcap');
  const extension = load(compile(verdict.proof));
  showSeal(extension.seal);
  showResults(extension, capture, program);
  showSpeed(extension, program, capture);
  extension.close();
  return showRejection('bad-bounds');
}
