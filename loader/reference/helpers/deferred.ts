/** Timers, work queues, user ring buffers: callbacks that run later, or for what the host wrote. */

import { cancelDeferred, deferredAt, initDeferred, startDeferred } from '../deferred.ts';
import { EINVAL } from '../maps.ts';
import type { Call, HelperFunction } from './call.ts';

function setCallback(call: Call): bigint {
  const deferred = deferredAt(call.run, call.u64(1));
  const pc = call.machine.functionAt(call.u64(2));
  if (pc === undefined) throw call.machine.fault('call', 'callback is not a function');
  if (deferred === undefined) return EINVAL;
  deferred.callback = { executable: call.machine.executable, pc };
  return 0n;
}

/** BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP. */
const WAKEUPS = 3n;
/** BPF_MAX_USER_RINGBUF_SAMPLES, discarded ones included. */
const SAMPLES_MAX = 128 * 1024;
const EBUSY = -16n;

function drain(call: Call): bigint {
  const map = call.map(1);
  if (call.u64(4) & ~WAKEUPS) return EINVAL;
  if (map.draining) return EBUSY;
  map.draining = true;
  let samples = 0;
  try {
    while (samples < SAMPLES_MAX) {
      const sample = map.consume();
      if (sample === undefined) break;
      samples++;
      const dynptr = call.run.lendDynptr(sample);
      if (call.callback(dynptr, call.u64(3)) !== 0n) break;
    }
  } finally {
    map.draining = false;
  }
  return BigInt(samples);
}

const int = (value: bigint) => BigInt.asUintN(32, value);

export const DEFERRED: Readonly<Record<number, HelperFunction>> = {
  169: (call) => initDeferred(call.map(2), call.u64(1), 'timer', call.u64(3)),
  170: setCallback,
  171: (call) => startDeferred(call.run, call.u64(1), call.u64(2), call.u64(3)),
  172: (call) => cancelDeferred(call.run, call.u64(1)),
  209: drain,
};

export const DEFERRED_KFUNCS: Readonly<Record<string, HelperFunction>> = {
  bpf_wq_init: (call) => int(initDeferred(call.map(2), call.u64(1), 'work', BigInt(call.u32(3)))),
  bpf_wq_set_callback_impl: (call) => int(call.u32(3) === 0 ? setCallback(call) : EINVAL),
  bpf_wq_start: (call) => int(startDeferred(call.run, call.u64(1), 0n, BigInt(call.u32(2)))),
};
