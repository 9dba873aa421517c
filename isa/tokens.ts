/**
 * Splits a line of BPF assembly into tokens.
 *
 * The same tokens serve two readers: the rows' `text`, from which the grammar is built, and what
 * people and llvm-objdump write. White space never matters, except that it ends a word.
 */

export type TokenKind = 'word' | 'number' | 'operator' | 'placeholder' | 'end' | 'unknown';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset in the line, from 0. */
  readonly at: number;
}

/**
 * Operators, longest first. The signed ones begin with a letter (`s>>=`), so they are tried before
 * words; `s` alone, or in `s8`, is not followed by such a character and stays a word.
 */
const OPERATOR =
  /s>>=|s\/=|s%=|s>=|s<=|s>|s<|<<=|>>=|==|!=|<=|>=|\+=|-=|\*=|\/=|\|=|&=|%=|\^=|[=()*[\],:+\-&<>|]/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[0-9]+/y;
const WORD = /[A-Za-z_.][\w.]*/y;
const PLACEHOLDER = /\$[a-z0-9]+/y;
const SPACE = /\s+/y;

const SCANNERS: readonly (readonly [TokenKind, RegExp])[] = [
  ['operator', OPERATOR],
  ['number', NUMBER],
  ['word', WORD],
  ['placeholder', PLACEHOLDER],
];

/** All tokens of `line`, then one of kind 'end'. Characters that start no token are 'unknown'. */
export function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    SPACE.lastIndex = at;
    if (SPACE.test(line)) {
      at = SPACE.lastIndex;
      continue;
    }
    const token = scan(line, at);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: '', at: line.length });
  return tokens;
}

function scan(line: string, at: number): Token {
  for (const [kind, pattern] of SCANNERS) {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match) return { kind, text: match[0], at };
  }
  return { kind: 'unknown', text: line[at]!, at };
}

/** Everything before a comment: `;`, `#` or `//`. Neither appears in an instruction. */
export function withoutComment(line: string): string {
  return line.replace(/(;|#|\/\/).*$/, '');
}

/** A token as an error message names it. */
export function describe(token: Token): string {
  return token.kind === 'end' ? 'the end of the line' : `'${abridge(token.text)}'`;
}

const LONGEST_QUOTE = 40;

/** Hostile input must not make the message as long as itself. */
export function abridge(text: string): string {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}...`;
}
