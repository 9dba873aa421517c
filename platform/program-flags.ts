/**
 * Flags of program loading: BPF_F_* of uapi linux/bpf.h, in kebab case. Those that only make the
 * kernel test itself change no verdict.
 */
export const PROGRAM_FLAGS: Readonly<Record<string, number>> = {
  'strict-alignment': 1 << 0,
  'any-alignment': 1 << 1,
  'test-rnd-hi32': 1 << 2,
  'test-state-freq': 1 << 3,
  sleepable: 1 << 4,
  'xdp-has-frags': 1 << 5,
  'xdp-dev-bound-only': 1 << 6,
  'test-reg-invariants': 1 << 7,
};
