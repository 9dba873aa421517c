/** Contexts given as numbers by field name, for the program types that Linux has. */
import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { compile } from '../../jit/index.ts';
import { load, type RunInput } from '../../loader/index.ts';
import { observe, packet } from '../../testing/index.ts';
import { verify } from '../../verifier/index.ts';

/** The number at a place of the context, from both engines. */
function read(type: string, place: string, input: RunInput): number[] {
  const text = `.type ${type}\nr0 = *(${place})\nexit\n`;
  const verdict = verify(assembleProgram(text, 'read.s', new Map()));
  if (!verdict.ok) throw new Error(verdict.diagnostics[0]?.message);
  using native = load(compile(verdict.proof), { lifetime: 'replaceable' });
  using observed = observe(verdict.proof);
  return [native.run(input), observed.run(input)];
}

const PACKET = packet.tcp();

describe('a context by field name', () => {
  it('reaches programs of every kind', () => {
    expect(
      read('xdp', 'u32 *)(r1 + 12', { packet: PACKET, context: { ingress_ifindex: 9 } }),
    ).toEqual([9, 9]);
    expect(
      read('socket_filter', 'u32 *)(r1 + 8', { packet: PACKET, context: { mark: 77 } }),
    ).toEqual([77, 77]);
    expect(read('perf_event', 'u64 *)(r1 + 40', { context: { bx: 5n } })).toEqual([5, 5]);
  });

  it('is refused where it names nothing, or a pointer', () => {
    const xdp = (context: Record<string, number>) => () =>
      read('xdp', 'u32 *)(r1 + 12', { packet: PACKET, context });
    expect(xdp({ ifindex: 1 })).toThrow("no field 'ifindex'; it has ingress_ifindex");
    expect(xdp({ data: 1 })).toThrow("field 'data' points at what the run is given");
    expect(xdp({ ingress_ifindex: 2 ** 32 })).toThrow(RangeError);
    expect(xdp({ ingress_ifindex: '1' as never })).toThrow('must be a whole number');
  });
});
