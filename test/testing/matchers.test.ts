/** Claims about verdicts: that they hold, fail and are refused for the right reasons, and what they say. */
import { AssertionError } from 'node:assert';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  assertAccepted,
  assertRejectedWith,
  FileVerdicts,
  matchers,
  verifyFile,
} from '../../testing/index.ts';
import '../../testing/vitest.ts';
import { assembleProgram, type Program } from '../../isa/index.ts';

const SAMPLES = join(import.meta.dirname, '../../programs/samples');
const sample = (name: string) => verifyFile(join(SAMPLES, `${name}.bpf.o`));

/** Two programs of one object: one is fine, one loops. */
function mixed(): FileVerdicts {
  const program = (name: string, text: string): Program => ({
    ...assembleProgram(text, 'mixed.s', new Map()),
    name,
  });
  const programs = [
    program('fine', 'r0 = 0\nexit\n'),
    program('stuck', 'r0 = 0\nif r1 == 0 goto +0\ngoto -1\n'),
  ];
  return new FileVerdicts('mixed.s', programs, { profile: 'memory' });
}

describe('toBeAccepted', () => {
  it('holds for a proven program within its limits', async () => {
    const verdicts = await sample('firewall');
    expect(verdicts).toBeAccepted();
    expect(verdicts).toBeAccepted({
      profile: 'linux-6.18',
      maxInstructions: 46,
      maxStack: 8,
      linux: 'accepted',
      program: 'firewall',
    });
  });

  it('says which limit is exceeded, and by how much', async () => {
    const verdicts = await sample('firewall');
    expect(() => expect(verdicts).toBeAccepted({ maxInstructions: 45 })).toThrow(
      'expected firewall to execute at most 45 instructions, but the proven bound is 46',
    );
    expect(() => expect(verdicts).toBeAccepted({ maxStack: 4 })).toThrow(
      'expected firewall to use at most 4 bytes of stack, but it uses 8',
    );
    expect(verdicts).not.toBeAccepted({ maxStack: 4 });
  });

  it('shows the diagnostic as it is rendered', async () => {
    const verdicts = await sample('bad-bounds');
    expect(() => expect(verdicts).toBeAccepted()).toThrow(
      /expected drop_ipv6 to be accepted, but:\nerror\[packet-out-of-bounds\][\s\S]*bad-bounds\.bpf\.c:\d+[\s\S]*help:/,
    );
  });

  it('verifies under the profile that it names', async () => {
    const verdicts = await sample('firewall');
    expect(() => expect(verdicts).toBeAccepted({ profile: 'memory' })).toThrow(
      'error[program-type-missing]',
    );
    expect(verdicts.under('memory')).toBe(verdicts.under('memory'));
  });

  it('claims it of every program of an object, or of the one named', () => {
    const verdicts = mixed();
    expect(verdicts).not.toBeAccepted();
    expect(verdicts).toBeAccepted({ program: 'fine' });
    expect(() => expect(verdicts).toBeAccepted({ program: 'fin' })).toThrow(
      "no program is called 'fin'; did you mean fine?",
    );
  });

  it('takes single verdicts and lists of them', () => {
    const [fine, stuck] = mixed().verdicts;
    expect(fine).toBeAccepted();
    expect([fine, stuck]).not.toBeAccepted();
    expect(fine).toBeAccepted({ profile: 'memory' });
  });
});

