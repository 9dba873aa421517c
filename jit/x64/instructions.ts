/**
 * The machine instructions that the x64 target can emit, one row each, in the notation of the Intel
 * manual (SDM volume 2, section 3.1.1): the operand text of the "Instruction" column is the row's
 * name and the "Opcode" column says how it is encoded, so that a reader can compare row and manual.
 * Encoder, printer, operand order for `select` and the tests against an independent decoder are all
 * derived from these rows.
 *
 * The third column is the use of each operand in order: r read, w written, u both ("updated"). The
 * fourth names registers that the text does not mention, in the same letters.
 */

import { InternalError } from '../../isa/index.ts';
import type { Flow, MachRow } from '../mach/types.ts';
import type { RegisterWidth } from './registers.ts';
import { RAX, RCX, RDX } from './registers.ts';

export type Access = 'r' | 'w' | 'u';

/** One operand of the text, and where the encoding has it. */
export type Spec =
  | {
      /** `reg`: ModRM.reg; `rm`: ModRM.r/m, register or memory; `plus`: low bits of the opcode. */
      readonly kind: 'reg' | 'rm' | 'plus';
      readonly access: Access;
      readonly width: RegisterWidth;
      /** `m` operands are memory only. */
      readonly memoryOnly: boolean;
    }
  | { readonly kind: 'imm'; readonly width: 8 | 16 | 32 | 64 }
  | { readonly kind: 'cl' }
  | { readonly kind: 'rel' };

export interface Implicit {
  readonly register: number;
  readonly access: Access;
}

export interface X64Row extends MachRow {
  readonly index: number;
  readonly mnemonic: string;
  readonly specs: readonly Spec[];
  readonly implicit: readonly Implicit[];
  /** Legacy prefixes in order (F0, 66, F3). */
  readonly prefixes: readonly number[];
  /** 8 with REX.W, else 0. */
  readonly rexW: number;
  /** Opcode bytes, escape bytes included. */
  readonly opcode: readonly number[];
  /** ModRM.reg as part of the opcode; -1: there is none. */
  readonly digit: number;
  readonly modrm: boolean;
  readonly immBytes: 0 | 1 | 2 | 4 | 8;
  /** The same instruction with a sign-extended imm8, or -1. */
  readonly imm8: number;
  /** Low four bits of the opcode of a conditional instruction, or -1. */
  readonly condition: number;
}

type Line = readonly [text: string, opcode: string, access: string, implicit?: string];

const WIDE = [
  ['32', ''],
  ['64', 'REX.W + '],
] as const;

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

/** add, or, adc, sbb, and, sub, xor, cmp: eight columns of the one-byte opcode map. */
function arithmetic(): Line[] {
  const operations = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
  return operations.flatMap((name, n): Line[] => {
    const first = name === 'cmp' ? 'r' : 'u';
    const base = n * 8;
    return [
      ...WIDE.flatMap(([w, rex]): Line[] => [
        [`${name} r/m${w}, r${w}`, `${rex}${hex(base + 1)} /r`, `${first} r`],
        [`${name} r${w}, r/m${w}`, `${rex}${hex(base + 3)} /r`, `${first} r`],
        [`${name} r/m${w}, imm8`, `${rex}83 /${n} ib`, `${first} r`],
        [`${name} r/m${w}, imm32`, `${rex}81 /${n} id`, `${first} r`],
      ]),
      [`${name} r/m8, r8`, `${hex(base)} /r`, `${first} r`],
      [`${name} r8, r/m8`, `${hex(base + 2)} /r`, `${first} r`],
      [`${name} r/m8, imm8`, `80 /${n} ib`, `${first} r`],
      [`${name} r/m16, r16`, `66 ${hex(base + 1)} /r`, `${first} r`],
      [`${name} r16, r/m16`, `66 ${hex(base + 3)} /r`, `${first} r`],
      [`${name} r/m16, imm8`, `66 83 /${n} ib`, `${first} r`],
      [`${name} r/m16, imm16`, `66 81 /${n} iw`, `${first} r`],
    ];
  });
}

