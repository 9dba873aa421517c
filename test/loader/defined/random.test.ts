/**
 * Random definitions and programs of them: every readable field is mixed into a number, helpers in
 * JavaScript take part, every writable field is written. Both engines must answer what a plain model
 * in BigInt answers.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assembleProgram } from '../../../isa/index.ts';
import { compile } from '../../../jit/index.ts';
import { load } from '../../../loader/index.ts';
import { defineProgramType } from '../../../platform/index.ts';
import { observe } from '../../../testing/index.ts';
import { verify } from '../../../verifier/index.ts';

const TYPES = { u8: 1, u16: 2, u32: 4, u64: 8, s8: 1, s16: 2, s32: 4, s64: 8 } as const;
type Type = keyof typeof TYPES;

interface Field {
  readonly name: string;
  readonly type: Type;
  readonly offset: number;
  readonly access: 'read' | 'write' | 'read-write';
  readonly value: bigint;
}

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const isSigned = (type: Type) => type.startsWith('s');
const narrow = (type: Type, value: bigint) =>
  isSigned(type) ? BigInt.asIntN(TYPES[type] * 8, value) : BigInt.asUintN(TYPES[type] * 8, value);

/** Fields one after the other, each aligned, with gaps. */
const fieldsOf = fc
  .array(
    fc.record({
      type: fc.constantFrom(...(Object.keys(TYPES) as Type[])),
      gap: fc.integer({ min: 0, max: 9 }),
      access: fc.constantFrom('read' as const, 'write' as const, 'read-write' as const),
      value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) => {
    let at = 0;
    return list.map(({ type, gap, access, value }, i): Field => {
      const size = TYPES[type];
      const offset = Math.ceil((at + gap) / size) * size;
      at = offset + size;
      return { name: `f${i}`, type, offset, access, value: narrow(type, value) };
    });
  });

const mix = (a: bigint, b: bigint) => u64(a * 31n + b);

/** r6: context, r7: the number. Fields are loaded without sign, as they are in the context. */
function programFor(fields: readonly Field[]): string {
  const lines = ['r6 = r1', 'r7 = 1'];
  for (const { type, offset, access } of fields) {
    const place = `*(u${TYPES[type] * 8} *)(r6 + ${offset})`;
    if (access !== 'write') lines.push(`r1 = r7`, `r2 = ${place}`, 'call 70000', 'r7 = r0');
    if (access !== 'read') lines.push(`${place} = r7`);
  }
  return [...lines, 'r0 = r7', 'exit', ''].join('\n');
}

function model(fields: readonly Field[]) {
  const after: Record<string, bigint> = {};
  let number = 1n;
  for (const { name, type, access, value } of fields) {
    after[name] = value;
    if (access !== 'write') number = mix(number, BigInt.asUintN(TYPES[type] * 8, value));
    if (access !== 'read') after[name] = narrow(type, number);
  }
  return { r0: number, after };
}

it('means the same natively, interpreted and on paper', () => {
  fc.assert(
    fc.property(fieldsOf, (fields) => {
      const spec = fields.map(({ name, type, offset, access }) => [name, { type, offset, access }]);
      const programType = defineProgramType({
        name: 'random',
        context: { fields: Object.fromEntries(spec) },
        helpers: { mix: { id: 70000, arguments: ['u64', 'u64'], returns: 'u64', run: mix } },
      });
      const program = assembleProgram(programFor(fields), 'random.s', new Map());
      const verdict = verify(program, { programType });
      if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
      const context = Object.fromEntries(fields.map(({ name, value }) => [name, value]));
      const { r0, after } = model(fields);
      using native = load(compile(verdict.proof, { check: 'on' }), { lifetime: 'replaceable' });
      for (const engine of [native, observe(verdict.proof)]) {
        const report = engine.test({ context });
        expect(report.r0).toBe(r0);
        const fieldsAfter = programType.decode(report.context!) as Record<string, number | bigint>;
        for (const { name } of fields) expect(BigInt(fieldsAfter[name]!)).toBe(after[name]);
      }
    }),
    { numRuns: 60 },
  );
});
