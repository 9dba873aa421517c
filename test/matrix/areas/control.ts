/** Control flow: jumps, loops, functions and their stacks, callbacks, tail calls, early ends. */

import type { Area, Entry } from '../compare.ts';
import { withMaps } from './maps.ts';

const both = (text: string): Entry[] =>
  (['described', 'bare'] as const).map((functions) => ({ text: withMaps(text), functions }));

export const jumps: Area = function* () {
  const bodies = [
    'r0 = 0',
    'r0 = 0\nexit\nr0 = 1\nexit',
    'goto +0\nr0 = 0\nexit',
    'goto +1\nr0 = 0\nexit',
    'goto +5\nr0 = 0\nexit',
    'goto -1\nr0 = 0\nexit',
    'goto -2\nr0 = 0\nexit',
    'r0 = 0\ngoto -2',
    'gotol +0\nr0 = 0\nexit',
    'gotol +1\nr0 = 0\nr0 = 1\nexit',
    'gotol -1\nr0 = 0\nexit',
    'r0 = 0\nif r0 == 0 goto +0\nexit',
    'r0 = 0\nif r0 == 0 goto +1\nr0 = 1\nexit',
    'r0 = 0\nif r0 == 0 goto +2\nr0 = 1\nexit',
    'r0 = 0\nif r0 != 0 goto -1\nexit',
    'r0 = 0\nif r0 == 0 goto -1\nexit',
    'r0 = 0\nif r0 != 0 goto -2\nexit',
    'if r1 == 0 goto +1\nr0 = 1 ll\nexit',
    'goto +1\nr0 = 1 ll\nexit',
    'r0 = 0\nl:\nr0 += 1\nif r0 < 10 goto l\nexit',
    'r0 = 0\nl:\nr0 += 1\ngoto l',
    'r0 = 0\nl:\nif r0 == 5 goto e\nr0 += 1\ngoto l\ne:\nexit',
    'r0 = 0\nl:\nif r0 == 5 goto e\nr0 += 2\ngoto l\ne:\nexit',
    'r0 = *(u32 *)(r1 + 0)\nl:\nif r0 == 5 goto e\nr0 += 1\ngoto l\ne:\nexit',
    'r0 = *(u32 *)(r1 + 0)\nr0 &= 15\nl:\nif r0 == 0 goto e\nr0 -= 1\ngoto l\ne:\nexit',
    'r0 = *(u32 *)(r1 + 0)\nr0 &= 15\nl:\nif r0 > 100 goto e\nr0 += 1\ngoto l\ne:\nexit',
    'r6 = r1\nl:\nr0 = *(u32 *)(r6 + 0)\nif r0 == 5 goto l\nr0 = 0\nexit',
    'r6 = r1\nr7 = 0\nl:\nr7 += 1\nr0 = *(u32 *)(r6 + 0)\nif r0 == 5 goto l\nr0 = 0\nexit',
    'r6 = r1\nr7 = 0\nl:\nr7 += 1\ncall bpf_get_prandom_u32\nif r7 < 100 goto l\nr0 = 0\nexit',
    'r6 = r1\nr7 = 0\nl:\nr7 += 1\ncall bpf_get_prandom_u32\nif r0 == 7 goto e\nif r7 < 1000 goto l\ne:\nr0 = 0\nexit',
    'r7 = 0\nl:\nr7 ^= 1\nif r7 != 2 goto l\nr0 = 0\nexit',
    'r7 = 10\nl:\nr7 -= 1\nif r7 s>= 0 goto l\nr0 = 0\nexit',
    'r7 = 10\nl:\nr7 -= 1\nif r7 >= 0 goto l\nr0 = 0\nexit',
    'r7 = 0\nl:\nw7 += 1\nif w7 < 100 goto l\nr0 = 0\nexit',
    'r7 = 0\nl:\nr7 += 1\nif w7 < 100 goto l\nr0 = 0\nexit',
    'r7 = 0\n*(u64 *)(r10 - 8) = r7\nl:\nr7 = *(u64 *)(r10 - 8)\nr7 += 1\n*(u64 *)(r10 - 8) = r7\nif r7 < 100 goto l\nr0 = 0\nexit',
    'r7 = 0\nr1 = 1\n*(u64 *)(r10 - 8) = 0\nl:\nlock *(u64 *)(r10 - 8) += r1\nr7 = *(u64 *)(r10 - 8)\nif r7 < 100 goto l\nr0 = 0\nexit',
    'r0 = 0\nmay_goto e\nr0 = 1\ne:\nexit',
    'r0 = 0\nl:\nmay_goto e\nr0 += 1\ngoto l\ne:\nexit',
    'r0 = 0\nl:\nmay_goto e\nr0 += 1\ngoto l\ne:\nr1 = map[values][0] + 0 ll\nr1 += r0\nr0 = *(u8 *)(r1 + 0)\nexit',
    'r0 = 0\nl:\nmay_goto e\nif r0 > 60 goto e\nr0 += 1\ngoto l\ne:\nr1 = map[values][0] + 0 ll\nr1 += r0\nr0 = *(u8 *)(r1 + 0)\nexit',
    'may_goto -1\nr0 = 0\nexit',
    'may_goto +0\nr0 = 0\nexit',
    'r0 = 0\nexit\nr0 = 1 ll',
    'r0 = 0\nexit\nexit',
    'exit',
    'r0 = r2\nexit',
    'r10 += 1\nr0 = 0\nexit',
    'r0 = r10\nexit',
    'r0 = r1\nexit',
    'r0 = 0 ll\nexit',
    'if r10 == 0 goto +1\nr0 = 0\nr0 = 1\nexit',
    'if r10 != 0 goto +1\nr0 = *(u64 *)(r1 + 1000)\nr0 = 1\nexit',
    'if r1 == 0 goto +1\ngoto +1\nr0 = *(u64 *)(r1 + 1000)\nr0 = 1\nexit',
  ];
  for (const type of ['socket_filter', 'sched_cls', 'xdp', 'kprobe', 'tracepoint']) {
    for (const body of bodies) yield withMaps(`.type ${type}\n${body}`);
  }
};

