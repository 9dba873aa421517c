/** What a column of a source line stands for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  argumentsOf,
  assignedName,
  baseVariable,
  expressionAt,
  expressionText,
  indexOf,
  withoutCasts,
} from '../../../verifier/diagnose/c-text.ts';

/** The column of the mark, and the line without it. */
function marked(line: string): readonly [string, number] {
  const at = line.indexOf('@');
  return [line.slice(0, at) + line.slice(at + 1), at + 1];
}

describe('expressionText', () => {
  it.each([
    ['  return eth->@h_proto == htons(1) ? A : B;', 'eth->h_proto'],
    ['  *value @+= 1;', '*value += 1'],
    ['  char *cur = (char *)data @+ len; /* len */', '(char *)data + len'],
    ['  if (data + sizeof(eth) @> data_end)', 'data + sizeof(eth) > data_end'],
    ['  @if (data + 1 > end) return 0;', 'data + 1 > end'],
    ['  @return skb->len;', 'skb->len'],
    ['  @return;', 'return'],
    ['  int n = @lookup(&counts, &key);', 'lookup(&counts, &key)'],
    ['  return @a->e[i] ? A : B;', 'a->e[i]'],
    ['  @for (int i = 0; i < 3; i++) {', 'for (int i = 0; i < 3; i++)'],
    ['  f("a;b", @x); // twice', 'x'],
    ['@}', '}'],
  ])('%s', (line, expected) => {
    expect(expressionText(...marked(line))).toBe(expected);
  });

  it('answers within any line, at any column', () => {
    const line = fc.string({ unit: fc.constantFrom(...'ab1 ()[]{}->.*&=<>!+,;"\'/?') });
    fc.assert(
      fc.property(line, fc.integer({ min: 1, max: 60 }), (text, column) => {
        const { from, to } = expressionAt(text, column);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeGreaterThan(from);
        assignedName(text, column);
        indexOf(text);
        baseVariable(text);
        argumentsOf(text, 'a');
        withoutCasts(text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('assignedName', () => {
  it.each([
    ['  __u64 *value = @lookup(&counts, &key);', 'value'],
    [
      '  void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->@data_end;',
      'data_end',
    ],
    ['  void *data = (void *)(long)ctx->@data, *data_end = (void *)(long)ctx->data_end;', 'data'],
    ['  len @&= 0x7ff;', 'len'],
    ['  *s = @next[1];', undefined],
    ['  e->size = @1;', undefined],
    ['  return @x == 1;', undefined],
  ])('%s', (line, expected) => {
    expect(assignedName(...marked(line))).toBe(expected);
  });
});

describe('parts of expressions', () => {
  it('finds the variable behind an access', () => {
    expect(baseVariable('eth->h_proto')).toBe('eth');
    expect(baseVariable('*(struct key *)(p + 4)')).toBe('p');
    expect(baseVariable('a->e[i]')).toBe('a');
  });

  it('finds the last index', () => {
    expect(indexOf('next[*s & 3]')).toBe('*s & 3');
    expect(indexOf('plain')).toBeUndefined();
  });

  it('finds the arguments of a call', () => {
    const line = '  bpf_probe_read_user(buf, len, (void *)ctx[3]);';
    const passed = argumentsOf(line, 'bpf_probe_read_user');
    expect(passed).toEqual(['buf', 'len', '(void *)ctx[3]']);
    expect(withoutCasts(passed?.[2] ?? '')).toBe('ctx[3]');
    expect(argumentsOf(line, 'other')).toBeUndefined();
  });
});
