/** Running what was loaded: one packet, many, timed; buffers of every kind; errors. */
import { describe, expect, it } from 'vitest';
import { loadCodes } from '../../loader/load.ts';
import { loadEax32, loadRdi, machineCode, movEax, ret } from './machine-code.ts';

const PASS = machineCode([movEax(2), ret]);
const packet = Uint8Array.from({ length: 60 }, (_, i) => i);

const open = (code = PASS) => loadCodes([code], { lifetime: 'replaceable' })[0]!;

describe('run', () => {
  it('returns r0 and names the action', () => {
    using extension = open();
    expect(extension.run({ packet })).toBe(2);
    expect(extension.actionName(2)).toBe('XDP_PASS');
  });

  it('shows the packet through the pointer header', () => {
    // rdi = context; slot 0 of the header is `data`
    using extension = open(machineCode([loadRdi(-64), loadEax32(4), ret]));
    expect(extension.run({ packet })).toBe(0x07060504);
  });

  it('reports time, packet and action of a test', () => {
    using extension = open();
    const report = extension.test({ packet }, { repeat: 100 });
    expect(report).toMatchObject({ r0: 2n, action: 'XDP_PASS', packet, runs: 100 });
    expect(report.nanosecondsPerRun).toBeGreaterThan(0);
  });
});
