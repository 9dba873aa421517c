/**
 * Contexts without a layout: tracepoint records, words of raw tracepoints, buffers of system-call
 * programs. All bytes are alike; each rule says which of them may be touched.
 *
 * Source: what Linux 6.18 refuses (checked against the running kernel).
 */

import type { ProgramTypeRow } from '../../platform/index.ts';
import type { AccessRequest } from '../obligations/obligation.ts';

/** The first 8 bytes of a tracepoint record belong to the kernel. */
const TRACEPOINT_START = 8;

/** Whether [offset, offset + size) may be accessed. */
export function allowsRaw(type: ProgramTypeRow, offset: number, request: AccessRequest): boolean {
  const bytes = type.contextBytes ?? 0;
  if (offset + request.size > bytes || offset % request.size !== 0) return false;
  switch (type.contextRule) {
    case 'tracepoint':
      return request.verb === 'read' && offset >= TRACEPOINT_START;
    case 'raw-words':
      // The pointer to a buffer is read whole.
      return request.verb === 'read' && (!hasBuffer(type, offset) || request.size === 8);
    case 'buffer':
      return true;
    default:
      return false;
  }
}

/** Whether the word at `offset` is the buffer of a writable raw tracepoint: its first. */
export const hasBuffer = (type: ProgramTypeRow, offset: number): boolean =>
  type.name === 'raw_tracepoint_writable' && offset === 0;
