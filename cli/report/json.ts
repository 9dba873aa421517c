/** Verdicts as the JSON document `ringfence-verdicts/1`. */
import type { InputError, Program } from '../../isa/index.ts';
import type { Diagnostic, Verdict } from '../../verifier/index.ts';

export interface VerdictDocument {
  readonly format: 'ringfence-verdicts/1';
  readonly programs: readonly VerdictEntry[];
}

export interface VerdictEntry {
  readonly file: string;
  readonly section: string | null;
  /** null: the file itself is malformed. */
  readonly name: string | null;
  readonly type: string | null;
  readonly profile: string;
  readonly verdict: 'accepted' | 'rejected' | 'unsupported' | 'limit' | 'malformed';
  readonly linux: 'accepted' | 'rejected' | 'limit' | 'unknown';
  readonly warnings: readonly string[];
  readonly instructions: number;
  readonly processed: number;
  readonly peakStates: number;
  readonly stackBytes: number;
  readonly worstCaseInstructions: number | string | null;
  readonly verifyMicroseconds: number;
  readonly diagnostics: readonly DiagnosticEntry[];
}

export interface DiagnosticEntry {
  readonly code: string;
  readonly category: string;
  readonly message: string;
  readonly instruction: number | null;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Byte offset in a malformed file. */
  readonly offset?: number;
}

/** Integers that a double cannot hold exactly are written as decimal strings. */
const integer = (value: number) => (Number.isSafeInteger(value) ? value : BigInt(value).toString());

function diagnosticEntry({ code, category, message, primary, help }: Diagnostic): DiagnosticEntry {
  return {
    code,
    category,
    message: help === undefined ? message : `${message}; ${help}`,
    instruction: primary.instruction,
    ...(primary.file === undefined ? {} : { file: primary.file }),
    ...(primary.line === undefined ? {} : { line: primary.line }),
    ...(primary.column === undefined ? {} : { column: primary.column }),
  };
}

export function verdictEntry(verdict: Verdict): VerdictEntry {
  const { program, worstCaseInstructions: worst } = verdict;
  return {
    file: program.file,
    section: program.section,
    name: program.name,
    type: program.type,
    profile: verdict.profile,
    verdict: verdict.ok ? 'accepted' : verdict.outcome,
    linux: verdict.linux,
    warnings: verdict.warnings,
    instructions: verdict.instructions,
    processed: verdict.processed,
    peakStates: verdict.peakStates,
    stackBytes: verdict.stackBytes,
    worstCaseInstructions: worst === null ? null : integer(worst),
    verifyMicroseconds: Math.round(verdict.microseconds),
    diagnostics: verdict.ok ? [] : verdict.diagnostics.map(diagnosticEntry),
  };
}

const NOTHING_PROVEN = {
  linux: 'unknown',
  warnings: [],
  instructions: 0,
  processed: 0,
  peakStates: 0,
  stackBytes: 0,
  worstCaseInstructions: null,
  verifyMicroseconds: 0,
} as const;

/** The entry of a file that could not be read as programs at all. */
export function malformedEntry(error: InputError, profile: string): VerdictEntry {
  return {
    file: error.file,
    section: error.section ?? null,
    name: null,
    type: null,
    profile,
    verdict: 'malformed',
    ...NOTHING_PROVEN,
    diagnostics: [
      {
        code: 'malformed-input',
        category: 'encoding',
        message: error.reason,
        instruction: null,
        offset: error.offset,
      },
    ],
  };
}

/** The entry of a program on which the verifier itself failed; see exit code 70. */
export function brokenEntry(program: Program, profile: string, message: string): VerdictEntry {
  return {
    file: program.file,
    section: program.section,
    name: program.name,
    type: program.type,
    profile,
    verdict: 'unsupported',
    ...NOTHING_PROVEN,
    diagnostics: [{ code: 'internal-error', category: 'environment', message, instruction: null }],
  };
}

export function verdictDocument(programs: readonly VerdictEntry[]): VerdictDocument {
  return { format: 'ringfence-verdicts/1', programs };
}
