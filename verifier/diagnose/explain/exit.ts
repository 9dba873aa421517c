/** The end of a program: what it still holds, and what it may return. */

import { returnRule } from '../../../platform/index.ts';
import { isPointer } from '../../state/kinds.ts';
import * as L from '../../state/layout.ts';
import { expressionText } from '../c-text.ts';
import { nameGivenTo } from '../naming.ts';
import { linuxBounds, numberText } from '../number-text.ts';
import {
  branchPlace,
  type Case,
  type Explanation,
  lineOf,
  numberName,
  originOf,
  place,
  toldAt,
  whereText,
} from './case.ts';
import { calleeName } from './null.ts';

/** What ends what a call begins, as C text; `{name}` is the variable. */
const RELEASES: readonly (readonly [RegExp, string, string])[] = [
  [/^bpf_ringbuf_reserve$/, 'ring-buffer record', 'bpf_ringbuf_discard({name}, 0)'],
  [/^bpf_ringbuf_reserve_dynptr$/, 'ring-buffer record', 'bpf_ringbuf_discard_dynptr(&{name}, 0)'],
  [/^bpf_(sk|skc)_lookup/, 'socket', 'bpf_sk_release({name})'],
  [/^bpf_spin_lock$/, 'lock', 'bpf_spin_unlock(...)'],
  [/^bpf_res_spin_lock$/, 'lock', 'bpf_res_spin_unlock(...)'],
  [/^bpf_(task|cgroup|cpumask)_/, 'object', 'bpf_$1_release({name})'],
  [/^bpf_iter_(\w+)_new$/, 'iterator', 'bpf_iter_$1_destroy(&{name})'],
];

export function explainHeld(c: Case): Explanation {
  const { state } = c.walk;
  if (state.words[L.REFERENCE_COUNT] === 0) return {};
  const source = state.words[state.reference(0) + L.REF_PC]!;
  const callee = calleeName(c.history, source);
  const rule = RELEASES.find(([pattern]) => pattern.test(callee));
  const name = nameGivenTo(c.history, source);
  const object = rule?.[1] ?? 'object';
  const what = name === undefined ? `the ${object}` : `the ${object} '${name}'`;
  const release = rule?.[2]
    .replace('$1', rule[0].exec(callee)?.[1] ?? '')
    .replace('{name}', name ?? 'p');
  const branch = lastBranch(c, source);
  const before =
    branch === undefined ? 'the program ends' : `the program ends on the way from ${branch.where}`;
  return {
    message: `${what} from ${callee} (${whereText(c, source)}) is not released on this path`,
    label:
      branch !== undefined && branch.pc === c.failure.at
        ? `when ${branch.text}, the program ends and still holds ${what}`
        : `ends holding ${what}`,
    secondary: [
      place(c, source, `${name === undefined ? 'it' : `'${name}'`} is acquired here`),
      ...(branch === undefined || branch.pc === c.failure.at
        ? []
        : [branchPlace(c, branch.pc, branch.label)]),
    ],
    help: `${release === undefined ? `release ${what}` : `call ${release}`} before ${before}`,
  };
}

/** The last branch behind the acquiring call: the way that forgot to release. */
function lastBranch(c: Case, source: number) {
  const { history } = c;
  for (let index = history.last - 1; index >= 0; index--) {
    const pc = history.pcs[index]!;
    if (pc === source) return undefined;
    if (history.row(index).kind !== 'jump') continue;
    const { text } = toldAt(c, index);
    return { pc, where: whereText(c, pc), text, label: `when ${text}, it is not released` };
  }
  return undefined;
}

/** `0 (SK_DROP) or 1 (SK_PASS)`, `0..3`. */
function allowedText(c: Case): string {
  const { type, hook, program } = c.history.subject;
  const rule = hook?.returns ?? returnRule(program, type);
  const isCgroup = type.name.startsWith('cgroup');
  const actions = type.actions ?? (isCgroup ? CGROUP_RESULTS : undefined);
  if (rule === 'any') return 'any number';
  const span = rule.max - rule.min;
  if (span === 0) return withAction(actions, rule.min);
  if (span > 7 || (span > 1 && actions === undefined)) return `${rule.min}..${rule.max}`;
  const all = Array.from({ length: span + 1 }, (_, i) => withAction(actions, rule.min + i));
  return `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}

/** What the numbers mean to programs attached to cgroups (bpf-cgroup rules of the kernel). */
const CGROUP_RESULTS = { 0: 'refuse', 1: 'allow' };

const withAction = (actions: Readonly<Record<number, string>> | undefined, value: number) => {
  const name = actions?.[value];
  return name === undefined ? String(value) : `${value} (${name})`;
};

export function explainResult(c: Case): Explanation {
  const { state } = c.walk;
  const { type } = c.history.subject;
  const r0 = state.register(0);
  const line = lineOf(c, c.failure.pc);
  const origin = originOf(c, 0);
  const returned = returnedText(c);
  const range = isPointer(state.kind(r0)) ? 'a pointer' : numberText(state.words, r0 + L.NUMBER);
  const allowed = allowedText(c);
  const written = returned ?? numberName(c, 0) ?? 'r0';
  // `return 2;` needs no word on what 2 is.
  const name = written === range ? 'r0' : written;
  const elsewhere = origin !== undefined && lineOf(c, origin.pc)?.line !== line?.line;
  return {
    message: `a ${type.name} program must return ${allowed}; this path returns ${name === 'r0' ? '' : `${name}, which is `}${range}`,
    label: `returns ${range}`,
    secondary: elsewhere ? [place(c, origin.pc, 'the value comes from here')] : [],
    help: resultHelp(name, c),
    linux: linuxResult(c),
    notes: [{ name: name === 'r0' ? name : `${name} (r0)`, proven: range, needed: allowed }],
  };
}

/** The bounds that the kernel prints; a range in place of them says which values are allowed. */
function linuxResult(c: Case): string {
  const { state } = c.walk;
  const { least, most } = c.failure.values;
  const proven = linuxBounds(state.words, state.register(0) + L.NUMBER);
  return `At program exit the register R0 has ${proven} should have been in [${least}, ${most}]`;
}

/** The expression of the `return` on the failing line. */
function returnedText(c: Case): string | undefined {
  const line = lineOf(c, c.failure.pc);
  const at = line?.text.search(/\breturn\b/) ?? -1;
  if (line === undefined || at < 0) return undefined;
  const text = expressionText(line.text, at + 1);
  return text === 'return' ? undefined : text;
}

function resultHelp(name: string, c: Case): string {
  const { least, most } = c.failure.values;
  if (least === 0 && most === 1 && /^[\w>.-]+$/.test(name)) return `return ${name} > 0;`;
  return `return ${allowedText(c)} on every path`;
}
