/** Stack bytes: which were never written, whose padding they are, what lies outside the frame. */

import { type Field, layoutOf } from '../../../btf/index.ts';
import * as L from '../../state/layout.ts';
import { byteType } from '../../state/stack.ts';
import { argumentName } from '../naming.ts';
import { bytesText, type Case, type Explanation } from './case.ts';
import { calleeName, mapOfCall, resolvedMap } from './null.ts';

/** A run of bytes, relative to where the access begins. */
interface Run {
  readonly first: number;
  readonly last: number;
}

/** The first bytes of the access that nothing wrote. */
function unwritten(c: Case, register: number, low: number, size: number): Run | undefined {
  const { state } = c.walk;
  const frame = state.words[state.register(register) + L.TARGET]!;
  const isUnwritten = (at: number) => byteType(state, frame, low + at) === L.BYTE_INVALID;
  let first = 0;
  while (first < size && !isUnwritten(first)) first++;
  if (first === size) return undefined;
  let last = first;
  while (last + 1 < size && isUnwritten(last + 1)) last++;
  return { first, last };
}

export function explainUnwritten(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const low = Number(c.failure.values.low);
  const size = Number(c.failure.values.size);
  const run = unwritten(c, register, low, size);
  if (run === undefined) return {};
  const bytes = bytesText(run.first, run.last);
  if (c.history.row(c.history.last).kind !== 'call') {
    const isAll = run.first === 0 && run.last === size - 1;
    const part = isAll ? '' : `${bytes} of `;
    return {
      message: `${part}the ${size} bytes read at stack offset ${low} were never written on this path`,
      label: `reads stack bytes ${low}..${low + size - 1}`,
      help: 'initialise the variable where it is declared',
    };
  }
  const { pc } = c.failure;
  const callee = calleeName(c.history, pc);
  const name = argumentName(c.history, pc, callee, register - 1);
  const variable = name?.startsWith('&') ? name.slice(1) : 'x';
  const what = name === undefined ? `argument ${register} (r${register})` : `'${name}'`;
  return {
    message: `${bytes} of the ${size} that ${callee} reads through ${what} were never written${paddingText(c, register, run)}`,
    label: `reads ${size} bytes of the stack, ${bytes} of them unwritten`,
    linux: `invalid indirect read from stack R${register} off ${low}+${run.first} size ${size}`,
    help: `clear the variable with its padding: __builtin_memset(&${variable}, 0, sizeof(${variable})); an initialiser need not write padding`,
    notes: [
      {
        name: what.replaceAll("'", ''),
        proven: `written but for ${bytes}`,
        needed: `${size} bytes`,
      },
    ],
  };
}

/** Says so where the bytes belong to no member of the map's key or value type. */
function paddingText(c: Case, register: number, run: Run): string {
  const { btf } = c.history.subject.types;
  const map = resolvedMap(c, c.history.last);
  const typeId = register === 2 ? map?.btfKeyTypeId : map?.btfValueTypeId;
  if (btf === undefined || typeId === undefined || !btf.has(typeId)) return '';
  const fields = layoutOf(btf, typeId);
  const start = (field: Field) => field.bitOffset / 8;
  const owner = fields.find(
    (field) => start(field) <= run.first && run.first < start(field) + field.sizeBytes,
  );
  if (owner !== undefined) return `: they are member '${owner.name}'`;
  const before = fields.filter((field) => start(field) < run.first).at(-1);
  if (before === undefined) return '';
  return `: they are padding that the compiler added after '${before.name}' of the ${register === 2 ? 'key' : 'value'} of ${mapOfCall(c, c.history.last)}`;
}

export function explainFrame(c: Case): Explanation {
  const { values } = c.failure;
  const verb = values.verb === 'write' ? 'writes' : 'reads';
  return { label: `${verb} ${values.size} bytes at ${values.proven}` };
}
