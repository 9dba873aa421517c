/**
 * Helpers of the reference engine, by number: what the C ones must do, said in JavaScript, by family
 * in `helpers/`.
 */

import type { HelperFunction } from './helpers/call.ts';
import { CHECKSUMS } from './helpers/checksums.ts';
import { DEFERRED } from './helpers/deferred.ts';
import { DYNPTR_HELPERS } from './helpers/dynptrs.ts';
import { ENVIRONMENT } from './helpers/environment.ts';
import { HEADERS } from './helpers/headers.ts';
import { MAPS } from './helpers/maps.ts';
import { PACKETS } from './helpers/packets.ts';
import { PROBES } from './helpers/probes.ts';
import { STORAGE } from './helpers/storage.ts';
import { SURROUNDINGS } from './helpers/surroundings.ts';
import { TEXT } from './helpers/text.ts';
import { TUNNELS } from './helpers/tunnels.ts';
import { OBJECT_HELPERS } from './kfuncs/objects.ts';

/** By enum bpf_func_id. */
export const HELPERS: Readonly<Record<number, HelperFunction>> = {
  ...MAPS,
  ...ENVIRONMENT,
  ...PACKETS,
  ...CHECKSUMS,
  ...TEXT,
  ...DYNPTR_HELPERS,
  ...OBJECT_HELPERS,
  ...STORAGE,
  ...PROBES,
  ...SURROUNDINGS,
  ...HEADERS,
  ...TUNNELS,
  ...DEFERRED,
};
