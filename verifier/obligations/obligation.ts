/**
 * Obligations: what an instruction owes before it may execute, as data. They depend on nothing but
 * the instruction, so they are made once per slot; `discharge/` decides whether they hold in a
 * state, and `transfer/` may rely on them.
 */

import type { Contract } from '../contract.ts';

export type AccessVerb = 'read' | 'write';

/** A run of bytes that is accessed through a pointer in a register. */
export interface AccessRequest {
  readonly pc: number;
  readonly register: number;
  /** Added to the pointer. */
  readonly offset: number;
  readonly size: number;
  readonly verb: AccessVerb;
  /** Helpers may touch bytes that instructions may not, and need no alignment. */
  readonly by: 'instruction' | 'atomic' | 'helper';
}

export type Rule =
  /** The register holds something. */
  | 'initialised'
  /** The register is not r10. */
  | 'changeable'
  /** The operation is defined on the kinds of its operands. */
  | 'arithmetic'
  /** The operands may be compared. */
  | 'comparison'
  /** The bytes of `request` may be accessed. */
  | 'access'
  /** The register's value may be written to where the access goes. */
  | 'storable'
  /** The register holds a number. */
  | 'number'
  /** Argument `index` satisfies the contract of `callee`. */
  | 'argument'
  /** The call as a whole: locks, references, nesting. */
  | 'call'
  /** r6 holds the context; nothing is held that an early exit would leak. */
  | 'legacy-packet-load'
  /** The frame may end here. */
  | 'exit';

/**
 * What a rule is not about is left at `UNUSED`. All obligations have the same fields, since each is
 * looked at on every step, and objects of one shape are read several times as fast.
 */
export interface Obligation {
  readonly rule: Rule;
  readonly register: number;
  readonly request: AccessRequest;
  readonly callee: Contract | undefined;
  readonly index: number;
}

const NO_REQUEST: AccessRequest = Object.freeze({
  pc: -1,
  register: -1,
  offset: 0,
  size: 0,
  verb: 'read',
  by: 'instruction',
});

export const UNUSED: Omit<Obligation, 'rule'> = Object.freeze({
  register: -1,
  request: NO_REQUEST,
  callee: undefined,
  index: -1,
});
