/** The C header of a defined program type, for whoever writes programs of it. */

import type { ContextField } from '../types.ts';
import type { Parameter } from './contract.ts';
import { type ProgramType, partsOf } from './define.ts';

const INTEGERS = { 1: '__u8', 2: '__u16', 4: '__u32', 8: '__u64' } as const;

/**
 * The context as a structure, the numbers of results and the helpers as functions. It needs the
 * integer types of linux/types.h.
 */
export function headerOf(type: ProgramType<unknown>): string {
  const { row, layout, hosted } = partsOf(type);
  const tag = row.name.replaceAll('-', '_');
  const guard = `${tag.toUpperCase()}_H`;
  const results = Object.entries(row.actions ?? {}).map(([value, name]) => `  ${name} = ${value},`);
  return [
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '#include <linux/types.h>',
    '',
    `struct ${tag} {`,
    ...members(layout.fields, layout.sizeBytes),
    '};',
    ...(results.length > 0 ? ['', `enum ${tag}_result {`, ...results, '};'] : []),
    ...(hosted.length > 0 ? [''] : []),
    ...hosted.map(({ name, id, contract }) => {
      const parameters = contract.parameters.flatMap(parameterText).join(', ');
      const result = contract.result.kind === 'void' ? 'void' : 'long';
      return `static ${result} (*const ${name})(${parameters || 'void'}) = (void *)${id};`;
    }),
    '',
    '#endif',
    '',
  ].join('\n');
}

/** Gaps are named, so that offsets are the definition's whatever the compiler would choose. */
function members(fields: readonly ContextField[], sizeBytes: number): string[] {
  const lines: string[] = [];
  let at = 0;
  const gap = (to: number) => {
    if (to > at) lines.push(`  __u8 reserved_${at}[${to - at}];`);
  };
  for (const field of fields) {
    gap(field.offset);
    const width = field.sizeBytes as keyof typeof INTEGERS;
    const integer = INTEGERS[width].replace('u', field.signed === true ? 's' : 'u');
    lines.push(field.kind === 'scalar' ? `  ${integer} ${field.name};` : `  void *${field.name};`);
    at = field.offset + field.sizeBytes;
  }
  gap(sizeBytes);
  return lines;
}

function parameterText(parameter: Parameter, index: number): string[] {
  const name = `argument${index + 1}`;
  if (parameter.kind === 'number') {
    const bytes = Number(parameter.type.slice(1)) / 8;
    const integer = INTEGERS[bytes as keyof typeof INTEGERS];
    return [`${parameter.type.startsWith('s') ? integer.replace('u', 's') : integer} ${name}`];
  }
  const pointer = `${parameter.access === 'read' ? 'const ' : ''}void *${name}`;
  return parameter.sizeBytes === undefined ? [pointer, `__u32 ${name}_bytes`] : [pointer];
}
