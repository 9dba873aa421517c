/**
 * Golden verdicts: small programs in test/cases/verifier, each with what must be said of it.
 *
 *     == name
 *     accepted | rejected CODE @SLOT   [option=value ...]
 *     ---
 *     assembly
 */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { type Privilege, type VerifyOptions, verify } from '../../verifier/index.ts';

const FOLDER = new URL('../cases/verifier/', import.meta.url);
const HELPER_NAMES = new Map(HELPERS.map(({ name, id }) => [name, id]));

interface Case {
  readonly name: string;
  readonly outcome: string;
  readonly code: string | undefined;
  readonly slot: number | undefined;
  readonly options: VerifyOptions;
  readonly text: string;
}

function parseCase(part: string): Case {
  const [head = '', ...rest] = part.split('\n---\n');
  const [name = '', expectation = ''] = head.split('\n');
  const words = expectation.split(' ');
  const slot = words.find((word) => word.startsWith('@'));
  const settings = new Map(
    words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]),
  );
  const code = words[1];
  const profile = settings.get('profile');
  const privilege = settings.get('privilege') as Privilege | undefined;
  return {
    name,
    outcome: words[0]!,
    code: code?.includes('=') ? undefined : code,
    slot: slot === undefined ? undefined : Number(slot.slice(1)),
    options: { ...(profile ? { profile } : {}), ...(privilege ? { privilege } : {}) },
    text: rest.join('\n---\n'),
  };
}

const readCases = (file: string): Case[] =>
  readFileSync(new URL(file, FOLDER), 'utf8').split(/^== /m).slice(1).map(parseCase);

for (const file of readdirSync(FOLDER).sort()) {
  describe(file.replace('.txt', ''), () => {
    it.each(readCases(file))('$name', ({ outcome, code, slot, options, text }) => {
      const verdict = verify(assembleProgram(text, file, HELPER_NAMES), options);
      const first = verdict.ok ? undefined : verdict.diagnostics[0];
      const found = verdict.ok ? 'accepted' : verdict.outcome;
      expect({ found, code: first?.code }).toEqual({ found: outcome, code });
      if (slot !== undefined) expect(first?.primary.instruction).toBe(slot);
    });
  });
}
