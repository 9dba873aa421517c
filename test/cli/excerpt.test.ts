/** How far the carets reach, and how excerpts line up. */
import { describe, expect, it } from 'vitest';
import { excerpt, expressionLength } from '../../cli/report/index.ts';

const reach = (text: string, column: number) =>
  text.slice(column - 1, column - 1 + expressionLength(text, column));

describe('expressionLength', () => {
  it.each([
    ['    *value += 1;', 5, '*value += 1'],
    ['  if (data + sizeof(eth) > data_end) return 0;', 7, 'data + sizeof(eth) > data_end'],
    ['  return eth->h_proto == htons(1) ? A : B;', 10, 'eth->h_proto == htons(1)'],
    ['  f("a;b", x); // twice', 3, 'f("a;b", x)'],
    ['}', 1, '}'],
  ])('%s', (text, column, expected) => {
    expect(reach(text, column)).toBe(expected);
  });

  it('ends for any text and column', () => {
    for (const text of ['', '"', '((', 'a\\', "'x"]) expect(expressionLength(text, 40)).toBe(1);
  });
});

describe('excerpt', () => {
  it('puts carets under tabs as tabs', () => {
    const span = {
      instruction: 1,
      file: 'a.c',
      line: 3,
      column: 2,
      text: '\tx = *p;',
      label: 'here',
    };
    expect(excerpt(span, [])).toEqual([' 3 | \tx = *p;', '   | \t^^^^^^ here']);
  });
});
