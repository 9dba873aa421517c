/** Program types of an embedder's own: the same answers natively and interpreted, and what may fail. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { assembleProgram } from '../../../isa/index.ts';
import { compile } from '../../../jit/index.ts';
import { HelperError, load, openShared, replace } from '../../../loader/index.ts';
import { defineProgramType, headerOf, ProgramType } from '../../../platform/index.ts';
import { readObject } from '../../../programs/object/index.ts';
import { assertAccepted, observe, observeFile, verifyFile } from '../../../testing/index.ts';
import { verify } from '../../../verifier/index.ts';
import { type Calls, defineAdmission } from './admission.ts';

const ROOT = join(import.meta.dirname, '../../..');
const OBJECT = join(import.meta.dirname, 'admission.bpf.o');
const GET = { method: 1, client: 7, path_length: 20, bytes: 0 };
const PUT = { method: 3, client: 7, path_length: 20, bytes: 2n ** 40n };

function calls(quota: Calls['quota'] = () => true): Calls {
  return { audits: [], quota };
}

function proofOf(type: ProgramType<unknown>) {
  const [program] = readObject(Uint8Array.from(readFileSync(OBJECT)), 'admission.bpf.o');
  const verdict = verify(program!, { programType: type });
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  return verdict.proof;
}

function assembled(text: string, type: ProgramType<unknown>) {
  const program = assembleProgram(text, 'test.s', new Map());
  return verify(program, { programType: type });
}

describe('a plug-in', () => {
  it('is run natively with a typed context', () => {
    const host = calls((client, bytes) => client === 7 && bytes < 2n ** 41n);
    const type = defineAdmission(host);
    using extension = load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    expect(extension.run({ context: GET })).toBe(1);
    expect(extension.actionName(1)).toBe('ADMIT');
    expect(extension.run({ context: PUT })).toBe(1);
    expect(extension.run({ context: { ...PUT, bytes: 2n ** 42n } })).toBe(0);
    expect(extension.context).toEqual({ ...PUT, bytes: 2n ** 42n, reason: 413 });
    expect(extension.run({ context: { ...GET, path_length: 300, reason: -5 } })).toBe(0);
    expect(extension.context.reason).toBe(414);
    expect(host.audits).toEqual(['path too long 300']);
    expect(extension.maps.requests!.get(7)).toBe(4);
    expect(extension.worstCaseInstructions).toBeLessThan(100);
    expectTypeOf(extension.run).parameter(0).toHaveProperty('context');
    // @ts-expect-error a field that the type does not have
    expect(() => extension.run({ context: { ...GET, size: 1 } })).toThrow("no field 'size'");
    // @ts-expect-error the context must be given
    extension.run({});
    // @ts-expect-error what the program reads must be given
    extension.run({ context: { method: 1 } });
    expect(() => extension.run({ context: { ...GET, method: -1 } })).toThrow(
      "field 'method' is -1, outside 0 to 4294967295",
    );
  });

  it('does the same on the reference engine, and tells its calls', () => {
    const host = calls(() => 0);
    const type = defineAdmission(host);
    const native = load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    const observed = observe(proofOf(type));
    for (const context of [GET, PUT, { ...GET, path_length: 201 }]) {
      const { r0, action, context: bytes } = native.test({ context });
      expect(observed.test({ context })).toMatchObject({ r0, action, context: bytes });
    }
    expect(host.audits).toEqual(['path too long 201', 'path too long 201']);
    expect(observed.test({ context: PUT }).calls.at(-1)).toMatchObject({
      name: 'quota',
      arguments: [7n, 2n ** 40n],
      result: 0n,
    });
    native.close();
  });

  it('costs its bound and its stack, which the type limits', () => {
    const host = calls();
    const { helpers: _, ...rest } = { helpers: undefined };
    const small = defineProgramType({
      ...rest,
      name: 'small',
      context: { fields: {} },
      limits: { executed: 3, stackBytes: 8, instructions: 6 },
    });
    expect(host.audits).toEqual([]);
    expect(assembled('r0 = 0\nexit\n', small).ok).toBe(true);
    const codes = (text: string) => {
      const verdict = assembled(text, small);
      return verdict.ok ? [] : verdict.diagnostics.map(({ code }) => code);
    };
    expect(codes('r0 = 0\nr0 += 1\nr0 += 2\nexit\n')).toEqual(['run-too-long']);
    expect(codes('*(u64 *)(r10 - 16) = 0\nr0 = 0\nexit\n')).toEqual(['stack-out-of-bounds']);
    expect(codes(`${'r0 = 0\n'.repeat(6)}exit\n`)).toEqual(['program-too-long']);
  });
});

it('is verified and observed from its file', async () => {
  const type = defineAdmission(calls());
  assertAccepted(await verifyFile(OBJECT, { programType: type }), { maxInstructions: 100 });
  const { admit } = await observeFile(OBJECT, { programType: type });
  expect(admit!.test({ context: GET }).action).toBe('ADMIT');
  // @ts-expect-error a field that the type does not have
  expect(() => admit!.test({ context: { ...GET, size: 1 } })).toThrow("no field 'size'");
});

describe('the verifier', () => {
  const type = defineAdmission(calls());
  const refused = (text: string) => {
    const verdict = assembled(text, type);
    return verdict.ok ? 'accepted' : verdict.diagnostics[0]!.code;
  };

  it('holds programs to the context', () => {
    expect(refused('r0 = *(u32 *)(r1 + 0)\nr0 &= 1\nexit\n')).toBe('accepted');
    expect(refused('*(u32 *)(r1 + 12) = 5\nr0 = 0\nexit\n')).toBe('accepted');
    expect(refused('*(u32 *)(r1 + 0) = 5\nr0 = 0\nexit\n')).toBe('context-out-of-bounds');
    expect(refused('r0 = *(u16 *)(r1 + 0)\nr0 = 0\nexit\n')).toBe('context-out-of-bounds');
    expect(refused('r0 = *(u64 *)(r1 + 24)\nr0 = 0\nexit\n')).toBe('context-out-of-bounds');
  });

  it('holds them to the results and contracts of helpers', () => {
    expect(refused('r0 = *(u32 *)(r1 + 0)\nexit\n')).toBe('return-value');
    expect(refused('r1 = 1\nr2 = 2\ncall 70001\nexit\n')).toBe('accepted');
    expect(refused('r1 = r10\nr2 = 2\ncall 70001\nexit\n')).not.toBe('accepted');
    expect(refused('r1 = r10\nr1 += -8\nr2 = 9\nr3 = 0\ncall 70000\nr0 = 0\nexit\n')).not.toBe(
      'accepted',
    );
    expect(refused('r1 = 1\nr2 = 2\ncall 70000\nr0 = 0\nexit\n')).not.toBe('accepted');
    // Neither the context nor unwritten stack are bytes to be read.
    expect(refused('r2 = 8\nr3 = 0\ncall 70000\nr0 = 0\nexit\n')).not.toBe('accepted');
    const stack = 'r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall 70000\nr0 = 0\nexit\n';
    expect(refused(stack)).not.toBe('accepted');
    expect(refused(`*(u64 *)(r10 - 8) = 0\n${stack}`)).toBe('accepted');
    expect(refused('call 70002\nr0 = 0\nexit\n')).toBe('helper-unknown');
    expect(refused('call 9\nr0 = 0\nexit\n')).toBe('helper-unknown');
  });
});

describe('a helper that fails', () => {
  const failing = (quota: Calls['quota']) => {
    const host = calls(quota);
    const type = defineAdmission(host);
    return { type, host };
  };

  it.each([
    [
      'throws',
      (() => {
        throw new Error('no database');
      }) as Calls['quota'],
      'no database',
    ],
    ['answers what its contract excludes', () => 2, 'it returned 2, outside 0 to 1'],
    ['answers later', (async () => 1) as never, 'it returned a promise'],
    ['answers no number', (() => 'yes') as never, 'it returned yes, not a whole number'],
  ])('and %s ends the run with a HelperError, on both engines', (_, quota, reason) => {
    const { type } = failing(quota);
    using native = load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    using observed = observe(proofOf(type));
    for (const extension of [native, observed]) {
      for (let i = 0; i < 3; i++) {
        expect(() => extension.run({ context: PUT })).toThrow(`helper quota: ${reason}`);
        expect(() => extension.test({ context: PUT })).toThrow(HelperError);
        expect(extension.run({ context: GET })).toBe(1);
      }
    }
    // The program ran on to its end: what it wrote stays.
    expect(native.maps.requests!.get(7)).toBe(9);
  });

  it('cannot use what its run is using', () => {
    let extension: ReturnType<typeof openAny>;
    const tries: string[] = [];
    const attempt = (what: () => unknown) => {
      try {
        what();
      } catch (error) {
        tries.push((error as Error).message);
      }
    };
    const { type } = failing(() => {
      attempt(() => extension.run({ context: GET }));
      attempt(() => extension.close());
      attempt(() => extension.test({ context: GET }));
      return 1;
    });
    function openAny() {
      return load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    }
    extension = openAny();
    using other = openAny();
    expect(extension.run({ context: PUT })).toBe(1);
    expect(tries).toEqual(new Array(3).fill(expect.stringContaining('admit is running')));
    expect(other.run({ context: GET })).toBe(1);
    extension.close();
  });
});

describe('bytes', () => {
  const seen: Uint8Array[] = [];
  let answer: (bytes: Uint8Array) => void = () => {};
  const type = defineProgramType({
    name: 'bytes',
    context: {
      fields: { start: { type: 'packet', offset: 0 }, end: { type: 'packet-end', offset: 8 } },
    },
    helpers: {
      change: {
        id: 70000,
        arguments: [{ bytes: 8, access: 'read-write' }],
        run: (bytes) => {
          seen.push(bytes.slice());
          answer(bytes);
        },
      },
      fill: {
        id: 70001,
        arguments: [{ bytes: 'sized', access: 'write' }],
        run: (bytes) => {
          seen.push(bytes.slice());
          answer(bytes);
        },
      },
    },
  });
  const STACK = 'r2 = 0x1122334455667788 ll\n*(u64 *)(r10 - 8) = r2\nr1 = r10\nr1 += -8\n';
  const proven = (text: string) => {
    const verdict = assembled(text, type);
    if (!verdict.ok) throw new Error(verdict.diagnostics[0]!.message);
    return verdict.proof;
  };
  const run = (text: string, packet = new Uint8Array(16)) => {
    using native = load(compile(proven(text)), { lifetime: 'replaceable' });
    using observed = observe(proven(text));
    const a = native.test({ packet });
    const b = observed.test({ packet });
    expect({ r0: b.r0, packet: b.packet }).toEqual({ r0: a.r0, packet: a.packet });
    return a;
  };

  it('go there and back', () => {
    answer = (bytes) => bytes.reverse();
    const { r0 } = run(`${STACK}call 70000\nr0 = *(u64 *)(r10 - 8)\nexit\n`);
    expect(r0).toBe(0x8877665544332211n);
    expect(Buffer.from(seen.at(-1)!).toString('hex')).toBe('8877665544332211');
  });

  it('that are only written start as zeros, and are zeros where the function took them away', () => {
    answer = () => {};
    const text = `${STACK}r2 = 8\ncall 70001\nr0 = *(u64 *)(r10 - 8)\nexit\n`;
    expect(run(text).r0).toBe(0n);
    expect([...seen.at(-1)!]).toEqual(new Array(8).fill(0));
    answer = (bytes) => structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    expect(run(text).r0).toBe(0n);
    expect(run(`${STACK}call 70000\nr0 = *(u64 *)(r10 - 8)\nexit\n`).r0).toBe(0x1122334455667788n);
  });

  it('may lie in the packet', () => {
    answer = (bytes) => bytes.fill(9);
    const text = `r2 = *(u64 *)(r1 + 0)\nr3 = *(u64 *)(r1 + 8)\nr4 = r2\nr4 += 8\nr0 = 0
      if r4 > r3 goto +3\nr1 = r2\ncall 70000\nr0 = 1\nexit\n`;
    expect(run(text).packet).toEqual(
      Uint8Array.of(...new Array(8).fill(9), ...new Array(8).fill(0)),
    );
    using native = load(compile(proven(text)), { lifetime: 'replaceable' });
    const bytes = new Uint8Array(32);
    const results = native.runBatch(bytes, Uint32Array.of(0, 4), Uint32Array.of(16, 4));
    expect([...results]).toEqual([1, 0]);
    expect(bytes.some((byte) => byte !== 0)).toBe(false);
  });
});

describe('bad definitions', () => {
  const field = (fields: object, sizeBytes?: number) => () =>
    defineProgramType({
      name: 'bad',
      context: { fields, ...(sizeBytes === undefined ? {} : { sizeBytes }) } as never,
    });
  const helper =
    (helper: object, name = 'help') =>
    () =>
      defineProgramType({
        name: 'bad',
        context: { fields: {} },
        helpers: { [name]: { id: 70000, arguments: [], run: () => 0, ...helper } } as never,
      });

  it.each([
    [
      'overlap',
      field({ a: { type: 'u64', offset: 0 }, b: { type: 'u32', offset: 4 } }),
      "'b' overlaps 'a'",
    ],
    [
      'lie beyond',
      field({ a: { type: 'u64', offset: 8 } }, 8),
      'ends at byte 16, beyond the 8 bytes',
    ],
    [
      'are misaligned',
      field({ a: { type: 'u32', offset: 2 } }),
      'offset 2 is no multiple of its 4',
    ],
    [
      'have no type',
      field({ a: { type: 'u24', offset: 0 } }),
      "there is no type 'u24'; there is u8",
    ],
    ['have no such access', field({ a: { type: 'u8', offset: 0, access: 'rw' } }), "not 'rw'"],
    [
      'name no contract',
      helper({ arguments: ['pointer'] }),
      'argument 1: there is no contract "pointer"',
    ],
    [
      'take six registers',
      helper({ arguments: ['bytes', 'bytes', 'u8', 'u8'] }),
      'take 6 registers',
    ],
    ['return nonsense', helper({ returns: { min: 2, max: 1 } }), "it returns 'void'"],
    ['use a number of Linux', helper({ id: 1 }), 'begin at 65536'],
    ['have no function', helper({ run: 5 }), "has no function 'run'"],
    ['are no C', helper({}, 'a-b'), 'no identifier of C'],
  ])('are refused when they %s', (_, define, message) => {
    expect(define).toThrow(message);
  });

  it('are refused when names are taken or mean nothing', () => {
    const named =
      (name: string, more: object = {}) =>
      () =>
        defineProgramType({ name, context: { fields: {} }, ...more } as never);
    expect(named('xdp')).toThrow("'xdp' is a program type already");
    expect(named('a b')).toThrow('no name for a program type');
    expect(named('a', { builtins: ['bpf_map_lookup'] })).toThrow("no helper 'bpf_map_lookup'");
    expect(named('a', { builtins: ['bpf_override_return'] })).toThrow('for kernel programs');
    expect(named('a', { limits: { stackBytes: 1024 } })).toThrow('from 1 to 512');
    const two = {
      x: { id: 70000, builtin: 'bpf_ktime_get_ns' },
      y: { id: 70000, builtin: 'bpf_ktime_get_ns' },
    };
    expect(named('a', { aliases: two })).toThrow("'x' and 'y' are both 70000");
  });

  it('cannot be faked', () => {
    const type = defineAdmission(calls());
    const [program] = readObject(Uint8Array.from(readFileSync(OBJECT)), 'admission.bpf.o');
    const fake = Object.create(Object.getPrototypeOf(type));
    expect(() => verify(program!, { programType: fake })).toThrow('what defineProgramType() made');
    expect(Object.keys(type)).toEqual([]);
    expect(() =>
      (ProgramType as unknown as { partsOf: (...of: unknown[]) => void }).partsOf({}, type),
    ).toThrow('not for everybody');
    expect(() => new ProgramType({} as never, {} as never)).toThrow('defineProgramType() only');
    const other = defineAdmission(calls());
    expect(() => load(compile(proofOf(type)), { programType: other })).toThrow('was not proven as');
  });
});

describe('builtins', () => {
  it('can be had under names of one’s own, or not at all', () => {
    const type = defineProgramType({
      name: 'clock',
      context: { fields: {} },
      builtins: [],
      aliases: { now: { id: 70000, builtin: 'bpf_ktime_get_ns' } },
    }) as unknown as ProgramType<unknown>;
    const verdict = assembled('call 70000\nexit\n', type);
    if (!verdict.ok) throw new Error('refused');
    const environment = { time: { nanoseconds: 1234 } };
    using native = load(compile(verdict.proof), { lifetime: 'replaceable', environment });
    using observed = observe(verdict.proof, { environment });
    expect([native.run({}), observed.run({})]).toEqual([1234, 1234]);
    const other = assembled('call 5\nr0 = 0\nexit\n', type);
    expect(other.ok).toBe(false);
  });
});

describe('replacing and sharing', () => {
  it('keeps to programs of the definition', () => {
    const type = defineAdmission(calls());
    using extension = load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    const verdict = assembled('r0 = 0\nexit\n', type as ProgramType<unknown>);
    if (!verdict.ok) throw new Error('refused');
    extension.run({ context: GET });
    expect(() =>
      replace(extension as never, compile(verdict.proof), { lifetime: 'replaceable' }),
    ).not.toThrow();
    expect(extension.run({ context: GET })).toBe(0);
    expect(extension.maps.requests!.get(7)).toBe(1);
    const foreign = defineProgramType({ name: 'foreign', context: { sizeBytes: 24, fields: {} } });
    const other = assembled('r0 = 0\nexit\n', foreign as unknown as ProgramType<unknown>);
    if (!other.ok) throw new Error('refused');
    expect(() => replace(extension as never, compile(other.proof))).toThrow('cannot replace');
  });

  it('survives the end of a thread inside a helper', async () => {
    const outfile = join(ROOT, 'build/test-defined/worker.mjs');
    await build({
      ...{ entryPoints: [join(import.meta.dirname, 'stuck-worker.ts')], outfile, bundle: true },
      ...{ platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
    });
    const type = defineAdmission(calls());
    using extension = load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    const inside = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(pathToFileURL(outfile), {
      workerData: { shared: extension.share(), inside },
    });
    while (Atomics.load(inside, 0) === 0) await new Promise((go) => setTimeout(go, 5));
    await worker.terminate();
    expect(extension.run({ context: PUT })).toBe(1);
    expect(extension.maps.requests!.get(1)).toBe(1);
  });

  it('needs the definition where helpers are JavaScript', () => {
    const host = calls(() => 0);
    const type = defineAdmission(host);
    using extension = load(compile(proofOf(type)), { programType: type, lifetime: 'replaceable' });
    const shared = structuredClone(extension.share());
    expect(() => openShared(shared)).toThrow('give the definition of admission');
    const mine = calls(() => 1);
    using opened = openShared(shared, { programType: defineAdmission(mine) });
    expect([extension.run({ context: PUT }), opened.run({ context: PUT })]).toEqual([0, 1]);
    const other = defineProgramType({ name: 'other', context: { fields: {} } });
    expect(() => openShared(shared, { programType: other })).toThrow('is not of the type other');
  });
});

it('has a header in C', () => {
  const text = headerOf(defineAdmission(calls()));
  expect(text).toBe(readFileSync(join(import.meta.dirname, 'admission.h'), 'utf8'));
  expect(Worker).toBeDefined();
});
