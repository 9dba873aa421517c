/** A helper that never returns: the thread is ended from outside, in the middle of a run. */
import { workerData } from 'node:worker_threads';
import { openShared, type SharedExtension } from '../../../loader/index.ts';
import { defineAdmission } from './admission.ts';

const { shared, inside } = workerData as { shared: SharedExtension; inside: Int32Array };
const type = defineAdmission({
  audits: [],
  quota: () => {
    Atomics.store(inside, 0, 1);
    for (;;) Atomics.wait(inside, 1, 0, 1);
  },
});
const extension = openShared(shared, { programType: type });
extension.run({ context: { method: 3, client: 1, path_length: 0, bytes: 0n } });
