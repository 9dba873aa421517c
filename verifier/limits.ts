/**
 * Every bound on the verifier's own work. A hostile program may be built to make exploration
 * explode; each of these turns the explosion into the verdict `limit` instead of a hang. Limits of
 * the *program* (stack bytes, call depth, program size) are rows of the profile, not of this table.
 */

export interface Limit {
  readonly value: number;
  readonly unit: string;
  readonly reason: string;
}

const limit = (value: number, unit: string, reason: string): Limit =>
  Object.freeze({ value, unit, reason });

export const LIMITS = Object.freeze({
  processed: limit(
    1_000_000,
    'instructions',
    'as many as Linux walks; then states that meet are joined, and as many are walked again',
  ),
  walkedApart: limit(
    100_000,
    'instructions',
    'of a program that is not for Linux, before states that meet are joined; then as many as ever',
  ),
  walkedFirst: limit(
    50_000,
    'instructions',
    'of a program for Linux, which walks every pass of a loop, before loops are proven at once',
  ),
  passWays: limit(
    16,
    'ways',
    'through one pass of a loop that is proven by a summary; passes that split more are walked',
  ),
  passInstructions: limit(
    50_000,
    'instructions',
    'walked to prove one loop by a summary; beyond it the loop is walked instead',
  ),
  lookedBackPath: limit(
    8_000,
    'instructions',
    'of a path that is followed once more to prove an obligation: some ten milliseconds',
  ),
  lookedBack: limit(
    60_000,
    'instructions',
    'followed once more in all: a second, after which failures are believed',
  ),
  narrowed: limit(300_000, 'terms', 'narrowed while proofs are sought on paths: a second'),
  worstCase: limit(
    2 ** 32,
    'instructions',
    'that a loop proven by a summary may execute: seconds; longer is a hang to who waits',
  ),
  savedStates: limit(400_000, 'states', 'states kept for pruning, over all instructions'),
  savedBytes: limit(1 << 30, 'bytes', 'memory of the states kept for pruning'),
  pendingStates: limit(65_536, 'states', 'branches waiting to be walked'),
  savedPerInstruction: limit(
    96,
    'states',
    'beyond it the oldest state without a hit at an instruction is forgotten',
  ),
  afterFailure: limit(
    10_000,
    'instructions',
    'walked after a failure, besides as many as before it, to find other ones',
  ),
  milliseconds: limit(60_000, 'ms', 'wall clock of one verification'),
  references: limit(256, 'references', 'references held at once'),
  errors: limit(5, 'diagnostics', 'default of --max-errors'),
  packetOffset: limit(
    0xffff,
    'bytes',
    'highest provable offset into a packet (Linux MAX_PACKET_OFF)',
  ),
  pointerOffset: limit(
    1 << 29,
    'bytes',
    'largest constant offset of a pointer (Linux BPF_MAX_VAR_OFF), far from any wrap-around',
  ),
});