function moves(): Line[] {
  return [
    ...WIDE.flatMap(([w, rex]): Line[] => [
      [`mov r/m${w}, r${w}`, `${rex}89 /r`, 'w r'],
      [`mov r${w}, r/m${w}`, `${rex}8B /r`, 'w r'],
      [`mov r/m${w}, imm32`, `${rex}C7 /0 id`, 'w r'],
      [`movzx r${w}, r/m8`, `${rex}0F B6 /r`, 'w r'],
      [`movzx r${w}, r/m16`, `${rex}0F B7 /r`, 'w r'],
      [`movsx r${w}, r/m8`, `${rex}0F BE /r`, 'w r'],
      [`movsx r${w}, r/m16`, `${rex}0F BF /r`, 'w r'],
      [`lea r${w}, m`, `${rex}8D /r`, 'w r'],
      [`xchg r/m${w}, r${w}`, `${rex}87 /r`, 'u u'],
      [`bswap r${w}`, `${rex}0F C8+rd`, 'u'],
    ]),
    ['movsxd r64, r/m32', 'REX.W + 63 /r', 'w r'],
    ['mov r/m8, r8', '88 /r', 'w r'],
    ['mov r/m16, r16', '66 89 /r', 'w r'],
    ['mov r/m8, imm8', 'C6 /0 ib', 'w r'],
    ['mov r/m16, imm16', '66 C7 /0 iw', 'w r'],
    ['mov r32, imm32', 'B8+rd id', 'w r'],
    ['mov r64, imm64', 'REX.W + B8+rd io', 'w r'],
    ['xchg r/m8, r8', '86 /r', 'u u'],
    ['xchg r/m16, r16', '66 87 /r', 'u u'],
    ['push r64', '50+rd', 'r'],
    ['pop r64', '58+rd', 'w'],
    ['push r/m64', 'FF /6', 'r'],
    ['pop r/m64', '8F /0', 'w'],
  ];
}

function unary(): Line[] {
  return WIDE.flatMap(([w, rex]): Line[] => [
    [`not r/m${w}`, `${rex}F7 /2`, 'u'],
    [`neg r/m${w}`, `${rex}F7 /3`, 'u'],
    [`inc r/m${w}`, `${rex}FF /0`, 'u'],
    [`dec r/m${w}`, `${rex}FF /1`, 'u'],
    [`test r/m${w}, r${w}`, `${rex}85 /r`, 'r r'],
    [`test r/m${w}, imm32`, `${rex}F7 /0 id`, 'r r'],
    [`bt r/m${w}, r${w}`, `${rex}0F A3 /r`, 'r r'],
    [`bt r/m${w}, imm8`, `${rex}0F BA /4 ib`, 'r r'],
    [`bsf r${w}, r/m${w}`, `${rex}0F BC /r`, 'w r'],
    [`bsr r${w}, r/m${w}`, `${rex}0F BD /r`, 'w r'],
  ]).concat([
    ['test r/m8, r8', '84 /r', 'r r'],
    ['test r/m8, imm8', 'F6 /0 ib', 'r r'],
    ['test r/m16, r16', '66 85 /r', 'r r'],
    ['test r/m16, imm16', '66 F7 /0 iw', 'r r'],
  ]);
}

/** Counts are taken modulo the width, as BPF wants it. */
function shifts(): Line[] {
  const operations = [
    ['rol', 0],
    ['ror', 1],
    ['shl', 4],
    ['shr', 5],
    ['sar', 7],
  ] as const;
  return operations.flatMap(([name, n]): Line[] => [
    ...WIDE.flatMap(([w, rex]): Line[] => [
      [`${name} r/m${w}, imm8`, `${rex}C1 /${n} ib`, 'u r'],
      [`${name} r/m${w}, cl`, `${rex}D3 /${n}`, 'u r', 'rcx:r'],
    ]),
    [`${name} r/m16, imm8`, `66 C1 /${n} ib`, 'u r'],
  ]);
}

function multiplication(): Line[] {
  return WIDE.flatMap(([w, rex]): Line[] => [
    [`imul r${w}, r/m${w}`, `${rex}0F AF /r`, 'u r'],
    [`imul r${w}, r/m${w}, imm8`, `${rex}6B /r ib`, 'w r r'],
    [`imul r${w}, r/m${w}, imm32`, `${rex}69 /r id`, 'w r r'],
    [`mul r/m${w}`, `${rex}F7 /4`, 'r', 'rax:u rdx:w'],
    [`imul r/m${w}`, `${rex}F7 /5`, 'r', 'rax:u rdx:w'],
    [`div r/m${w}`, `${rex}F7 /6`, 'r', 'rax:u rdx:u'],
    [`idiv r/m${w}`, `${rex}F7 /7`, 'r', 'rax:u rdx:u'],
  ]).concat([
    ['cdq', '99', '', 'rax:r rdx:w'],
    ['cqo', 'REX.W + 99', '', 'rax:r rdx:w'],
  ]);
}

