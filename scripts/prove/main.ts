/**
 * `npm run prove [-- TEXT]`: proves every goal, or those whose name contains TEXT, and prints one
 * line for each. Exit 1 when one fails.
 */
import { GOALS } from './goals.ts';
import { prove } from './prove.ts';
import { openSolver } from './solver.ts';

const z3 = await openSolver();
const filter = process.argv[2] ?? '';
let failed = 0;
let claims = 0;
for (const goal of GOALS.filter((candidate) => candidate.name.includes(filter))) {
  const proof = await prove(z3, goal, 'verifier/domain');
  claims += proof.claims;
  const verdict = proof.failures.length === 0 ? 'proved' : `FAILED ${proof.failures.join(', ')}`;
  if (proof.failures.length > 0) failed++;
  process.stdout.write(`${goal.name}: ${verdict} (${proof.milliseconds.toFixed(0)} ms)\n`);
}
process.stdout.write(`${claims} claims, ${failed} goals failed\n`);
process.exit(failed === 0 ? 0 : 1);
