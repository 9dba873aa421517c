/**
 * Enough of C to speak in the programmer's own terms. Line info gives the text of a source line and
 * the column that an instruction came from; that is an operator, a member's name, a keyword. From
 * it the whole expression is found, the variable behind it, and the name that a value is given.
 *
 * A single line is all there is, and macros hide what they like: every answer is a guess for people
 * to read, and nothing is decided by it.
 */

export interface Token {
  readonly text: string;
  /** Offsets in the line: [start, end). */
  readonly start: number;
  readonly end: number;
}

/** Offsets in a line: [from, to). */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

const COMMENT = /\/\/.*|\/\*.*?(?:\*\/|$)/;
const LITERAL = /"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?/;
const WORD = /[A-Za-z_]\w*|\d[\w.]*/;
const OPERATOR = /->|<<=|>>=|\+\+|--|&&|\|\||<<|>>|[<>=!+\-*/%&|^]=|\S/;
const TOKEN = new RegExp(
  [COMMENT, LITERAL, WORD, OPERATOR].map((part) => part.source).join('|'),
  'g',
);

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    if (/^\/[/*]/.test(match[0])) continue;
    tokens.push({ text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

const OPENS = new Set(['(', '[', '{']);
const CLOSES = new Set([')', ']', '}']);
const PREFIXES = new Set(['*', '&', '!', '~', '-', '+', '++', '--', 'sizeof']);
const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);
/** Operators from the loosest to the tightest; assignments are looser than all. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const LEVEL: ReadonlyMap<string, number> = new Map(
  LEVELS.flatMap((operators, level) => operators.map((operator) => [operator, level])),
);
const isBinary = (text: string): boolean => LEVEL.has(text) || ASSIGNMENTS.has(text);
const TYPE_WORD =
  /^(struct|union|enum|void|char|int|long|short|unsigned|signed|const|volatile|bool|_Bool|__[us](8|16|32|64)|__be(16|32|64)|[us](8|16|32|64)|\w+_t)$/;
const STATEMENT_WORD = /^(if|while|for|switch|return|else|do|case|goto)$/;

const isWord = (token: Token | undefined): boolean =>
  token !== undefined && /^\w/.test(token.text) && !STATEMENT_WORD.test(token.text);
const endsOperand = (token: Token | undefined): boolean =>
  token !== undefined && (isWord(token) || /^[)\]"']/.test(token.text));

/** Index of the bracket that closes the one at `open`, or the last token. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (OPENS.has(tokens[i]!.text)) depth++;
    else if (CLOSES.has(tokens[i]!.text) && --depth === 0) return i;
  }
  return tokens.length - 1;
}

/** Index of the bracket that the one at `close` closes, or the first token. */
function opening(tokens: readonly Token[], close: number): number {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (CLOSES.has(tokens[i]!.text)) depth++;
    else if (OPENS.has(tokens[i]!.text) && --depth === 0) return i;
  }
  return 0;
}

/** Whether the brackets at `open` hold a type: a cast, unless nothing follows it. */
function isType(tokens: readonly Token[], open: number): boolean {
  const close = closing(tokens, open);
  const inner = tokens.slice(open + 1, close);
  if (inner.length === 0 || !inner.every(({ text }) => text === '*' || /^[A-Za-z_]/.test(text))) {
    return false;
  }
  return TYPE_WORD.test(inner[0]!.text) || (inner.length > 1 && inner.at(-1)!.text === '*');
}

/** Index of the last token of the operand that begins at token `i`. */
function operandEnd(tokens: readonly Token[], i: number): number {
  let at = i;
  while (at < tokens.length) {
    if (PREFIXES.has(tokens[at]!.text)) at++;
    else if (tokens[at]!.text === '(' && isType(tokens, at)) at = closing(tokens, at) + 1;
    else break;
  }
  if (at >= tokens.length) return tokens.length - 1;
  let end = OPENS.has(tokens[at]!.text) ? closing(tokens, at) : at;
  for (;;) {
    const after = tokens[end + 1]?.text;
    if (after === '[' || after === '(') end = closing(tokens, end + 1);
    else if (after === '.' || after === '->') end = Math.min(end + 2, tokens.length - 1);
    else if (after === '++' || after === '--') end++;
    else return end;
  }
}

/** Index of the first token of the operand that ends with token `i`. */
function operandStart(tokens: readonly Token[], i: number): number {
  let at = i;
  for (;;) {
    if (CLOSES.has(tokens[at]!.text)) at = opening(tokens, at);
    const before = tokens[at - 1];
    if (before === undefined) break;
    if (before.text === '.' || before.text === '->') at = Math.max(0, at - 2);
    else if (OPENS.has(tokens[at]!.text) && endsOperand(before) && before.text !== 'sizeof') at--;
    else break;
  }
  return withPrefixes(tokens, at);
}

function withPrefixes(tokens: readonly Token[], start: number): number {
  let at = start;
  for (;;) {
    const before = tokens[at - 1];
    if (before === undefined) return at;
    if (before.text === ')' && isType(tokens, opening(tokens, at - 1))) {
      at = opening(tokens, at - 1);
    } else if (PREFIXES.has(before.text) && !endsOperand(tokens[at - 2])) at--;
    else return at;
  }
}

const spanOf = (tokens: readonly Token[], first: number, last: number): Extent => ({
  from: tokens[first]!.start,
  to: tokens[Math.min(Math.max(first, last), tokens.length - 1)]!.end,
});

/** Index of the last token before a `;`, a `,` or a closing bracket of an outer level. */
function clauseEnd(tokens: readonly Token[], start: number): number {
  let at = start;
  while (at < tokens.length) {
    const { text } = tokens[at]!;
    if (text === ';' || text === ',' || text === '?' || CLOSES.has(text)) break;
    at = OPENS.has(text) ? closing(tokens, at) + 1 : at + 1;
  }
  return Math.max(start, at - 1);
}

/** The expression that 1-based `column` of the line stands for. */
export function expressionAt(text: string, column: number): Extent {
  const tokens = tokensOf(text);
  const offset = column - 1;
  const i = tokens.findIndex(({ end }) => end > offset);
  if (i < 0) return { from: Math.min(offset, text.length), to: Math.min(offset, text.length) + 1 };
  const token = tokens[i]!;
  if (STATEMENT_WORD.test(token.text)) return statementExtent(tokens, i);
  if (token.text === '}' || token.text === '{') return spanOf(tokens, i, i);
  if (isBinary(token.text) && endsOperand(tokens[i - 1])) return binaryExtent(tokens, i);
  const before = tokens[i - 1]?.text;
  const first = before === '->' || before === '.' ? operandStart(tokens, i) : i;
  return spanOf(tokens, first, operandEnd(tokens, i));
}

/** An operator with its operands, which tighter operators may make longer. */
function binaryExtent(tokens: readonly Token[], i: number): Extent {
  const level = LEVEL.get(tokens[i]!.text);
  if (level === undefined) {
    return spanOf(tokens, operandStart(tokens, i - 1), clauseEnd(tokens, i + 1));
  }
  let first = operandStart(tokens, i - 1);
  while (first > 1 && (LEVEL.get(tokens[first - 1]!.text) ?? -1) > level) {
    first = operandStart(tokens, first - 2);
  }
  let last = operandEnd(tokens, i + 1);
  while (last + 2 < tokens.length && (LEVEL.get(tokens[last + 1]!.text) ?? -1) > level) {
    last = operandEnd(tokens, last + 2);
  }
  return spanOf(tokens, first, Math.min(last, tokens.length - 1));
}

/** What a statement's keyword speaks of: the condition in brackets, or the value returned. */
function statementExtent(tokens: readonly Token[], i: number): Extent {
  const keyword = tokens[i]!.text;
  const open = i + 1;
  if (open >= tokens.length) return spanOf(tokens, i, i);
  if (keyword === 'for') return spanOf(tokens, i, closing(tokens, open));
  if (tokens[open]!.text === '(' && keyword !== 'return') {
    const close = closing(tokens, open);
    return spanOf(tokens, open + 1, close - 1);
  }
  if (keyword !== 'return' || tokens[open]!.text === ';') return spanOf(tokens, i, i);
  return spanOf(tokens, open, clauseEnd(tokens, open));
}

/** The condition in the brackets of the line's `if` or `while`, if it is a single comparison. */
export function conditionExtent(text: string): Extent | undefined {
  const tokens = tokensOf(text);
  const keyword = tokens.findIndex((token) => token.text === 'if' || token.text === 'while');
  if (keyword < 0 || tokens[keyword + 1]?.text !== '(') return undefined;
  const close = closing(tokens, keyword + 1);
  const inner = tokens.slice(keyword + 2, close);
  if (tokens[close]!.text !== ')' || inner.length === 0) return undefined;
  if (inner.some((token) => ['&&', '||', '?', '{'].includes(token.text))) return undefined;
  return { from: inner[0]!.start, to: inner.at(-1)!.end };
}

/** The text of the expression at 1-based `column`. */
export function expressionText(text: string, column: number): string {
  const { from, to } = expressionAt(text, column);
  return text.slice(from, to);
}

/** The name that the value computed at `column` is given: `len` of `int len = d->len;`. */
export function assignedName(text: string, column: number): string | undefined {
  const tokens = tokensOf(text);
  let name: string | undefined;
  let depth = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.start > column - 1 && name !== undefined) break;
    if (OPENS.has(token.text)) depth++;
    else if (CLOSES.has(token.text)) depth--;
    const isOuter = depth <= 0;
    if (token.text === ';' || token.text === '{' || (isOuter && token.text === ',')) {
      if (token.start >= column - 1) return undefined;
      name = undefined;
    }
    if (token.text === '++' || token.text === '--') {
      const word = isWord(tokens[i - 1]) ? tokens[i - 1]! : tokens[i + 1];
      const covers = token.start <= column - 1 && column - 1 < token.end;
      if (covers || word?.start === column - 1) return isWord(word) ? word!.text : undefined;
    }
    if (!ASSIGNMENTS.has(token.text) || !isWord(tokens[i - 1])) continue;
    name = isVariable(tokens, i - 1) ? tokens[i - 1]!.text : undefined;
  }
  return name;
}

