/**
 * A few lines of x64 machine code, written by hand, so that the loader is tested on its own: nothing
 * here depends on the verifier or the compiler being right.
 */

import type { MapSpec } from '../../isa/index.ts';
import type { Relocation } from '../../jit/code.ts';
import type { LoadableCode } from '../../loader/load.ts';

type Part = readonly number[] | { readonly hole: Hole };
type Hole = Relocation extends infer R ? (R extends Relocation ? Omit<R, 'offset'> : never) : never;

/** Eight bytes that the loader fills. */
export const hole = (relocation: Hole): Part => ({ hole: relocation });

/** mov eax, imm32 */
export const movEax = (value: number): Part => [0xb8, ...word(value)];
/** mov rax, [rdi + disp8] */
export const loadRax = (displacement: number): Part => [0x48, 0x8b, 0x47, displacement & 0xff];
/** mov eax, [rdi + disp32] */
export const loadEax32 = (displacement: number): Part => [0x8b, 0x87, ...word(displacement)];
/** mov rdi, [rdi + disp8] */
export const loadRdi = (displacement: number): Part => [0x48, 0x8b, 0x7f, displacement & 0xff];
/** movabs rdi, hole */
export const rdiFrom = (relocation: Hole): Part[] => [[0x48, 0xbf], hole(relocation)];
/** movabs rax, hole; sub rsp, 8; call rax; add rsp, 8 */
export const callTo = (relocation: Hole): Part[] => [
  [0x48, 0xb8],
  hole(relocation),
  [0x48, 0x83, 0xec, 0x08, 0xff, 0xd0, 0x48, 0x83, 0xc4, 0x08],
];
export const ret: Part = [0xc3];

function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
}

export interface CodeOptions {
  readonly type?: string;
  readonly contextSize?: number;
  readonly returnBits?: 32 | 64;
  readonly maps?: readonly MapSpec[];
  readonly name?: string;
}

export function machineCode(parts: readonly Part[], options: CodeOptions = {}): LoadableCode {
  const bytes: number[] = [];
  const relocations: Relocation[] = [];
  for (const part of parts) {
    if ('hole' in part) {
      relocations.push({ ...part.hole, offset: bytes.length } as Relocation);
      bytes.push(0, 0, 0, 0, 0, 0, 0, 0);
    } else bytes.push(...(part as readonly number[]));
  }
  return {
    code: Uint8Array.from(bytes),
    entry: 0,
    relocations,
    name: options.name ?? 'test',
    type: options.type ?? 'xdp',
    contextSize: options.contextSize,
    returnBits: options.returnBits ?? 32,
    worstCaseInstructions: 1,
    maps: options.maps ?? [],
  };
}

export function mapSpec(part: Partial<MapSpec> & { readonly type: string }): MapSpec {
  return {
    name: 'm',
    keySize: 4,
    valueSize: 8,
    maxEntries: 4,
    flags: 0,
    mapExtra: 0,
    frozen: false,
    ...part,
  };
}
