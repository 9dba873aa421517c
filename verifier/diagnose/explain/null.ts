/** Pointers that may be null: which call returns one, and when. */

import { type MapSpec, programNames } from '../../../isa/index.ts';
import { helper } from '../../../platform/index.ts';
import type { History } from '../history.ts';
import { named } from '../naming.ts';
import {
  type Case,
  type Explanation,
  numberName,
  originOf,
  place,
  pointerName,
  returnText,
  whereText,
} from './case.ts';

/** When a call returns null, by its name. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^bpf_map_lookup(_percpu)?_elem$/, 'when the key is not in {map}'],
  [/^bpf_ringbuf_reserve$/, 'when {map} is full'],
  [/^bpf_(sk_lookup|skc_lookup)/, 'when there is no such socket'],
  [/storage_get$/, 'when nothing is stored and none was asked for'],
  [/^bpf_iter_.*_next$/, 'when the iteration is over'],
  [/^bpf_dynptr_(data|slice)/, 'when the bytes are not there'],
  [/_acquire$|_from_(pid|vpid|id)$/, 'when there is no such object'],
];

/** The name of the helper, kernel function or function called at `pc`. */
export function calleeName(history: History, pc: number): string {
  const { helperAt, kfuncAt, program, instructions } = history.subject;
  const known = helperAt.get(pc)?.name ?? kfuncAt.get(pc)?.name;
  if (known !== undefined) return known;
  const insn = instructions[pc]!;
  return (
    programNames(program, instructions, (id) => helper(id)?.name).label?.(pc + 1 + insn.imm) ??
    'the function'
  );
}

/** The map in r1 of the call at step `index`. */
export function resolvedMap(c: Case, index: number): MapSpec | undefined {
  const step = originOf(c, 1, index);
  const resolved = step === undefined ? undefined : c.history.subject.mapAt.get(step.pc);
  return resolved === undefined ? undefined : c.history.subject.maps[resolved.map];
}

/** Its name for people: `'counts'`, or `the map`. */
export function mapOfCall(c: Case, index: number): string {
  const map = resolvedMap(c, index);
  return map === undefined ? 'the map' : `'${map.name}'`;
}

export function explainNull(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const origin = originOf(c, register);
  const given = numberName(c, register);
  const name = given ?? pointerName(c, register);
  const subject = named(name, register);
  const variable = name ?? `r${register}`;
  const verb = c.history.row(c.history.last).kind === 'store' ? 'writes' : 'reads';
  const help = `check it first: if (!${variable}) ${returnText(c)}`;
  const label = `${verb} through '${variable}' with no check for NULL before`;
  if (origin?.making !== 'call') {
    return { message: `${subject} may be NULL here`, label, help };
  }
  const callee = calleeName(c.history, origin.pc);
  const reason = REASONS.find(([pattern]) => pattern.test(callee))?.[1] ?? 'in some cases';
  const when = reason.replace('{map}', mapOfCall(c, origin.index));
  return {
    message: `${subject} may be NULL here: ${callee} returns NULL ${when}`,
    label,
    secondary: [place(c, origin.pc, `returns NULL ${when}`)],
    help: `${help} before ${whereText(c, c.failure.pc)}`,
  };
}
