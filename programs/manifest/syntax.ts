/**
 * Where a text stops being JSON. JSON.parse says so for some errors and in some versions only, so
 * the grammar of RFC 8259 is walked again, token by token, once JSON.parse has refused.
 */

const SPACE = /[ \t\n\r]*/y;
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** Characters below this one stand in a string only as escapes. */
const FIRST_PRINTABLE = 0x20;

/** What may come next: a value, a value or `]`, a key, a key or `}`, `:`, or what follows a value. */
type Expectation = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'after';

function matchLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

/**
 * Length of the string literal at `at`, or 0. By hand: a pattern would need a stack as deep as the
 * string is long, and one string can hold a million instructions.
 */
function stringLength(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length) {
    const character = text[end];
    if (character === '"') return end + 1 - at;
    const length = character === '\\' ? matchLength(ESCAPE, text, end) : 1;
    if (length === 0 || text.charCodeAt(end) < FIRST_PRINTABLE) return 0;
    end += length;
  }
  return 0;
}

const scalarLength = (text: string, at: number) =>
  text[at] === '"' ? stringLength(text, at) : matchLength(LITERAL, text, at);

/** The closing brackets that are still owed, and what may come next. */
interface State {
  readonly open: string[];
  expected: Expectation;
}

/** Consumes one token at `at`; returns its length, or 0 where none fits. */
function step(state: State, text: string, at: number): number {
  const character = text[at];
  const { open, expected } = state;
  const close = open.at(-1);
  if (expected === 'colon') {
    state.expected = 'value';
    return character === ':' ? 1 : 0;
  }
  const mayClose = expected === 'after' || expected.startsWith('first');
  if (mayClose && close !== undefined && character === close) {
    open.pop();
    state.expected = 'after';
    return 1;
  }
  if (expected === 'after') {
    state.expected = close === '}' ? 'key' : 'value';
    return character === ',' && close !== undefined ? 1 : 0;
  }
  if (expected === 'key' || expected === 'first-key') {
    state.expected = 'colon';
    return character === '"' ? stringLength(text, at) : 0;
  }
  if (character === '{' || character === '[') {
    open.push(character === '{' ? '}' : ']');
    state.expected = character === '{' ? 'first-key' : 'first-value';
    return 1;
  }
  state.expected = 'after';
  return scalarLength(text, at);
}

/** Index of the first character at which `text` is not JSON; its length when it only ends early. */
export function syntaxErrorAt(text: string): number {
  const state: State = { open: [], expected: 'value' };
  let at = 0;
  while (true) {
    at += matchLength(SPACE, text, at);
    if (at >= text.length) return text.length;
    const length = step(state, text, at);
    if (length === 0) return at;
    at += length;
  }
}
