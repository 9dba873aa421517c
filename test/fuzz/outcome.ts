/** What examining a program can find, and what a run leaves behind. */

export type FindingKind =
  | 'crash' // verifier, compiler or loader threw
  | 'kernel-rejects' // we predict acceptance
  | 'kernel-accepts' // we reject
  | 'fault' // an accepted program broke a rule when interpreted
  | 'facts' // a concrete state outside the proof
  | 'bound' // more instructions than the proven worst case
  | 'native' // native code and interpreter disagree
  | 'metered' // metered code and interpreter disagree, on a run with a limit
  | 'kernel-run'; // the kernel's run and the interpreter disagree

export interface Finding {
  readonly kind: FindingKind;
  readonly detail: string;
}

/** Two findings with the same signature are probably one defect. */
export const signature = ({ kind, detail }: Finding): string =>
  `${kind}: ${detail.split('\n')[0]!.replace(/-?(0x[0-9a-f]+|\d+)/g, '#')}`;

/** Everything that a run may change: result, packet or memory, maps. */
export interface RunResult {
  readonly r0: bigint;
  readonly memory: Uint8Array;
  readonly maps: string;
}

/** The first difference between two lists of runs. */
export function difference(a: readonly RunResult[], b: readonly RunResult[]): string | undefined {
  for (const [i, left] of a.entries()) {
    const right = b[i]!;
    if (left.r0 !== right.r0) return `r0 differs in run ${i}: ${left.r0} and ${right.r0}`;
    if (Buffer.compare(left.memory, right.memory) !== 0) {
      return `bytes differ in run ${i}:\n${hex(left.memory)}\n${hex(right.memory)}`;
    }
    if (left.maps !== right.maps) return `maps differ in run ${i}:\n${left.maps}\n${right.maps}`;
  }
  return undefined;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Contents of maps in one order. */
export function mapText(
  maps: readonly { readonly name: string; readonly entries: Iterable<readonly Uint8Array[]> }[],
): string {
  return maps
    .map(
      ({ name, entries }) =>
        `${name}: ${[...entries].map((pair) => pair.map(hex).join('=')).sort()}`,
    )
    .join('\n');
}
