/**
 * Regions: one thread runs, so nothing is there to be kept out. A resilient lock alone has something
 * to tell, as its own holder may ask for it again.
 */

import type { Call, HelperFunction } from '../helpers/call.ts';
import { int32 } from './numbers.ts';

const EDEADLK = -35n;

const nothing: HelperFunction = () => 0n;

function save(call: Call, number: 1 | 2): bigint {
  call.bytes(number, 8, 'read-write').fill(0);
  return 0n;
}

function lock(call: Call): bigint {
  const held = new DataView(call.bytes(1, 4, 'read-write').slice().buffer).getUint32(0, true);
  if (held !== 0) return int32(EDEADLK);
  call.machine.memory.store(call.u64(1), 4, 2n);
  return 0n;
}

function unlock(call: Call): bigint {
  call.machine.memory.store(call.u64(1), 4, 0n);
  return 0n;
}

export const REGIONS: Readonly<Record<string, HelperFunction>> = {
  bpf_rcu_read_lock: nothing,
  bpf_rcu_read_unlock: nothing,
  bpf_preempt_disable: nothing,
  bpf_preempt_enable: nothing,
  bpf_local_irq_save: (call) => save(call, 1),
  bpf_local_irq_restore: nothing,
  bpf_res_spin_lock: lock,
  bpf_res_spin_unlock: unlock,
  bpf_res_spin_lock_irqsave: (call) => {
    save(call, 2);
    return lock(call);
  },
  bpf_res_spin_unlock_irqrestore: unlock,
};
