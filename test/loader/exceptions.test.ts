/** Exceptions across tail calls: the program that was jumped to ends, not the one that jumped. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { packet } from '../../hosts/index.ts';
import { compile } from '../../jit/index.ts';
import { load, loadReference, setTarget } from '../../loader/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { verify } from '../../verifier/index.ts';
import { compileSource, installedBuilds, REFERENCE_BUILD } from '../support/corpus.ts';
import { runningBtf } from '../support/corpus-report.ts';

const PATH = fileURLToPath(new URL('programs/exceptions.bpf.c', import.meta.url));
const OUTPUT = fileURLToPath(new URL('../../build/corpus', import.meta.url));
const kernelBtf = runningBtf();
const isReady =
  kernelBtf !== undefined && installedBuilds().some(({ name }) => name === REFERENCE_BUILD.name);

it.skipIf(!isReady).each(['throw_from_below', 'caught_from_below'])('a jump to %s', (name) => {
  const source = { name: 'exceptions', path: PATH, cpu: 3, clang: 19, programs: [] };
  const object = readFileSync(compileSource(source, REFERENCE_BUILD, OUTPUT));
  const options = kernelBtf === undefined ? {} : { kernelBtf };
  const all = readObject(object, 'exceptions', options);
  const programs = ['jump_from_below', name].map((each) => all.find((p) => p.name === each)!);
  const codes = programs.map((program) => {
    const verdict = verify(program, options);
    if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
    return compile(verdict.proof);
  });
  const [native, target] = load(codes, { lifetime: 'replaceable' });
  const [reference, double] = loadReference(programs);
  const key = new Uint8Array(4);
  const input = { packet: packet.tcp({ dst: '10.0.0.2:80' }) };
  expect(native!.test(input).r0).toBe(105n);
  expect(reference!.test(input).r0).toBe(105n);
  setTarget(native!.maps.jumps!, key, target!);
  reference!.maps.jumps!.setTarget(key, double!);
  const thrown = BigInt(input.packet.length);
  const answer = 100n + (name === 'caught_from_below' ? 2n * thrown : thrown);
  for (let run = 0; run < 3; run++) {
    expect(native!.test(input).r0).toBe(answer);
    expect(reference!.test(input).r0).toBe(answer);
  }
  target!.close();
  native!.close();
});
