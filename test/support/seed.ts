/**
 * Properties are tried on the same values every time, so that a failure of the suite is one of the
 * change at hand. `FC_SEED=7 npm test` tries others.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 1) });
