/** What a call does to resources, before its arguments are lost: by its flags and arguments. */

import type { Contract } from '../contract.ts';
import type { Walk } from '../explore/walk.ts';
import { passDynptr } from './dynptr.ts';
import { passIrqFlag } from './interrupts.ts';
import { passIterator } from './iterator.ts';
import { passLock } from './lock.ts';
import { passRegions } from './regions.ts';

export function passResources(walk: Walk, pc: number, callee: Contract): void {
  callee.arguments.forEach((argument, index) => {
    switch (argument.kind) {
      case 'spin-lock':
      case 'resilient-spin-lock':
        passLock(walk, pc, callee);
        return;
      case 'irq-flag':
        passIrqFlag(walk, pc, callee);
        return;
      case 'iterator':
        passIterator(walk, pc, callee);
        return;
      case 'dynptr':
        passDynptr(walk, pc, callee, index, argument);
        return;
      default:
    }
  });
  passRegions(walk, callee);
}
