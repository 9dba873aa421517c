/** A helper that is a JavaScript function, called by the interpreter: bytes by copy, as natively. */

import type { HostedArgument, HostedHelpers } from '../hosted.ts';
import type { Call } from './helpers/call.ts';

type Register = 1 | 2 | 3 | 4 | 5;

/** r0 of helper `index`; the least that its contract allows where it failed. */
export function callHosted(hosted: HostedHelpers, index: number, call: Call): bigint {
  const { parameters, range } = hosted.helpers[index]!.contract;
  const written: (readonly [Uint8Array, Uint8Array])[] = [];
  const args = parameters.map((parameter): HostedArgument => {
    const register = (parameter.register + 1) as Register;
    if (parameter.kind === 'number') return call.u64(register);
    const sizeBytes = parameter.sizeBytes ?? call.u32((register + 1) as Register);
    if (parameter.access === 'read') return call.bytes(register, sizeBytes).slice();
    const own = call.bytes(register, sizeBytes, 'read-write');
    if (parameter.access === 'write') own.fill(0);
    const copy = own.slice();
    written.push([own, copy]);
    return copy;
  });
  const result = hosted.call(index, args);
  for (const [own, copy] of written) if (copy.length === own.length) own.set(copy);
  return result ?? range.min;
}
