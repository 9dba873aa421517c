/**
 * Programs that attack: each file in test/cases/attacks has one class of mistake that verifiers have
 * made, each case with the verdict that it must get. The running kernel is asked as well, where it
 * may be, so that a case cannot expect the wrong thing; `kernel=accepted` and the like say where the
 * two differ on purpose. What is accepted runs under the eyes of its proof.
 *
 *     == name
 *     accepted | rejected   [kernel=accepted | kernel=rejected | kernel=unasked]
 *     ---
 *     assembly
 */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';
import { examine } from '../fuzz/examine.ts';
import { askKernel, kernelAbsence } from '../fuzz/kernel.ts';

const FOLDER = new URL('../cases/attacks/', import.meta.url);
const HELPER_NAMES = new Map(HELPERS.map(({ name, id }) => [name, id]));
const INPUTS = 20;

const absence = kernelAbsence();
if (absence !== undefined) console.log(`attacks are not put to the kernel: ${absence}`);

interface Case {
  readonly name: string;
  readonly verdict: string;
  readonly kernel: string;
  readonly text: string;
}

function parseCase(part: string): Case {
  const [head = '', text = ''] = part.split('\n---\n');
  const [name = '', expectation = ''] = head.split('\n');
  const [verdict = '', kernel] = expectation.split(' ');
  return { name, verdict, kernel: kernel?.replace('kernel=', '') ?? verdict, text };
}

const readCases = (file: string): Case[] =>
  readFileSync(new URL(file, FOLDER), 'utf8').split(/^== /m).slice(1).map(parseCase);

for (const file of readdirSync(FOLDER).sort()) {
  describe(file.replace('.txt', ''), () => {
    it.each(readCases(file))('$name', ({ name, verdict, kernel, text }) => {
      const program = assembleProgram(text, name, HELPER_NAMES);
      const found = verify(program);
      const codes = found.ok ? [] : found.diagnostics.map(({ code }) => code);
      expect(found.ok ? 'accepted' : found.outcome, codes.join()).toBe(verdict);
      if (found.ok) {
        const { finding } = examine(program, { seed: 1, inputs: INPUTS, kernel: 'absent' });
        expect(finding).toBeUndefined();
      }
      if (absence !== undefined || kernel === 'unasked' || program.type === 'memory') return;
      const answer = askKernel(program);
      answer.program?.close();
      expect(answer.accepted ? 'accepted' : 'rejected', answer.reason).toBe(kernel);
    });
  });
}
