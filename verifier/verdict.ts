/** What `verify` answers. */

import type { Program } from '../isa/index.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { ProvenProgram } from './proof.ts';

export type LinuxPrediction = 'accepted' | 'rejected' | 'limit' | 'unknown';

interface Findings {
  readonly program: Program;
  /** Name of the profile. */
  readonly profile: string;
  /** What that profile's kernel would say; `unknown` where the proof went beyond its reasoning. */
  readonly linux: LinuxPrediction;
  readonly warnings: readonly string[];
  /** 8-byte slots of the linked program. */
  readonly instructions: number;
  /** Instructions that the walk executed. */
  readonly processed: number;
  readonly peakStates: number;
  /** Deepest combined stack. */
  readonly stackBytes: number;
  /** Proven bound on executed instructions; null: see `unboundedBy`. */
  readonly worstCaseInstructions: number | null;
  readonly unboundedBy: string | undefined;
  readonly microseconds: number;
}

export interface Accepted extends Findings {
  readonly ok: true;
  readonly proof: ProvenProgram;
}

export interface Refused extends Findings {
  readonly ok: false;
  readonly outcome: 'rejected' | 'unsupported' | 'limit';
  readonly diagnostics: readonly Diagnostic[];
}

export type Verdict = Accepted | Refused;