/** SDM volume 3, section 9.2: locked instructions are a total order, what BPF atomics ask for. */
function atomics(): Line[] {
  const operations = [
    ['add', 0],
    ['or', 1],
    ['and', 4],
    ['sub', 5],
    ['xor', 6],
  ] as const;
  return WIDE.flatMap(([w, rex]): Line[] => [
    ...operations.flatMap(([name, n]): Line[] => [
      [`lock ${name} m${w}, r${w}`, `F0 ${rex}${hex(n * 8 + 1)} /r`, 'u r'],
      [`lock ${name} m${w}, imm8`, `F0 ${rex}83 /${n} ib`, 'u r'],
      [`lock ${name} m${w}, imm32`, `F0 ${rex}81 /${n} id`, 'u r'],
    ]),
    [`lock inc m${w}`, `F0 ${rex}FF /0`, 'u'],
    [`lock dec m${w}`, `F0 ${rex}FF /1`, 'u'],
    [`lock xadd m${w}, r${w}`, `F0 ${rex}0F C1 /r`, 'u u'],
    [`lock cmpxchg m${w}, r${w}`, `F0 ${rex}0F B1 /r`, 'u r', 'rax:u'],
  ]).concat([['mfence', '0F AE F0', '']]);
}

/** In the order of the condition's code, SDM volume 1, appendix B. A code and code ^ 1 are opposite. */
export const CONDITIONS = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;

function conditionals(): Line[] {
  return CONDITIONS.flatMap((condition, code): Line[] => [
    [`j${condition} rel32`, `0F ${hex(0x80 + code)} cd`, 'r'],
    [`set${condition} r/m8`, `0F ${hex(0x90 + code)} /0`, 'w'],
    ...WIDE.map(
      ([w, rex]): Line => [
        `cmov${condition} r${w}, r/m${w}`,
        `${rex}0F ${hex(0x40 + code)} /r`,
        'u r',
      ],
    ),
  ]);
}

function control(): Line[] {
  return [
    ['jmp rel32', 'E9 cd', 'r'],
    ['jmp r/m64', 'FF /4', 'r'],
    ['call rel32', 'E8 cd', 'r'],
    ['call r/m64', 'FF /2', 'r'],
    ['ret', 'C3', ''],
    ['ud2', '0F 0B', ''],
    ['int3', 'CC', ''],
    ['endbr64', 'F3 0F 1E FA', ''],
    ['pxor xmm, xmm/m128', '66 0F EF /r', 'u r'],
    ['movups m128, xmm', '0F 11 /r', 'w r'],
    ['entry', '', ''],
  ];
}

const LINES: readonly Line[] = [
  ...arithmetic(),
  ...moves(),
  ...unary(),
  ...shifts(),
  ...multiplication(),
  ...atomics(),
  ...conditionals(),
  ...control(),
];

const INDEX: ReadonlyMap<string, number> = new Map(LINES.map(([text], index) => [text, index]));

/** Number of the row called `text`, e.g. `add r64, r/m64`. */
export function rowOf(text: string): number {
  const index = INDEX.get(text);
  if (index === undefined) throw new InternalError('x64 instructions', `no row '${text}'`);
  return index;
}

const OPERAND_WIDTHS: Readonly<Record<string, RegisterWidth>> = {
  r8: 8,
  r16: 16,
  r32: 32,
  r64: 64,
  'r/m8': 8,
  'r/m16': 16,
  'r/m32': 32,
  'r/m64': 64,
  m: 64,
  m32: 32,
  m64: 64,
  m128: 128,
  xmm: 128,
  'xmm/m128': 128,
};
const IMMEDIATE_WIDTHS = { imm8: 8, imm16: 16, imm32: 32, imm64: 64 } as const;
const IMMEDIATE_BYTES = { ib: 1, iw: 2, id: 4, io: 8 } as const;
const IMPLICIT = { rax: RAX, rcx: RCX, rdx: RDX } as const;
const ACCESSES: readonly string[] = ['r', 'w', 'u'];

const isKey = <T extends object>(record: T, key: PropertyKey): key is keyof T =>
  Object.hasOwn(record, key);

