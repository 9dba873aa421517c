/**
 * May this program touch these bytes of its context, and what does it get? The one place that
 * interprets the narrow and wide columns of a layout.
 */

import type { ContextField, ContextLayout } from './types.ts';

export type Direction = 'read' | 'write';

export interface ContextAccess {
  readonly field: ContextField;
  /** Index of the field in the layout. */
  readonly index: number;
  /** Byte of the field at which the access starts. */
  readonly start: number;
}

/** Whether `sizeBytes` from byte `start` of the field may be accessed, less than the whole. */
function allowsPart(
  field: ContextField,
  start: number,
  sizeBytes: number,
  direction: Direction,
): boolean {
  if (start % sizeBytes !== 0) return false;
  switch (field.narrow) {
    case 'none':
      return false;
    case 'read-start':
      return direction === 'read' && start === 0;
    case 'read-halves':
      return direction === 'read' && sizeBytes === 2;
    case 'read':
      return direction === 'read';
    case 'read-write':
      return true;
    default:
      return field.narrow satisfies never;
  }
}

function allows(
  field: ContextField,
  start: number,
  sizeBytes: number,
  direction: Direction,
): boolean {
  if (!(direction === 'read' ? field.read : field.write)) return false;
  if (sizeBytes < field.sizeBytes) return allowsPart(field, start, sizeBytes, direction);
  if (start !== 0) return false;
  if (sizeBytes === field.sizeBytes) return true;
  const wide = field.wide === 'read-write' || (field.wide === 'read' && direction === 'read');
  return wide && sizeBytes === 2 * field.sizeBytes && field.offset % sizeBytes === 0;
}

const attachedTo = (allowed: readonly string[] | undefined, attachType: string | undefined) =>
  allowed === undefined || allowed.includes(attachType ?? '');

/** The field that an access hits, or undefined where the access is not allowed. */
export function contextAccess(
  layout: ContextLayout,
  offset: number,
  sizeBytes: number,
  direction: Direction,
  attachType?: string,
): ContextAccess | undefined {
  const index = layout.fields.findIndex(
    (field) => offset >= field.offset && offset < field.offset + field.sizeBytes,
  );
  const field = layout.fields[index];
  if (field === undefined) return undefined;
  if (!attachedTo(field.attachTypes, attachType)) return undefined;
  if (direction === 'write' && !attachedTo(field.writeAttachTypes, attachType)) return undefined;
  const start = offset - field.offset;
  return allows(field, start, sizeBytes, direction) ? { field, index, start } : undefined;
}
