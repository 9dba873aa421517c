/**
 * A folder of small C programs, each a rule kept or broken. A comment before each says what Linux
 * 6.18 says of it; ringfence must say the same, and the running kernel must agree where it is that
 * release and may be asked.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { kernelRefusal, kernelRelease } from '../../hosts/index.ts';
import { canBuild, corpusSources, installedBuilds, REFERENCE_BUILD } from './corpus.ts';
import { type Comparison, compareSource, type Oracle } from './corpus-agreement.ts';
import { runningBtf } from './corpus-report.ts';
import { RELEASE } from './kernel-probe.ts';

const OUTPUT = fileURLToPath(new URL('../../build/corpus', import.meta.url));

/** Declares one test for each source in `folder`. */
export function testStatedPrograms(name: string, folder: string): void {
  const kernelBtf = runningBtf();
  const oracle: Oracle = {
    kernel: kernelRefusal() === undefined && kernelRelease().startsWith(RELEASE),
    kernelBtf,
  };
  const hasCompiler = installedBuilds().some((build) => build.name === REFERENCE_BUILD.name);
  const reasons = [
    ...(hasCompiler ? [] : [`${REFERENCE_BUILD.name} is not installed`]),
    ...(kernelBtf ? [] : ["the kernel's types are not readable"]),
  ];
  describe.skipIf(reasons.length > 0)(`${name} ${reasons.join(', ')}`, () => {
    const asked: Comparison[] = [];
    for (const source of corpusSources(folder).filter((each) => canBuild(each, REFERENCE_BUILD))) {
      it(source.name, () => {
        const rows = compareSource(source, REFERENCE_BUILD, OUTPUT, oracle);
        expect(rows.length).toBe(source.programs.length);
        const wanted = rows.map(({ program, expected }) => `${program}: ${expected}`);
        expect(rows.map(({ program, verdict }) => `${program}: ${verdict}`)).toEqual(wanted);
        expect(rows.map(({ program, linux }) => `${program}: ${linux}`)).toEqual(wanted);
        const answered = rows.filter(({ kernel }) => kernel !== undefined);
        asked.push(...answered);
        const said = answered.map(
          ({ program, kernel }) => `${program}: ${kernel?.accepted ? 'accepted' : 'rejected'}`,
        );
        expect(said).toEqual(answered.map(({ program, expected }) => `${program}: ${expected}`));
      });
    }
    afterAll(() => {
      if (asked.length > 0) return;
      console.info(`the kernel was not asked: ${kernelRefusal() ?? kernelRelease()}`);
    });
  });
}
