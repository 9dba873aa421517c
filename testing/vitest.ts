/**
 * `import 'ringfence/vitest'` in a test or a setup file adds the matchers to vitest's `expect`, with
 * types. Everything of `ringfence/testing` can be imported from here as well.
 */

import { expect } from 'vitest';
import { matchers, type RingfenceMatchers } from './matchers.ts';

expect.extend(matchers);

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: declarations that merge have the same parameters
  interface Matchers<T = any> extends RingfenceMatchers<T> {}
}

export * from './index.ts';