function specOf(text: string, access: string | undefined, plus: boolean): Spec {
  if (text === 'cl') return { kind: 'cl' };
  if (text === 'rel32') return { kind: 'rel' };
  if (isKey(IMMEDIATE_WIDTHS, text)) return { kind: 'imm', width: IMMEDIATE_WIDTHS[text] };
  const width = OPERAND_WIDTHS[text];
  if (width === undefined || access === undefined || !ACCESSES.includes(access)) {
    throw new InternalError('x64 instructions', `operand '${text}' with access '${access}'`);
  }
  const memoryOnly = text.startsWith('m');
  const rm = memoryOnly || text.includes('/m');
  return { kind: rm ? 'rm' : plus ? 'plus' : 'reg', access: access as Access, width, memoryOnly };
}

const PREFIXES: readonly number[] = [0xf0, 0x66, 0xf3];

/** Reads the manual's opcode column. */
function parseOpcode(text: string) {
  const prefixes: number[] = [];
  const opcode: number[] = [];
  let rexW = 0;
  let digit = -1;
  let modrm = false;
  let plus = false;
  let immBytes: 0 | 1 | 2 | 4 | 8 = 0;
  for (const token of text.split(' ')) {
    if (token === 'REX.W') rexW = 8;
    else if (isKey(IMMEDIATE_BYTES, token)) immBytes = IMMEDIATE_BYTES[token];
    else if (token.startsWith('/')) {
      modrm = true;
      digit = token === '/r' ? -1 : Number(token.slice(1));
    } else if (/^[0-9A-F]{2}(\+rd)?$/.test(token)) {
      const byte = Number.parseInt(token, 16);
      plus ||= token.endsWith('+rd');
      (opcode.length === 0 && PREFIXES.includes(byte) ? prefixes : opcode).push(byte);
    } else if (token !== '' && token !== '+' && token !== 'cd') {
      throw new InternalError('x64 instructions', `opcode token '${token}'`);
    }
  }
  return { prefixes, opcode, rexW, digit, modrm, plus, immBytes };
}

function parseImplicit(text: string): Implicit[] {
  return text.split(' ').map((item) => {
    const [name, access] = item.split(':') as [keyof typeof IMPLICIT, Access];
    return { register: IMPLICIT[name], access };
  });
}

function flowOf(text: string): Flow {
  if (/^j[a-z]+ rel32$/.test(text)) return text.startsWith('jmp') ? 'jump' : 'branch';
  if (text === 'ret' || text === 'jmp r/m64') return 'return';
  if (text === 'ud2') return 'trap';
  return text.startsWith('call') ? 'call' : 'next';
}

/** Instructions whose register operands can be exchanged: their result is the same. */
const COMMUTATIVE = /^(add|or|and|xor|imul) r(32|64), r\/m\2$/;

function rowFrom([text, opcodeText, access, implicit]: Line, index: number): X64Row {
  const { plus, ...encoding } = parseOpcode(opcodeText);
  const lock = text.startsWith('lock ') ? 'lock ' : '';
  const [head = '', ...rest] = text.slice(lock.length).split(' ');
  const mnemonic = lock + head;
  const operands = rest.length === 0 ? [] : rest.join(' ').split(', ');
  const accesses = access.split(' ');
  const condition = /^(j|set|cmov)(n?[a-z]{1,2})$/.exec(mnemonic)?.[2];
  const code = (CONDITIONS as readonly string[]).indexOf(condition ?? '');
  const flow = flowOf(text);
  return Object.freeze({
    ...encoding,
    index,
    name: text,
    mnemonic,
    specs: operands.map((operand, i) => specOf(operand, accesses[i], plus)),
    implicit: implicit === undefined ? [] : parseImplicit(implicit),
    flow,
    inverse: flow === 'branch' ? rowOf(`j${CONDITIONS[code ^ 1]} rel32`) : -1,
    rematerialisable: /^(mov r(32|64), imm|lea r64, m)/.test(text),
    copy: text === 'mov r64, r/m64',
    commutative: COMMUTATIVE.test(text),
    imm8: text.endsWith('imm32') ? (INDEX.get(text.replace('imm32', 'imm8')) ?? -1) : -1,
    condition: code,
  });
}

export const ROWS: readonly X64Row[] = Object.freeze(LINES.map(rowFrom));
