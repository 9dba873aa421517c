/** What a caller may ask of loading. */

import type { ProgramType } from '../platform/index.ts';
import type { Environment } from './environment.ts';
import type { ExtensionMap } from './map.ts';
import type { SealMethod } from './seal.ts';

/** How code is protected. */
export interface SealOptions {
  /**
   * `permanent` (default): the mapping is sealed too and stays until the process ends, however often
   * the extension is closed. `replaceable`: unmapped once no thread can be inside.
   */
  readonly lifetime?: 'permanent' | 'replaceable';
  /** Refuse to load when nothing at least this good can be had. */
  readonly requireSeal?: SealMethod;
  /** Try this method alone. */
  readonly onlySeal?: SealMethod;
}

export interface LoadOptions extends SealOptions {
  /** Maps to use instead of making new ones, by name. */
  readonly maps?: Readonly<Record<string, ExtensionMap>>;
  /** Where time, chance and identity come from; default: the system. */
  readonly environment?: Environment;
  /** Where socket buffers begin; default: as BPF_PROG_TEST_RUN does for the program type. */
  readonly linkOffset?: 'mac' | 'network';
}

/** For programs of a type that `defineProgramType` made: the type of what their runs are given. */
export interface TypedLoadOptions<Context> extends LoadOptions {
  /** The definition that the programs were proven against. */
  readonly programType: ProgramType<Context>;
}
