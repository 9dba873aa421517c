/**
 * The grammar of BPF assembly, built from the texts of TABLE.
 *
 * Each row's text is split into tokens and threaded into a trie whose edges are literal tokens or
 * operands (a register, a number, a jump target, ...). Matching a line walks the trie, trying every
 * edge; the row at the end of the walk is the instruction. Where no walk gets further, the edges
 * tried at the furthest token are what was expected there, so error messages need no text of their
 * own. Lines are short and branches few, so trying every edge costs nothing.
 */

import { type Row, rowNamed, TABLE } from './table.ts';
import { type Token, tokenize } from './tokens.ts';

/** What an operand looks like, in the words of an error message. */
const OPERANDS = {
  r: 'a register r0 to r10',
  w: 'a register w0 to w10',
  // Loads, stores and atomics narrower than 64 bits are written with either.
  any: 'a register r0 to r10 or w0 to w10',
  number: 'a number',
  signed: 'an offset with a sign',
  target: 'a label or a signed number of slots',
  callee: 'a function name or number',
  name: 'a map name',
  symbol: 'the name of a map or function',
  optional: 'll or the end of the line',
} as const;
type OperandKind = keyof typeof OPERANDS;

/** The field that an operand fills. */
export type OperandField =
  | 'dst'
  | 'src'
  | 'off'
  | 'imm'
  | 'imm64'
  | 'high'
  | 'jump'
  | 'callee'
  | 'map'
  | 'symbol'
  | 'module'
  | 'space'
  | 'from'
  | 'll';

export interface Operand {
  readonly field: OperandField;
  readonly token: Token;
  readonly value: bigint | string;
}

export interface Match {
  readonly row: Row;
  readonly operands: readonly Operand[];
}

export interface Mismatch {
  readonly token: Token;
  readonly expected: readonly string[];
}

/** A literal token, or an operand of some kind that fills a field. */
interface Edge {
  readonly literal: string | undefined;
  readonly operand: OperandKind | undefined;
  readonly field: OperandField | undefined;
  readonly next: Node;
}

interface Node {
  readonly edges: Edge[];
  row: Row | undefined;
}

const ROOT: Node = { edges: [], row: undefined };

/** Texts that mean a row besides its own: what LLVM prints for it, and symbolic forms. */
const OTHER_TEXTS: readonly (readonly [string, string])[] = [
  ['ld_ind_u8', 'r0 = *(u8 *)skb[$src]'],
  ['ld_ind_u16', 'r0 = *(u16 *)skb[$src]'],
  ['ld_ind_u32', 'r0 = *(u32 *)skb[$src]'],
  ['constant_map', 'ld_pseudo $dst, 1, $imm'],
  ['constant_map_value', 'ld_pseudo $dst, 2, $imm'],
  ['constant_kernel_symbol', 'ld_pseudo $dst, 3, $imm'],
  ['constant_function', 'ld_pseudo $dst, 4, $imm'],
  ['constant_map_index', 'ld_pseudo $dst, 5, $imm'],
  ['constant_map_index_value', 'ld_pseudo $dst, 6, $imm'],
  ['constant_map', '$dst = map[$map] $ll'],
  ['constant_map_value', '$dst = map[$map][0] + $high $ll'],
  ['constant_function', '$dst = func[$callee]'],
  ['constant_map', '$dst = $symbol ll'],
  ['call_kfunc', 'call kernel-function $callee module $module'],
  ['atomic_cmpxchg32', 'r0 = cmpxchg32_32($dst $off, r0, $src)'],
];

/** Kind of a register operand: by width, and by whether it is an address. */
function registerKind(row: Row, isAddress: boolean, field: 'dst' | 'src'): OperandKind {
  if (isAddress) return 'r';
  switch (row.kind) {
    case 'load':
      return row.signed || row.sizeBytes === 8 ? 'r' : 'any';
    case 'store':
    case 'atomic':
      return row.sizeBytes === 8 ? 'r' : 'any';
    case 'packet':
      return 'r';
    default:
      return row.width === 32 && row[field] !== 'unused' ? 'w' : 'r';
  }
}

function operandKind(row: Row, placeholder: string, next: Token | undefined): OperandKind {
  switch (placeholder) {
    case '$dst':
    case '$src':
      return registerKind(row, next?.text === '$off', placeholder === '$dst' ? 'dst' : 'src');
    case '$off':
      return 'signed';
    case '$jump':
      return 'target';
    case '$callee':
      return 'callee';
    case '$map':
      return 'name';
    case '$symbol':
      return 'symbol';
    case '$ll':
      return 'optional';
    default:
      return 'number';
  }
}

function addText(row: Row, text: string): void {
  let node = ROOT;
  const tokens = tokenize(text);
  tokens.forEach((token, index) => {
    if (token.kind === 'end') return;
    const isOperand = token.kind === 'placeholder';
    const operand = isOperand ? operandKind(row, token.text, tokens[index + 1]) : undefined;
    const field = isOperand ? (token.text.slice(1) as OperandField) : undefined;
    node = edgeTo(node, isOperand ? undefined : token.text, operand, field).next;
  });
  node.row ??= row;
}

