/** Kernel objects, arenas, formats: what Linux says of small programs is said here. */
import { fileURLToPath } from 'node:url';
import { testStatedPrograms } from '../../support/stated-programs.ts';

testStatedPrograms('kernel', fileURLToPath(new URL('programs', import.meta.url)));
