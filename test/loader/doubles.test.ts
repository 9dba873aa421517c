/** The native engine and its double, helper by helper: the calls that are put to the kernel, and more. */
import { describe, expect, it } from 'vitest';
import { packet } from '../../hosts/index.ts';
import { addon } from '../../loader/index.ts';
import { HELPERS as DOUBLES } from '../../loader/reference/helpers.ts';
import { KFUNCS as KFUNC_DOUBLES } from '../../loader/reference/kfuncs.ts';
import { HELPERS } from '../../platform/index.ts';
import {
  type KernelCase,
  LINK_CASES,
  READING_CASES,
  WRITING_CASES,
  XDP_CASES,
} from '../support/kernel-cases.ts';
import { compareEngines } from './engines.ts';

const PACKETS = [
  packet.tcp({ src: '10.0.0.1:1234', dst: '10.0.0.2:80', tos: 1, payload: 'hello hello hello' }),
  packet.udp({ src: '[2001:db8::1]:53', dst: '[2001:db8::2]:53', payload: 'x'.repeat(100) }),
  packet.tcp({ vlans: [5, 6], dst: '10.0.0.2:80' }),
  new Uint8Array(14),
].map((bytes) => ({ packet: bytes }));

describe('the reference engine', () => {
  it('has a double of everything that runs natively', () => {
    const native = HELPERS.filter(({ id }) => addon().hasHelper(id));
    expect(native.filter(({ id }) => DOUBLES[id] === undefined)).toEqual([]);
    expect(
      addon()
        .kfuncNames()
        .filter((name) => !KFUNC_DOUBLES.has(name)),
    ).toEqual([]);
  });

  it.each<[string, readonly KernelCase[]]>([
    ['that read socket buffers', READING_CASES],
    ['that write and resize socket buffers', WRITING_CASES],
    ['that insert and remove headers', LINK_CASES],
    ['of xdp', XDP_CASES],
  ])('answers as the native one: helpers %s', (_, cases) => {
    const sample = cases.filter((_case, i) => i % 3 === 0);
    const wrong = sample.flatMap(({ name, program }) =>
      compareEngines(program, PACKETS, {}).map((difference) => `${name}, ${difference}`),
    );
    expect(wrong).toEqual([]);
  });
});
