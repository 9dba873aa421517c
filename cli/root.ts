/** Where the package lies: this file is cli/root.ts in a checkout, dist/cli/root.js when compiled. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const PACKAGE_ROOT =
  [join(here, '..'), join(here, '../..')].find((folder) =>
    existsSync(join(folder, 'package.json')),
  ) ?? here;
