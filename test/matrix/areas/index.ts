/** The areas, by name. */

import type { Area } from '../compare.ts';
import * as control from './control.ts';
import * as numbers from './numbers.ts';
import * as packets from './packets.ts';
import * as pointers from './pointers.ts';
import * as protocols from './protocols.ts';
import * as relations from './relations.ts';
import * as stack from './stack.ts';
import * as values from './values.ts';

export const AREAS: Readonly<Record<string, Area>> = {
  ...numbers,
  ...stack,
  ...pointers,
  ...packets,
  ...control,
  ...relations,
  ...values,
  ...protocols,
};
