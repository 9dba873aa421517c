/** The definition that tests and the documentation use: plug-ins that admit requests of a server. */
import { defineProgramType } from '../../../platform/index.ts';

export interface Calls {
  readonly audits: string[];
  quota: (client: number, bytes: bigint) => number | bigint | boolean;
}

export function defineAdmission(calls: Calls) {
  return defineProgramType({
    name: 'admission',
    context: {
      fields: {
        method: { type: 'u32', offset: 0 },
        client: { type: 'u32', offset: 4 },
        path_length: { type: 'u32', offset: 8 },
        reason: { type: 's32', offset: 12, access: 'read-write' },
        bytes: { type: 'u64', offset: 16 },
      },
    },
    helpers: {
      audit: {
        id: 70000,
        arguments: ['bytes', 'u32'],
        run: (text, length) => {
          calls.audits.push(
            `${Buffer.from(text).toString('latin1').replace(/\0.*/s, '')} ${length}`,
          );
        },
      },
      quota: {
        id: 70001,
        arguments: ['u32', 'u64'],
        returns: { min: 0, max: 1 },
        run: (client, bytes) => calls.quota(client, bytes),
      },
    },
    returns: { min: 0, max: 1, names: { 0: 'DENY', 1: 'ADMIT' } },
    limits: { executed: 1000, stackBytes: 256 },
  });
}
