/** Global functions, callbacks, call chains: what Linux says of small programs is said here. */
import { fileURLToPath } from 'node:url';
import { testStatedPrograms } from '../../support/stated-programs.ts';

testStatedPrograms('calls', fileURLToPath(new URL('programs', import.meta.url)));
