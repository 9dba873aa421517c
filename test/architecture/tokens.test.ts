/** Only proven code is compiled, only compiled code is loaded: every way around it must fail. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  compile,
  type Extension,
  load,
  NativeCode,
  ProvenProgram,
  readObject,
  verify,
} from '../../index.ts';

const file = new URL('../../programs/samples/firewall.bpf.o', import.meta.url).pathname;
const [program] = readObject(readFileSync(file), file);
const verdict = verify(program!, { profile: 'linux-6.18' });
if (!verdict.ok) throw new Error('the firewall sample must be accepted');
const { proof } = verdict;
const code = compile(proof);

/** Everything that looks like `token` without being one. */
function forgeries(token: object): [string, unknown][] {
  const prototype = Object.getPrototypeOf(token) as {
    constructor: new (...args: unknown[]) => object;
  };
  const fields = Object.getOwnPropertyNames(prototype);
  return [
    ['nothing', undefined],
    [
      'a plain look-alike',
      Object.fromEntries(fields.map((name) => [name, Reflect.get(token, name)])),
    ],
    ['its prototype', prototype],
    ['an object with its prototype', Object.create(prototype)],
    ['a token behind a proxy', new Proxy(token, {})],
    ['an object that inherits from a token', Object.create(token)],
    ['its structured clone', structuredCloneOrNothing(token)],
  ];
}

function structuredCloneOrNothing(token: object): unknown {
  try {
    return structuredClone(token);
  } catch {
    return undefined;
  }
}

describe('a proof', () => {
  it.each(forgeries(proof))('is not %s', (_, forged) => {
    expect(ProvenProgram.is(forged)).toBe(false);
    expect(() => compile(forged as ProvenProgram)).toThrow(TypeError);
  });

  it('is not a program, nor a verdict', () => {
    expect(() => compile(program as unknown as ProvenProgram)).toThrow(TypeError);
    expect(() => compile(verdict as unknown as ProvenProgram)).toThrow(TypeError);
  });

  it('cannot be constructed, subclassed or patched', () => {
    const Constructor = proof.constructor as new (...args: unknown[]) => object;
    expect(() => new Constructor(program)).toThrow(TypeError);
    expect(() => Reflect.construct(Constructor, [Symbol('key'), program])).toThrow(TypeError);
    class Sub extends Constructor {}
    expect(() => new Sub(program)).toThrow(TypeError);
    expect(Object.isFrozen(proof)).toBe(true);
    expect(Object.isFrozen(Constructor)).toBe(true);
    expect(Object.isFrozen(Constructor.prototype)).toBe(true);
  });

  it('does not share memory with its caller', () => {
    proof.program.code.fill(0);
    program!.code.fill(0);
    expect(compile(proof).code).toEqual(code.code);
  });
});

describe('native code', () => {
  it.each(forgeries(code))('is not %s', (_, forged) => {
    expect(NativeCode.is(forged)).toBe(false);
    expect(() => load(forged as NativeCode)).toThrow(TypeError);
  });

  it('cannot be constructed or changed', () => {
    const Constructor = code.constructor as new (...args: unknown[]) => object;
    expect(() => new Constructor({ code: new Uint8Array([0xc3]) })).toThrow(TypeError);
    const before = code.code;
    code.code.fill(0xcc);
    expect(code.code).toEqual(before);
    expect(() => (code.relocations as unknown[]).push({})).toThrow(TypeError);
  });
});

describe('an extension', () => {
  it('cannot be constructed', () => {
    const extension = load(code, { lifetime: 'replaceable' });
    const Constructor = extension.constructor as new (...args: unknown[]) => Extension;
    expect(() => new Constructor(code)).toThrow(TypeError);
    expect(() => extension.run.call(Object.create(Constructor.prototype), {})).toThrow(TypeError);
    extension.close();
    expect(() => extension.run({ packet: new Uint8Array(64) })).toThrow(TypeError);
  });
});