/** Chains of functions with frames of given sizes, and how they are called. */
export const frames: Area = function* () {
  const touch = (bytes: number) => (bytes === 0 ? '' : `*(u64 *)(r10 - ${bytes}) = 0`);
  const sizes = [0, 8, 32, 64, 200, 256, 264, 448, 456, 480, 512];
  for (const type of ['sched_cls', 'kprobe']) {
    for (const a of sizes) {
      for (const b of sizes) {
        yield* both(
          `.type ${type}\n${touch(a)}\ncall f\nr0 = 0\nexit\nf:\n${touch(b)}\nr0 = 0\nexit`,
        );
        yield* both(
          `.type ${type}\nr6 = r1\n${touch(a)}\nr1 = r6\ncall f\nr0 = 0\nexit\nf:\n${touch(b)}\nr2 = map[programs] ll\nr3 = 0\ncall bpf_tail_call\nr0 = 0\nexit`,
        );
        yield* both(
          `.type ${type}\nr6 = r1\n${touch(a)}\ncall f\nr1 = r6\nr2 = map[programs] ll\nr3 = 0\ncall bpf_tail_call\nr0 = 0\nexit\nf:\n${touch(b)}\nr0 = 0\nexit`,
        );
        yield* both(
          `.type ${type}\n${touch(a)}\nr1 = 4\nr2 = func[f]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\nf:\n${touch(b)}\nr0 = 0\nexit`,
        );
        for (const c of [0, 64, 256]) {
          yield* both(
            `.type ${type}\n${touch(a)}\ncall f\nr0 = 0\nexit\nf:\n${touch(b)}\ncall g\nr0 = 0\nexit\ng:\n${touch(c)}\nr0 = 0\nexit`,
          );
          yield* both(
            `.type ${type}\n${touch(a)}\ncall f\ncall g\nr0 = 0\nexit\nf:\n${touch(b)}\nr0 = 0\nexit\ng:\n${touch(c)}\nr0 = 0\nexit`,
          );
        }
      }
    }
    for (let depth = 1; depth < 10; depth++) {
      const functions = Array.from(
        { length: depth },
        (_, i) => `f${i}:\n${i + 1 < depth ? `call f${i + 1}\n` : ''}r0 = 0\nexit`,
      );
      yield* both(`.type ${type}\ncall f0\nr0 = 0\nexit\n${functions.join('\n')}`);
      const nested = Array.from(
        { length: depth },
        (_, i) =>
          `f${i}:\n${i + 1 < depth ? `r1 = 1\nr2 = func[f${i + 1}]\nr3 = 0\nr4 = 0\ncall bpf_loop\n` : ''}r0 = 0\nexit`,
      );
      yield* both(
        `.type ${type}\nr1 = 1\nr2 = func[f0]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\n${nested.join('\n')}`,
      );
    }
  }
};

