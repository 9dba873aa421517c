/**
 * Timers and work queues: what the calls answer, when callbacks run and in which order, natively and
 * on the reference engine alike.
 */
import { describe, expect, it } from 'vitest';
import type { TypedValue } from '../../btf/index.ts';
import { kernelRefusal, loadIntoKernel } from '../../hosts/index.ts';
import { createMap, type Extension, type ReferenceExtension } from '../../loader/index.ts';
import { clang, compileC } from '../support/c-programs.ts';
import { kernelBtf } from '../support/kernel-program.ts';
import { loadBoth } from './compiled.ts';

const DECLARATIONS = `
static long (*timer_init)(struct bpf_timer *, void *, u64) = (void *)169;
static long (*timer_set_callback)(struct bpf_timer *, void *) = (void *)170;
static long (*timer_start)(struct bpf_timer *, u64, u64) = (void *)171;
static long (*timer_cancel)(struct bpf_timer *) = (void *)172;
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) KSYM;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) KSYM;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (*callback)(void *map, int *key, void *value),
                                    unsigned int flags, void *aux) KSYM;
struct element { u64 count; struct bpf_timer timer; struct bpf_wq wq; u64 last; };
struct { u64 events[16]; u64 fired; s64 answers[16]; } seen;
static void note(u64 what) { seen.events[seen.fired & 15] = what; seen.fired++; }
`;

/** Fires three times, a microsecond apart; what it is called for goes to the log. */
const TICK = `
static int tick(void *map, u32 *key, struct element *element) {
  note(*key * 1000000 + now());
  element->count++;
  element->last = now();
  if (element->count < 3) timer_start(&element->timer, 1000, 0);
  else seen.answers[0] = timer_cancel(&element->timer);
  return 0;
}
static int job(void *map, int *key, void *value) { note(*key); return 0; }
`;

const START = (kind: number) => `
MAP(elements, ${kind}, 8, u32, struct element);
${TICK}
static int begin(u32 key) {
  struct element fresh = {};
  map_update(&elements, &key, &fresh, 0);
  struct element *element = map_lookup(&elements, &key);
  if (!element) return 1;
  seen.answers[1] = timer_set_callback(&element->timer, tick);
  seen.answers[2] = timer_init(&element->timer, &elements, 5);
  seen.answers[3] = timer_init(&element->timer, &elements, 1);
  seen.answers[4] = timer_init(&element->timer, &elements, 1);
  seen.answers[5] = timer_start(&element->timer, 1, 0);
  seen.answers[6] = timer_set_callback(&element->timer, tick);
  seen.answers[7] = timer_start(&element->timer, 1, 4);
  seen.answers[8] = timer_start(&element->timer, 10000 - key, 0);
  seen.answers[9] = timer_cancel(&element->timer);
  seen.answers[10] = timer_cancel(&element->timer);
  timer_start(&element->timer, 10000 - key, 0);
  seen.answers[11] = bpf_wq_start(&element->wq, 0);
  seen.answers[12] = bpf_wq_init(&element->wq, &elements, 0);
  seen.answers[13] = bpf_wq_set_callback_impl(&element->wq, job, 1, 0);
  bpf_wq_set_callback_impl(&element->wq, job, 0, 0);
  seen.answers[14] = bpf_wq_start(&element->wq, 1);
  seen.answers[15] = bpf_wq_start(&element->wq, 0);
  return 0;
}
SEC("tc") int start(void *ctx) { return begin(1) + begin(2) + begin(3); }
SEC("tc") int drop(void *ctx) {
  u32 key = 2;
  map_delete(&elements, &key);
  struct element fresh = {};
  key = 3;
  map_update(&elements, &key, &fresh, 0);
  return 0;
}
`;

const packet = new Uint8Array(64);
const time = { nanoseconds: 0 };

type Either = Extension | ReferenceExtension;
const variables = (extension: Either): DataView => {
  const map = Object.values(extension.maps).find(({ name }) => name.endsWith('.bss'))!;
  const bytes = map.get(new Uint8Array(4)) as Uint8Array;
  return new DataView(bytes.buffer, bytes.byteOffset);
};
const logOf = (extension: Either) => {
  const view = variables(extension);
  const fired = Number(view.getBigUint64(16 * 8, true));
  return Array.from({ length: fired }, (_, i) => Number(view.getBigUint64(i * 8, true)));
};
const answersOf = (extension: Either) =>
  Array.from({ length: 16 }, (_, i) =>
    Number(variables(extension).getBigInt64((17 + i) * 8, true)),
  );

function open(source: string, name: string) {
  const program = compileC(DECLARATIONS + source).find((each) => each.name === name)!;
  const engines = loadBoth(program, { environment: { time } });
  if (engines === undefined) throw new Error(`${name} is not accepted`);
  return engines;
}

