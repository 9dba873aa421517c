/**
 * Regions of execution: RCU read sections, disabled preemption, disabled interrupts, held locks.
 * Each is entered and left by a call, must be left before the program ends, and restricts what may
 * be called in between: nothing that sleeps, and under a lock next to nothing.
 *
 * Rules: Documentation/bpf/kfuncs.rst, bpf_design_QA.rst; checked against Linux 6.18 by
 * test/verifier/resources.
 */

import { type Contract, hasFlag, maySleep } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { holdsRcu } from '../kernel/pointer.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { forEachObject } from './stack-object.ts';

/** May this be called in the regions that the program is in? */
export function checkRegions(walk: Walk, pc: number, callee: Contract): Failure | null {
  return (
    checkLocked(walk, pc, callee) ??
    checkSleep(walk, pc, callee) ??
    checkRcu(walk, pc, callee) ??
    checkPreemption(walk, pc, callee)
  );
}

function checkLocked(walk: Walk, pc: number, callee: Contract): Failure | null {
  if (walk.state.words[L.LOCK_COUNT] === 0 || callee.underLock === true) return null;
  return { code: 'call-while-locked', pc, values: { name: callee.name } };
}

interface Region {
  readonly word: number;
  readonly what: string;
  readonly linux: string;
}

const REGIONS: readonly Region[] = [
  { word: L.RCU_DEPTH, what: 'the RCU read lock', linux: 'rcu_read_lock' },
  { word: L.PREEMPT_DEPTH, what: 'the preemption lock', linux: 'non-preemptible' },
  { word: L.IRQ_DEPTH, what: 'the interrupt state', linux: 'IRQ-disabled' },
];

function checkSleep(walk: Walk, pc: number, callee: Contract): Failure | null {
  if (!maySleep(callee)) return null;
  // What runs later may sleep where its program may not, and the other way round.
  if (walk.state.words[L.SLEEPABLE] === 0) {
    const values = { name: callee.name, helper: callee.id ?? callee.name };
    return { code: hasFlag(callee, 'sleepable') ? 'kfunc-sleeps' : 'helper-sleeps', pc, values };
  }
  const region = REGIONS.find(({ word }) => walk.state.words[word]! > 0);
  if (region === undefined) return null;
  const linuxKind = callee.id === undefined ? 'kernel func' : 'sleepable helper';
  const values = { name: callee.name, what: region.what, linuxKind, region: region.linux };
  return { code: 'sleep-in-region', pc, values };
}

function checkRcu(walk: Walk, pc: number, callee: Contract): Failure | null {
  const values = { name: callee.name, what: 'the RCU read lock' };
  const depth = walk.state.words[L.RCU_DEPTH]!;
  if (depth > 0 && hasFlag(callee, 'rcu-lock')) return { code: 'region-nested', pc, values };
  if (depth === 0 && hasFlag(callee, 'rcu-unlock')) {
    const linuxText = `unmatched rcu read unlock (kernel function ${callee.name})`;
    return { code: 'region-not-entered', pc, values: { ...values, linuxText } };
  }
  if (!hasFlag(callee, 'rcu-protected') || holdsRcu(walk)) return null;
  return { code: 'region-needed', pc, values };
}

function checkPreemption(walk: Walk, pc: number, callee: Contract): Failure | null {
  if (!hasFlag(callee, 'preempt-enable') || walk.state.words[L.PREEMPT_DEPTH]! > 0) return null;
  const linuxText = `unmatched attempt to enable preemption (kernel function ${callee.name})`;
  const values = { name: callee.name, what: 'the preemption lock', linuxText };
  return { code: 'region-not-entered', pc, values };
}

/** The call enters or leaves regions, as its flags say. */
export function passRegions(walk: Walk, callee: Contract): void {
  const { words } = walk.state;
  for (const flag of callee.flags ?? []) {
    if (flag === 'rcu-lock') words[L.RCU_DEPTH]! += 1;
    else if (flag === 'preempt-disable') words[L.PREEMPT_DEPTH]! += 1;
    else if (flag === 'preempt-enable') words[L.PREEMPT_DEPTH]! -= 1;
    else if (flag === 'rcu-unlock') {
      words[L.RCU_DEPTH]! -= 1;
      forgetRcu(walk);
    }
  }
}

/** What RCU protected may be freed from now on: it can be read where a fault yields 0, no more. */
function forgetRcu(walk: Walk): void {
  const { state } = walk;
  const spoil = (value: number) => {
    const flags = state.words[value + L.FLAGS]!;
    if ((flags & L.FLAG_RCU) === 0) return;
    state.words[value + L.FLAGS] = (flags & ~(L.FLAG_RCU | L.FLAG_NULLABLE)) | L.FLAG_UNTRUSTED;
  };
  state.forEachValue((value) => {
    if (state.kind(value) !== kinds.SCALAR) spoil(value);
  });
  forEachObject(state, L.BYTE_ITERATOR, spoil);
}