/** What is handed to a function and what it hands back. */
export const calls: Area = function* () {
  const passed = [
    'r1 = r6',
    'r1 = r10\nr1 += -8',
    'r1 = r10\nr1 += -16',
    'r1 = map[values][0] + 0 ll',
    'r1 = map[values] ll',
    'r1 = 5',
    '*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\nr1 = map[table] ll\ncall bpf_map_lookup_elem\nr1 = r0',
    'r1 = *(u32 *)(r6 + 0)\nr1 &= 7',
  ];
  const bodies = [
    'r0 = 0',
    'r0 = r1',
    'r0 = r10',
    'r0 = r10\nr0 += -8',
    'r0 = *(u64 *)(r1 + 0)',
    '*(u64 *)(r1 + 0) = 7\nr0 = 0',
    '*(u64 *)(r1 + 0) = r1\nr0 = 0',
    '*(u64 *)(r1 + 0) = r10\nr0 = 0',
    '*(u64 *)(r1 + 0) = r6\nr0 = 0',
    'r0 = r6',
    'r0 = r2',
    '',
    'r6 = 3\nr7 = 4\nr8 = 5\nr9 = 6\nr0 = 1',
    'if r1 == 0 goto z\nr0 = *(u64 *)(r1 + 0)\nexit\nz:\nr0 = 0',
    'if r1 == 0 goto z\nr0 = r1\nexit\nz:\nr0 = 0',
    'if r1 != 0 goto z\nr0 = 1\nexit\nz:\nr0 = 0',
    '*(u64 *)(r10 - 8) = r1\nr1 = *(u64 *)(r10 - 8)\nr0 = *(u64 *)(r1 + 0)',
    'r0 = *(u64 *)(r1 - 8)',
    '*(u64 *)(r1 - 8) = 1\nr0 = 1',
    'call bpf_get_prandom_u32\nr0 &= 7',
    'r2 = r1\nr1 = map[table] ll\ncall bpf_map_lookup_elem',
    'call f',
  ];
  const after = [
    'r0 = 0',
    'r0 = *(u8 *)(r0 + 0)',
    'r1 = r0',
    'r0 = r6',
    'r0 = r1',
    'r0 = *(u64 *)(r10 - 8)\nr2 = map[values][0] + 0 ll\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
    'r2 = map[values][0] + 0 ll\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
    'if r0 == 0 goto out\nr0 = *(u8 *)(r0 + 0)',
    'r0 = *(u64 *)(r10 - 8)\nr0 = *(u8 *)(r0 + 0)',
    'r6 = *(u32 *)(r6 + 0)',
    '',
  ];
  for (const fill of [
    '',
    '*(u64 *)(r10 - 8) = 0',
    '*(u64 *)(r10 - 8) = 0\n*(u64 *)(r10 - 16) = r6',
  ]) {
    for (const pass of passed) {
      for (const body of bodies) {
        for (const use of after) {
          yield withMaps(
            `.type sched_cls\nr6 = r1\n${fill}\n${pass}\ncall f\n${use}\nout:\nr0 = 0\nexit\nf:\n${body}\nexit`,
          );
        }
      }
    }
  }
};

