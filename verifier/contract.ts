/**
 * What a call asks of its arguments and promises of its result, whether the callee is a helper or a
 * kernel function. Rows of both platform tables have this shape, so that one set of rules serves
 * both.
 */

import type { KfuncArgument, KfuncFlag, KfuncReturn } from '../platform/index.ts';

export interface Contract {
  readonly name: string;
  /** Helpers: their number. */
  readonly id?: number;
  readonly arguments: readonly KfuncArgument[];
  readonly returns: KfuncReturn;
  /** Kernel functions only. */
  readonly flags?: readonly KfuncFlag[];
  readonly changesPacket?: boolean;
  /** Helpers: may sleep. Kernel functions say so by a flag. */
  readonly sleeps?: boolean;
  /** May be called while a lock is held. */
  readonly underLock?: boolean;
  /** Helpers: take packet pointers as memory arguments. */
  readonly packetAccess?: boolean;
  /** The arguments from this index on may be uninitialised. */
  readonly variadicFrom?: number;
}

export const hasFlag = (contract: Contract, flag: KfuncFlag): boolean =>
  contract.flags?.includes(flag) ?? false;

/** Whether the callee may sleep. */
export const maySleep = (contract: Contract): boolean =>
  contract.sleeps === true || hasFlag(contract, 'sleepable');
