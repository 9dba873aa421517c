/**
 * Every sample over the whole capture, on every engine, against programs/samples/expect.json. With
 * BLESS=1 the outcomes are written from the running kernel first; the model and our own engines must
 * then agree with it.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernelRefusal, loadIntoKernel } from '../../../hosts/kernel/index.ts';
import { verify } from '../../../verifier/index.ts';
import { ENGINES, KERNEL, runSample } from './engines.ts';
import {
  type AcceptedSample,
  type Expectations,
  FOLDER,
  type RejectedSample,
  readExpectations,
  readPackets,
  readSample,
  writeExpectations,
} from './expectations.ts';

const packets = readPackets(readExpectations());

function bless(expectations: Expectations): Expectations {
  const samples = expectations.samples.map((sample) =>
    sample.verdict === 'rejected'
      ? sample
      : { ...sample, outcome: runSample(KERNEL, readSample(sample), sample.initial, packets) },
  );
  const blessed = { ...expectations, samples };
  writeExpectations(blessed);
  return blessed;
}

const expectations = process.env.BLESS === '1' ? bless(readExpectations()) : readExpectations();
const accepted = expectations.samples.filter(
  (sample): sample is AcceptedSample => sample.verdict === 'accepted',
);
const rejected = expectations.samples.filter(
  (sample): sample is RejectedSample => sample.verdict === 'rejected',
);

for (const { name, refusal } of ENGINES)
  if (refusal !== undefined) console.log(`samples are not run by the ${name}: ${refusal}`);

it('names every sample object', () => {
  const objects = readdirSync(FOLDER).filter((name) => name.endsWith('.bpf.o'));
  expect(expectations.samples.map(({ object }) => object).sort()).toEqual(objects.sort());
});

describe.each(accepted)('$program', (sample) => {
  it('is proven safe, and predicted so for Linux', () => {
    const verdict = verify(readSample(sample));
    expect(verdict).toMatchObject({ ok: true, linux: 'accepted', warnings: [] });
  });

  for (const engine of ENGINES)
    it.skipIf(engine.refusal !== undefined)(`gives its results on the ${engine.name}`, () => {
      const outcome = runSample(engine, readSample(sample), sample.initial, packets);
      expect(outcome).toEqual(sample.outcome);
    });
});

describe.each(rejected)('$program', (sample) => {
  it('is rejected for its fault', () => {
    const verdict = verify(readSample(sample));
    expect(verdict).toMatchObject({
      ok: false,
      outcome: 'rejected',
      linux: 'rejected',
      diagnostics: [{ code: sample.code }],
    });
  });

  it.skipIf(kernelRefusal() !== undefined)(
    'is refused by the kernel, in the expected words',
    () => {
      const verdict = loadIntoKernel(readSample(sample), { logLevel: 1 });
      expect(verdict.accepted).toBe(false);
      expect(verdict.log).toContain(sample.linux);
    },
  );
});
