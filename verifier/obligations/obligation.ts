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

export type Obligation =
  /** The register holds something. */
  | { readonly rule: 'initialised'; readonly register: number }
  /** The register is not r10. */
  | { readonly rule: 'changeable'; readonly register: number }
  /** The operation is defined on the kinds of its operands. */
  | { readonly rule: 'arithmetic' }
  /** The operands may be compared. */
  | { readonly rule: 'comparison' }
  | { readonly rule: 'access'; readonly request: AccessRequest }
  /** The register's value may be written to where the access goes. */
  | { readonly rule: 'storable'; readonly register: number; readonly request: AccessRequest }
  /** The register holds a number, or what an atomic operation may take for one. */
  | { readonly rule: 'number'; readonly register: number }
  /** An argument satisfies the callee's contract. */
  | { readonly rule: 'argument'; readonly callee: Contract; readonly index: number }
  /** The call as a whole: locks, references, nesting. */
  | { readonly rule: 'call' }
  /** r6 holds the context; nothing is held that an early exit would leak. */
  | { readonly rule: 'legacy-packet-load' }
  /** The frame may end here. */
  | { readonly rule: 'exit' };

export type Rule = Obligation['rule'];
