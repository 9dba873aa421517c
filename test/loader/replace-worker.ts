/** Runs a shared extension until it is told to stop; reports what it saw. */
import { parentPort, workerData } from 'node:worker_threads';
import { openShared, type SharedExtension } from '../../loader/index.ts';

export interface Seen {
  readonly runs: number;
  readonly sum: number;
  /** Versions in the order in which they were met, each once. */
  readonly versions: readonly number[];
}

const { shared, flags } = workerData as { shared: SharedExtension; flags: Int32Array };
using extension = openShared(shared);
Atomics.add(flags, 1, 1);
let runs = 0;
let sum = 0;
const versions: number[] = [];
while (Atomics.load(flags, 0) === 0) {
  const version = extension.run({});
  runs++;
  sum += version;
  if (versions.at(-1) !== version) versions.push(version);
}
parentPort?.postMessage({ runs, sum, versions } satisfies Seen);