describe('toBeRejectedWith', () => {
  it('holds for the code, the line and the instruction', async () => {
    const verdicts = await sample('bad-bounds');
    const [verdict] = verdicts.verdicts;
    if (verdict === undefined || verdict.ok) throw new Error('it is refused');
    const { line, instruction } = verdict.diagnostics[0]!.primary;
    expect(verdicts).toBeRejectedWith('packet-out-of-bounds');
    expect(verdicts).toBeRejectedWith('packet-out-of-bounds', { line: line!, instruction });
    expect(verdicts).not.toBeRejectedWith('packet-out-of-bounds', { line: 1 });
    expect(() => expect(verdicts).toBeRejectedWith('packet-out-of-bounds', { line: 1 })).toThrow(
      `at line 1, but it is at line ${line}`,
    );
  });

  it('says what was found instead', async () => {
    const verdicts = await sample('bad-bounds');
    expect(() => expect(verdicts).toBeRejectedWith('infinite-loop')).toThrow(
      /with infinite-loop, but the reason is packet-out-of-bounds:\nerror\[/,
    );
    const fine = await sample('firewall');
    expect(() => expect(fine).toBeRejectedWith('infinite-loop')).toThrow(
      'with infinite-loop, but the program is accepted',
    );
  });

  it('finds the refused one among several programs', () => {
    expect(mixed()).toBeRejectedWith('infinite-loop');
    expect(mixed()).toBeRejectedWith('infinite-loop', { program: 'stuck' });
    expect(mixed()).not.toBeRejectedWith('infinite-loop', { program: 'fine' });
  });
});

describe('slips in the claim', () => {
  it('are errors that name what is near, negated or not', async () => {
    const verdicts = await sample('bad-bounds');
    const wrong = 'packet-out-of-bound' as 'packet-out-of-bounds';
    for (const claim of [expect(verdicts), expect(verdicts).not]) {
      expect(() => claim.toBeRejectedWith(wrong)).toThrow(/did you mean packet-out-of-bounds/);
      expect(() => claim.toBeAccepted({ maxStak: 4 } as object)).toThrow(
        "there is no option 'maxStak'; did you mean maxStack?",
      );
      expect(() => claim.toBeAccepted({ profile: 'linux-6.81' })).toThrow(
        /no profile is called 'linux-6.81'; did you mean linux-6.1/,
      );
    }
  });

  it('are forgotten awaits and foreign values too', () => {
    expect(() => expect(sample('firewall')).toBeAccepted()).toThrow('expect(await verifyFile(…))');
    expect(() => expect({}).toBeAccepted()).toThrow('what verifyFile() or verify() answered');
    expect(() => expect([]).not.toBeAccepted()).toThrow('no verdicts');
  });

  it('fail to compile where types can tell', async () => {
    const verdicts = await sample('bad-bounds');
    // @ts-expect-error a code that no diagnostic has
    expect(() => assertRejectedWith(verdicts, 'packet-out-of-bound')).toThrow(RangeError);
    // @ts-expect-error an option that does not exist
    expect(() => expect(verdicts).toBeAccepted({ stack: 1 })).toThrow(TypeError);
  });
});

describe('verifyFile', () => {
  it('reports malformed and absent files', async () => {
    await expect(verifyFile(import.meta.filename)).rejects.toThrow('matchers.test.ts');
    await expect(verifyFile('/nowhere.bpf.o')).rejects.toThrow('ENOENT');
    await expect(
      verifyFile(join(SAMPLES, 'firewall.bpf.o'), { profile: 'linux-9' }),
    ).rejects.toThrow("no profile is called 'linux-9'");
  });
});

describe('plain functions', () => {
  it('throw assertion errors that test runners show', async () => {
    const verdicts = await sample('bad-bounds');
    assertRejectedWith(verdicts, 'packet-out-of-bounds');
    expect(() => assertAccepted(verdicts)).toThrow(AssertionError);
    expect(() => assertRejectedWith(verdicts, 'infinite-loop')).toThrow(AssertionError);
    assertAccepted(await sample('firewall'), { maxInstructions: 46 });
  });

  it('and matchers work with any expect.extend', async () => {
    const verdicts = await sample('firewall');
    expect(Object.keys(matchers)).toEqual(['toBeAccepted', 'toBeRejectedWith']);
    const { pass, message } = matchers.toBeAccepted(verdicts);
    expect(pass).toBe(true);
    expect(message()).toContain('accepted xdp/firewall');
  });
});
