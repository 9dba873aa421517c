/** Exit codes (DESIGN: errors). Where several apply, the one earliest in PRECEDENCE wins. */
export const EXIT = {
  proven: 0,
  rejected: 1,
  usage: 2,
  limit: 3,
  unsupported: 4,
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const PRECEDENCE: readonly ExitCode[] = [
  EXIT.internal,
  EXIT.usage,
  EXIT.unsupported,
  EXIT.limit,
  EXIT.rejected,
  EXIT.proven,
];

/** The code to exit with when several apply. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return PRECEDENCE.find((code) => codes.includes(code)) ?? EXIT.proven;
}

/** The caller asked for something impossible: one sentence to standard error, exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