/** Whether the word before an assignment is a variable: no member, and nothing behind a pointer. */
function isVariable(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1]?.text;
  if (before === '.' || before === '->') return false;
  return before !== '*' || isWord(tokens[i - 2]) || tokens[i - 2]?.text === ',';
}

/** The variable that an expression starts from: `eth` of `eth->h_proto`, `a` of `a->e[i]`. */
export function baseVariable(expression: string): string | undefined {
  const tokens = tokensOf(expression);
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.text === '(' && isType(tokens, i)) {
      i = closing(tokens, i);
      continue;
    }
    const isName = /^[A-Za-z_]/.test(tokens[i]!.text) && !TYPE_WORD.test(tokens[i]!.text);
    if (isName && isWord(tokens[i]) && tokens[i + 1]?.text !== '(') return tokens[i]!.text;
  }
  return undefined;
}

/** The index in the last `[...]` of an expression. */
export function indexOf(expression: string): string | undefined {
  const tokens = tokensOf(expression);
  const close = tokens.findLastIndex(({ text }) => text === ']');
  if (close < 0) return undefined;
  const open = opening(tokens, close);
  const inner = tokens.slice(open + 1, close);
  return inner.length === 0 ? undefined : expression.slice(inner[0]!.start, inner.at(-1)!.end);
}

/** The argument expressions of the first call of `name` in the line. */
export function argumentsOf(text: string, name: string): readonly string[] | undefined {
  const tokens = tokensOf(text);
  const at = tokens.findIndex((token, i) => token.text === name && tokens[i + 1]?.text === '(');
  if (at < 0) return undefined;
  const close = closing(tokens, at + 1);
  if (tokens[close]!.text !== ')') return undefined;
  const found: string[] = [];
  let from = at + 2;
  for (let i = at + 2; i <= close; i++) {
    const { text: symbol } = tokens[i]!;
    if (symbol === ',' || i === close) {
      if (i > from) found.push(text.slice(tokens[from]!.start, tokens[i - 1]!.end));
      from = i + 1;
    } else if (OPENS.has(symbol)) i = closing(tokens, i);
  }
  return found;
}

/** An expression as it is spoken of: casts in front are left out. */
export function withoutCasts(expression: string): string {
  const tokens = tokensOf(expression);
  let at = 0;
  while (at < tokens.length && tokens[at]!.text === '(' && isType(tokens, at)) {
    at = closing(tokens, at) + 1;
  }
  return at < tokens.length ? expression.slice(tokens[at]!.start) : expression;
}