const CALLBACKS: Readonly<Record<string, readonly [string, string]>> = {
  loop: ['r1 = 4\nr2 = func[f]\nr3 = DATA\nr4 = 0\ncall bpf_loop', 'r2'],
  each: ['r1 = map[several] ll\nr2 = func[f]\nr3 = DATA\nr4 = 0\ncall bpf_for_each_map_elem', 'r4'],
  eachHash: [
    'r1 = map[table] ll\nr2 = func[f]\nr3 = DATA\nr4 = 0\ncall bpf_for_each_map_elem',
    'r4',
  ],
};

export const callbacks: Area = function* () {
  const datas = ['0', 'r6', 'r10', 'r7', '5'];
  const bodies = [
    'r0 = 0',
    'r0 = 1',
    'r0 = 2',
    'r0 = -1',
    'r0 = r1',
    'w0 = w1\nw0 &= 1',
    'r0 = r1\nr0 &= 1',
    'r0 = r10',
    'r0 = r6',
    '',
    'r0 = CTX',
    'CTX += 0\nr0 = 0',
    'r0 = *(u32 *)(CTX + 0)\nr0 = 0',
    '*(u64 *)(CTX - 8) = 1\nr0 = 0',
    '*(u64 *)(CTX - 8) = 100\nr0 = 0',
    '*(u64 *)(CTX - 8) = CTX\nr0 = 0',
    'r9 = *(u64 *)(CTX - 8)\nr9 += 1\n*(u64 *)(CTX - 8) = r9\nr0 = 0',
    'r9 = *(u64 *)(CTX - 8)\nr9 += 1\n*(u64 *)(CTX - 8) = r9\nif r9 > 10 goto s\nr0 = 0\nexit\ns:\nr0 = 1',
    'r9 = *(u64 *)(CTX - 8)\nif r9 > 60 goto s\nr9 += 1\n*(u64 *)(CTX - 8) = r9\nr0 = 0\nexit\ns:\nr0 = 1',
    'call bpf_get_prandom_u32\nr0 = 0',
    'r1 = 2\nr2 = func[g]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0',
    'call g\nr0 = 0',
    'r0 = *(u64 *)(r2 + 0)\nr0 = 0',
    'r0 = *(u64 *)(r3 + 0)\nr0 = 0',
    '*(u64 *)(r3 + 0) = r1\nr0 = 0',
    '*(u32 *)(r2 + 0) = 1\nr0 = 0',
    'r0 = *(u64 *)(r3 + 60)\nr0 = 0',
    'r2 = map[values][0] + 0 ll\nr2 += r1\nr0 = *(u8 *)(r2 + 0)\nr0 = 0',
    'if r1 > 60 goto s\nr2 = map[values][0] + 0 ll\nr2 += r1\nr0 = *(u8 *)(r2 + 0)\ns:\nr0 = 0',
    'r0 = 0\nmay_goto s\nr0 = 1\ns:',
  ];
  const after = [
    'r0 = 0',
    'r0 = *(u64 *)(r10 - 8)\nr2 = map[values][0] + 0 ll\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
    'if r0 > 60 goto out\nr2 = map[values][0] + 0 ll\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
    'r2 = map[values][0] + 0 ll\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
    'r0 = r1',
  ];
  for (const [call, context] of Object.values(CALLBACKS)) {
    for (const data of datas) {
      for (const body of bodies) {
        for (const use of after) {
          const g =
            body.includes('g') && (body.includes('call g') || body.includes('func[g]'))
              ? '\ng:\nr0 = 0\nexit'
              : '';
          const text = `.type sched_cls\nr6 = r1\nr7 = 1\n*(u64 *)(r10 - 8) = 0\n${call.replace('DATA', data)}\n${use}\nout:\nr0 = 0\nexit\nf:\n${body.replaceAll('CTX', context)}\nexit${g}`;
          yield { text: withMaps(text) };
          if (use === 'r0 = 0' && data === '0') yield { text: withMaps(text), functions: 'bare' };
        }
      }
    }
  }
};