function edgeTo(
  node: Node,
  literal: string | undefined,
  operand: OperandKind | undefined,
  field: OperandField | undefined,
): Edge {
  const found = node.edges.find(
    (edge) => edge.literal === literal && edge.operand === operand && edge.field === field,
  );
  if (found) return found;
  const edge = { literal, operand, field, next: { edges: [], row: undefined } };
  node.edges.push(edge);
  return edge;
}

for (const row of TABLE) if (row.text !== '') addText(row, row.text);
for (const [name, text] of OTHER_TEXTS) addText(rowNamed(name), text);

/** Reads one instruction, which must end at the 'end' token. */
export function match(tokens: readonly Token[]): Match | Mismatch {
  const furthest = { at: 0, expected: new Set<string>() };
  const found = walk(ROOT, tokens, 0, [], furthest);
  return found ?? { token: tokens[furthest.at]!, expected: shortened(furthest.expected) };
}

/** Different rows want r, w or either in one place, some want r0: said once. */
function shortened(expected: ReadonlySet<string>): string[] {
  const { r, w, any } = OPERANDS;
  const both = expected.has(any) || (expected.has(r) && expected.has(w));
  const implied = new Set(both ? [r, w, any, "'r0'", "'w0'"] : []);
  const rest = [...expected].filter((what) => !implied.has(what));
  return both ? [any, ...rest] : rest;
}

function walk(
  node: Node,
  tokens: readonly Token[],
  at: number,
  operands: readonly Operand[],
  furthest: { at: number; expected: Set<string> },
): Match | undefined {
  const token = tokens[at]!;
  if (node.row) {
    if (token.kind === 'end') return { row: node.row, operands };
    expect(furthest, at, 'the end of the line');
  }
  for (const edge of node.edges) {
    if (edge.literal !== undefined) {
      if (sameLiteral(edge.literal, token)) {
        const found = walk(edge.next, tokens, at + 1, operands, furthest);
        if (found) return found;
      } else expect(furthest, at, `'${edge.literal}'`);
      continue;
    }
    const taken = take(edge.operand!, tokens, at);
    if (!taken) {
      expect(furthest, at, OPERANDS[edge.operand!]);
      continue;
    }
    const operand = { field: edge.field!, token, value: taken.value };
    const found = walk(edge.next, tokens, at + taken.count, [...operands, operand], furthest);
    if (found) return found;
  }
  return undefined;
}

/** A literal 1 in a text matches 0x1 in a line. */
function sameLiteral(literal: string, token: Token): boolean {
  if (token.kind === 'number' && /^\d/.test(literal)) return Number(token.text) === Number(literal);
  return token.text === literal;
}

function expect(furthest: { at: number; expected: Set<string> }, at: number, what: string): void {
  if (at < furthest.at) return;
  if (at > furthest.at) {
    furthest.at = at;
    furthest.expected.clear();
  }
  furthest.expected.add(what);
}

interface Taken {
  readonly count: number;
  readonly value: bigint | string;
}

/** Register names; everything else that looks like a word can be a symbol. */
const REGISTER = /^([rw])(10|[0-9])$/;

function take(kind: OperandKind, tokens: readonly Token[], at: number): Taken | undefined {
  const token = tokens[at]!;
  switch (kind) {
    case 'r':
    case 'w':
    case 'any': {
      const parts = REGISTER.exec(token.text);
      if (!parts || (kind !== 'any' && parts[1] !== kind)) return undefined;
      return { count: 1, value: BigInt(parts[2]!) };
    }
    case 'number':
      return takeNumber(tokens, at, 'optional');
    case 'signed':
      return takeNumber(tokens, at, 'required');
    case 'target':
      return takeNumber(tokens, at, 'required') ?? takeLabel(tokens, at);
    case 'callee':
      return takeNumber(tokens, at, 'optional') ?? takeLabel(tokens, at);
    case 'name':
      return takeName(token);
    case 'symbol':
      return REGISTER.test(token.text) ? undefined : takeName(token);
    case 'optional':
      return token.text === 'll' ? { count: 1, value: '' } : { count: 0, value: '' };
    default:
      return kind satisfies never;
  }
}

/** More digits than any field has, few enough that reading them takes no time. */
const LONGEST_NUMBER = 32;

function takeNumber(
  tokens: readonly Token[],
  at: number,
  sign: 'optional' | 'required',
): Taken | undefined {
  const text = tokens[at]!.text;
  const isSigned = text === '-' || text === '+';
  if (!isSigned && sign === 'required') return undefined;
  const digits = tokens[isSigned ? at + 1 : at]!;
  if (digits.kind !== 'number' || digits.text.length > LONGEST_NUMBER) return undefined;
  const value = BigInt(digits.text);
  return { count: isSigned ? 2 : 1, value: text === '-' ? -value : value };
}

function takeName(token: Token): Taken | undefined {
  return token.kind === 'word' ? { count: 1, value: token.text } : undefined;
}

/** `name`, or `<name>` as llvm-objdump --symbolize-operands writes it. */
function takeLabel(tokens: readonly Token[], at: number): Taken | undefined {
  if (tokens[at]!.text !== '<') return takeName(tokens[at]!);
  const name = takeName(tokens[at + 1]!);
  return name && tokens[at + 2]!.text === '>' ? { count: 3, value: name.value } : undefined;
}
