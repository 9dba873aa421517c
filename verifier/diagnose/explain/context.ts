/** Accesses of the context: which fields there are, and what is wrong with this one. */

import { layoutOf } from '../../../btf/index.ts';
import { attachTypeOf, type ContextField, type ContextLayout } from '../../../platform/index.ts';
import type { Case, Explanation } from './case.ts';
import { bytesText } from './case.ts';

/** Longer lists are cut to the fields nearest to the access. */
const MOST_FIELDS = 6;

export function explainContext(c: Case): Explanation {
  const { subject } = c.history;
  const { values } = c.failure;
  const low = Number(values.offset);
  const size = Number(values.size);
  const isWrite = values.verb === 'write';
  const touched = bytesText(low, low + size - 1);
  const label = `${isWrite ? 'writes' : 'reads'} ${touched}`;
  if (subject.layout === undefined) return { label, ...withoutLayout(c, low, size, isWrite) };
  const field = subject.layout.fields.find(
    (one) => low < one.offset + one.sizeBytes && one.offset < low + size,
  );
  const struct = subject.layout.struct;
  if (field === undefined) {
    return {
      label,
      message: `${touched} of struct ${struct} are no field that a ${subject.type.name} program may ${values.verb}`,
      help: `fields: ${fieldList(c, subject.layout, low, isWrite)}`,
    };
  }
  return {
    label: `${label}: ${field.name} is ${bytesText(field.offset, field.offset + field.sizeBytes - 1)}`,
    ...fieldProblem(c, subject.layout, field, low, size, isWrite),
  };
}

function fieldProblem(
  c: Case,
  layout: ContextLayout,
  field: ContextField,
  low: number,
  size: number,
  isWrite: boolean,
): Explanation {
  const { subject } = c.history;
  const name = `'${field.name}' of struct ${layout.struct}`;
  const attach = attachTypeOf(subject.program);
  const allowed = (isWrite ? field.writeAttachTypes : undefined) ?? field.attachTypes;
  if (allowed !== undefined && !allowed.includes(attach ?? '')) {
    return {
      message: `${name} cannot be ${isWrite ? 'written' : 'read'} by programs attached as ${attach}`,
      help: `it is open to: ${allowed.join(', ')}`,
    };
  }
  if (isWrite ? !field.write : !field.read) {
    return {
      message: `${name} may not be ${isWrite ? 'written' : 'read'} by ${subject.type.name} programs`,
      help: `fields: ${fieldList(c, layout, low, isWrite)}`,
    };
  }
  const whole = low === field.offset && size === field.sizeBytes;
  return {
    message: whole
      ? `${name} cannot be accessed here`
      : `${name} has ${field.sizeBytes} bytes at offset ${field.offset}; an access of ${size} at ${low} is not allowed`,
    help: `access it as a whole (${field.sizeBytes} bytes) and cut the value afterwards`,
  };
}

/** `len@0 u32, mark@8 u32`: the fields nearest to the access that allow it. */
function fieldList(c: Case, layout: ContextLayout, low: number, isWrite: boolean): string {
  const attach = attachTypeOf(c.history.subject.program) ?? '';
  const open = layout.fields.filter(
    (field) =>
      (isWrite ? field.write : field.read) &&
      (field.attachTypes === undefined || field.attachTypes.includes(attach)),
  );
  const near = [...open].sort((a, b) => Math.abs(a.offset - low) - Math.abs(b.offset - low));
  const shown = near.slice(0, MOST_FIELDS).sort((a, b) => a.offset - b.offset);
  const more = open.length > shown.length ? `, and ${open.length - shown.length} more` : '';
  const list = shown.map(({ name, offset, sizeBytes }) => `${name}@${offset} (${sizeBytes} bytes)`);
  return list.length === 0 ? 'none' : list.join(', ') + more;
}

/** Contexts that are bytes: tracepoint records, registers, buffers. */
function withoutLayout(c: Case, low: number, size: number, isWrite: boolean): Explanation {
  const { type } = c.history.subject;
  const touched = bytesText(low, low + size - 1);
  if (isWrite) {
    return {
      message: `the context of a ${type.name} program may only be read; this writes ${touched}`,
      help: 'copy what is to be changed to the stack',
    };
  }
  if (type.name === 'tracepoint' && low < 8) {
    return {
      message: `${touched} of a tracepoint's record may not be read: the first 8 bytes are private to the kernel`,
      help: `read the fields of the event, from byte 8 on${fieldsOfEvent(c)}`,
    };
  }
  return {
    message: `the context of a ${type.name} program cannot be read at ${touched}`,
    help: 'access a field in its declared size, at a multiple of that size',
  };
}

/** The fields of a tracepoint's record, from the kernel's types where they were given. */
function fieldsOfEvent(c: Case): string {
  const { kernel, program } = c.history.subject;
  const event = program.attachTarget?.split('/').at(-1) ?? program.section.split('/').at(-1) ?? '';
  const where = `see /sys/kernel/tracing/events/${eventPath(c)}/format`;
  const btf = kernel?.btf;
  const struct = btf?.find(`trace_event_raw_${event}`, 'struct');
  if (btf === undefined || struct === undefined) return ` (${where})`;
  const fields = layoutOf(btf, struct)
    .filter(({ bitOffset, sizeBytes }) => bitOffset >= 64 && sizeBytes > 0)
    .map(({ name, bitOffset, sizeBytes }) => `${name}@${bitOffset / 8} (${sizeBytes} bytes)`);
  return `: ${fields.join(', ')}`;
}

const eventPath = (c: Case): string => {
  const parts = c.history.subject.program.section.split('/');
  return parts.slice(1).join('/');
};
