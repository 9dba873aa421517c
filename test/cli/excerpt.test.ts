/** Excerpts line up with their source lines, whatever stands in them. */
import { describe, expect, it } from 'vitest';
import { excerpt } from '../../cli/report/index.ts';

const span = { instruction: 1, file: 'a.c', line: 3, column: 2, label: 'here' };

describe('excerpt', () => {
  it('puts carets under tabs as tabs', () => {
    const marked = { ...span, text: '\tx = *p;', extent: { from: 2, to: 8 } };
    expect(excerpt(marked, [])).toEqual([' 3 | \tx = *p;', '   | \t^^^^^^ here']);
  });

  it('marks to the end of the line where no part is named', () => {
    expect(excerpt({ ...span, text: ' y++;' }, [])).toEqual([' 3 |  y++;', '   |  ^^^^ here']);
  });

  it('sorts lines and tells the main place from the others', () => {
    const first = { ...span, line: 12, text: 'b', extent: { from: 1, to: 2 }, label: '' };
    const other = { ...span, line: 2, text: 'a', extent: { from: 1, to: 2 }, label: 'from here' };
    expect(excerpt(first, [other])).toEqual(['  2 | a', '    | - from here', ' 12 | b', '    | ^']);
  });

  it('leaves out what lies in other files or has no line', () => {
    const bare = { instruction: 4, label: 'nowhere' };
    const far = { ...span, file: 'b.h', text: 'z', label: 'elsewhere' };
    const main = { ...span, text: 'x;', extent: { from: 1, to: 2 } };
    expect(excerpt(main, [bare, far])).toEqual([' 3 | x;', '   | ^ here']);
  });
});