describe.skipIf(clang === undefined)('timers and work queues', () => {
  it.each([
    ['hash', 1],
    ['lru_hash', 9],
    ['array', 2],
  ])('in a %s map', (_, kind) => {
    const { native, reference } = open(START(kind), 'start');
    for (const extension of [native, reference] as const) {
      expect(extension.run({ packet })).toBe(0);
      expect(answersOf(extension).slice(1)).toEqual([
        -22, -22, 0, -16, -22, 0, -22, 0, 1, 0, -22, 0, -22, -22, 0,
      ]);
      // Work first: it is due at once, in the order in which it was started.
      expect(extension.advance(0)).toBe(3);
      expect(logOf(extension)).toEqual([1, 2, 3]);
      expect(extension.advance(9996)).toBe(0);
      expect(extension.advance(1)).toBe(1);
      expect(extension.advance(3000)).toBe(8);
      expect(logOf(extension).slice(3)).toEqual([
        3_009_997, 2_009_998, 1_009_999, 3_010_997, 2_010_998, 1_010_999, 3_011_997, 2_011_998,
        1_011_999,
      ]);
      // EDEADLK: a timer cannot be cancelled from its own callback.
      expect(answersOf(extension)[0]).toBe(-35);
      expect(extension.advance(1_000_000)).toBe(0);
    }
    native.close();
  });

  it.skipIf(kernelRefusal() !== undefined)('are answered as the kernel answers', () => {
    const program = compileC(DECLARATIONS + START(1)).find((each) => each.name === 'start')!;
    const verdict = loadIntoKernel(program, { kernelBtf: kernelBtf() });
    if (!verdict.accepted) throw new Error(verdict.log);
    const { native } = open(START(1), 'start');
    try {
      verdict.program.testRun({ packet });
      native.run({ packet });
      const seen = program.maps.find(({ name }) => name.endsWith('.bss'))!;
      const bytes = verdict.program.map(seen.name)!.lookup(new Uint8Array(4))!;
      const theirs = Array.from({ length: 16 }, (_, i) =>
        Number(new DataView(bytes.buffer).getBigInt64((17 + i) * 8, true)),
      );
      // Element 0 is the callback's; 9 and 10 depend on whether the timer has fired by then.
      const steady = (answers: readonly number[]) =>
        answers.filter((_, i) => (i < 9 ? i > 0 : i > 10));
      expect(steady(theirs)).toEqual(steady(answersOf(native)));
    } finally {
      verdict.program.close();
      native.close();
    }
  });

  it('go with the element that they are in', () => {
    const [start, drop] = compileC(DECLARATIONS + START(1));
    const { native, reference } = loadBoth(start!, { environment: { time } })!;
    const rest = loadBoth(drop!, { maps: native.maps as never, environment: { time } });
    native.run({ packet });
    rest!.native.run({ packet });
    expect(native.advance(9999)).toBe(2);
    expect(logOf(native)).toEqual([1, 1_009_999]);
    native.close();
    rest!.native.close();
    reference.run({ packet });
    reference.maps.elements!.delete(Uint8Array.of(2, 0, 0, 0));
    reference.maps.elements!.delete(Uint8Array.of(3, 0, 0, 0));
    expect(reference.advance(9999)).toBe(2);
  });

  it('show no trace in values that are copied', () => {
    const { native } = open(START(2), 'start');
    native.run({ packet });
    const [, value] = [...native.maps.elements!.typedEntries()][1]! as [unknown, TypedValue];
    expect(value).toMatchObject({ timer: { opaque: [0, 0] }, wq: { opaque: [0, 0] } });
    expect(() => native.maps.elements!.view()).toThrow(TypeError);
    native.close();
  });

  it('stop at the most that was asked for, and end though they start themselves', () => {
    const { native, reference } = open(
      `MAP(elements, 2, 1, u32, struct element);
static int again(void *map, u32 *key, struct element *element) {
  note(now());
  timer_start(&element->timer, 0, 0);
  return 0;
}
SEC("tc") int start(void *ctx) {
  u32 key = 0;
  struct element *element = map_lookup(&elements, &key);
  if (!element) return 1;
  timer_init(&element->timer, &elements, 1);
  timer_set_callback(&element->timer, again);
  timer_start(&element->timer, 5, 1);
  return 0;
}`,
      'start',
    );
    for (const extension of [native, reference] as const) {
      extension.run({ packet });
      expect(extension.advance(4)).toBe(0);
      expect(extension.advance(1)).toBe(1);
      expect(extension.advance(10, 3)).toBe(3);
      expect(logOf(extension)).toEqual([5, 6, 7, 8]);
      expect(extension.advance(7)).toBe(7);
    }
    native.close();
  });

  it('run by the clock of the system, from the event loop', async () => {
    const [start] = compileC(DECLARATIONS + START(1));
    const { native } = loadBoth(start!)!;
    expect(() => native.advance(1)).toThrow(/system's clock/);
    {
      using _ = native.keepTime();
      native.run({ packet });
      while (logOf(native).length < 12) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(native.maps.elements!.get(1)).toMatchObject({ count: 3 });
    native.close();
  });

  it('are refused where they cannot be run: task work', () => {
    const program = compileC(`struct element { struct bpf_task_work work; };
MAP(elements, 2, 1, u32, struct element);
SEC("tc") int use(void *ctx) { u32 key = 0; return map_lookup(&elements, &key) ? 1 : 0; }`)[0]!;
    expect(() => createMap(program.maps[0]!, program.btf)).toThrow(
      /task-work .* not implemented in user space/,
    );
  });
});