/** Indexes and maps of tail calls, and of look-ups with keys of several paths. */
export const tailCalls: Area = function* () {
  const two =
    'r7 = *(u32 *)(r6 + 0)\nif r7 == 0 goto other\nr2 = map[programs] ll\nr3 = 1\ngoto on\nother:\nr2 = map[programs2] ll\nr3 = 2\non:';
  const sets = [
    'r2 = map[programs] ll\nr3 = 0',
    'r2 = map[programs] ll\nr3 = 7',
    'r2 = map[programs] ll\nr3 = *(u32 *)(r6 + 0)',
    'r2 = map[programs] ll\nr3 = -1',
    'r2 = map[programs] ll\nr3 = 0x100000000 ll',
    'r2 = map[programs] ll\nr3 = r6',
    'r2 = map[values] ll\nr3 = 0',
    'r2 = 0\nr3 = 0',
    'r3 = 0',
    two,
    two.replace('r3 = 2', 'r3 = 1').replace('programs2', 'programs'),
    two.replace('programs2', 'programs'),
  ];
  for (const type of ['sched_cls', 'kprobe', 'socket_filter', 'cgroup_skb', 'xdp']) {
    for (const set of sets) {
      for (const context of ['r1 = r6', 'r1 = 0', 'r1 = r10', 'r1 = r6\nr1 += 4']) {
        for (const after of ['r0 = 0\nexit', 'exit', 'r0 = r1\nexit', 'r0 = 1\nexit']) {
          yield withMaps(
            `.type ${type}\nr6 = r1\n${set}\n${context}\ncall bpf_tail_call\n${after}`,
          );
        }
      }
    }
  }
};

/** Legacy packet loads: context, what is held, where they are. */
export const legacyLoads: Area = function* () {
  const loads = [
    'r0 = *(u8 *)skb[0]',
    'r0 = *(u16 *)skb[12]',
    'r0 = *(u32 *)skb[r7 + 4]',
    'r0 = *(u32 *)skb[-4096]',
    'r0 = *(u8 *)skb[r6 + 0]',
    'r0 = *(u8 *)skb[r0 + 0]',
  ];
  const befores = [
    'r6 = r1',
    '',
    'r6 = 0',
    'r6 = r1\nr6 += 8',
    'r6 = r10',
    'r6 = r1\nr2 = 5',
    'r6 = r1\n*(u64 *)(r10 - 8) = r1\nr6 = *(u64 *)(r10 - 8)',
  ];
  const afters = [
    'r0 = 0',
    '',
    'r0 = r1',
    'r0 = r2',
    'r0 = *(u32 *)(r6 + 0)',
    'r2 = map[values][0] + 0 ll\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
    'r2 = map[values][0] + 0 ll\nr0 &= 63\nr2 += r0\nr0 = *(u8 *)(r2 + 0)',
  ];
  for (const type of [
    'socket_filter',
    'sched_cls',
    'sched_act',
    'cgroup_skb',
    'xdp',
    'lwt_in',
    'sk_skb',
  ]) {
    for (const before of befores) {
      for (const load of loads) {
        for (const after of afters) {
          const text = `.type ${type}\nr7 = 3\n${before}\n${load}\n${after}\nr0 = 0\nexit`;
          yield withMaps(text);
        }
      }
    }
    for (const load of loads) {
      yield* both(
        `.type ${type}\nr6 = r1\nr7 = 3\ncall f\nr0 = 0\nexit\nf:\nr6 = r1\nr7 = 0\nr0 = 0\n${load}\nr0 = 0\nexit`,
      );
      yield* both(
        `.type ${type}\nr6 = r1\nr7 = 3\nr0 = 0\n${load}\nr1 = r6\ncall f\nr0 = 0\nexit\nf:\nr0 = 0\nexit`,
      );
      yield* both(
        `.type ${type}\nr6 = r1\nr1 = 3\nr2 = func[f]\nr3 = r6\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\nf:\nr6 = r2\nr7 = 0\nr0 = 0\n${load}\nr0 = 0\nexit`,
      );
    }
  }
};
