/**
 * Agreement with an independent disassembler: llvm-objdump reads what we encode, and we read what it
 * prints. Skipped, with the reason, where LLVM for BPF is not installed.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  assemble,
  encode,
  formatInstruction,
  type Instruction,
  type Row,
  TABLE,
} from '../../isa/index.ts';
import { instructionOf, ROWS, slotsOf } from '../support/instructions.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-llvm-'));
afterAll(() => rmSync(folder, { recursive: true }));

function works(command: string): boolean {
  try {
    return execFileSync(command, ['--version']).length > 0;
  } catch {
    return false;
  }
}

const clang = ['clang-19', 'clang-20', 'clang'].find(works);
const OBJDUMPS = ['llvm-objdump-19', 'llvm-objdump-14'].filter(works);
const runnable = clang !== undefined && OBJDUMPS.length > 0;
if (!runnable) console.log('skipped: clang 19 and llvm-objdump are not installed');

/** An object whose .text holds `code`. */
function objectOf(code: Uint8Array): string {
  const source = join(folder, 'code.s');
  const object = join(folder, 'code.o');
  const lines = [];
  for (let at = 0; at < code.length; at += 8)
    lines.push(`.byte ${[...code.slice(at, at + 8)].join(',')}`);
  writeFileSync(source, `.text\nf:\n${lines.join('\n')}\n`);
  execFileSync(clang!, ['-target', 'bpf', '-c', source, '-o', object]);
  return object;
}

function disassembleWith(objdump: string, code: Uint8Array): string[] {
  const args = ['-d', '--no-show-raw-insn', objdump.endsWith('14') ? '--mcpu=v3' : '--mcpu=v4'];
  const listing = execFileSync(objdump, [...args, objectOf(code)]).toString();
  return listing.split('\n').filter((line) => /^\s+\d+:/.test(line));
}

/**
 * What LLVM cannot say: release 19 does not know load-acquire and store-release, prints no kind for
 * calls, no second half for pseudo constants and no displacement for indirect packet loads.
 */
const isTold = (row: Row): boolean =>
  !/^(load_acquire|store_release|call_subprogram|call_kfunc|constant_(?!value)|ld_ind)/.test(
    row.name,
  );
/** Instructions of -mcpu=v4, and some of v3, that release 14 does not know. */
const isOld = (row: Row): boolean =>
  row.version < 4 &&
  row.name !== 'call_register' &&
  !/^(store_.*_imm|mod|jset)/.test(row.name) &&
  !(row.kind === 'atomic' && row.width === 32 && row.name !== 'atomic_add32');

function samples(rows: readonly Row[]): Instruction[] {
  return rows.flatMap((row) =>
    fc.sample(instructionOf(row), { numRuns: 6, seed: 20_261_121 }).filter(isPrintable),
  );
}

/** Printed offsets of -32768 and jumps over 2^31 wrap in LLVM's remark, not in its text. */
const isPrintable = (instruction: Instruction): boolean => Math.abs(instruction.off) < 0x7fff;

describe.skipIf(!runnable)('LLVM', () => {
  test.each(OBJDUMPS)('%s prints what we assemble back to the same instruction', (objdump) => {
    const rows = ROWS.filter(isTold).filter((row) => objdump.endsWith('19') || isOld(row));
    const instructions = samples(rows);
    const lines = disassembleWith(objdump, encode(instructions.flatMap(slotsOf)));
    expect(lines).toHaveLength(instructions.length);
    lines.forEach((line, index) => {
      expect(assemble(line).instructions[0], line).toEqual(instructions[index]);
    });
  });

  test.skipIf(!OBJDUMPS.includes('llvm-objdump-19'))('release 19 prints our very text', () => {
    const instructions = samples(ROWS.filter(isTold));
    const lines = disassembleWith('llvm-objdump-19', encode(instructions.flatMap(slotsOf)));
    lines.forEach((line, index) => {
      const theirs = line.replace(/^\s+\d+:\s+/, '').replace(/(0x[0-9a-f]+) <[^<>]*>$/, '$1');
      const instruction = instructions[index]!;
      expect(formatInstruction(instruction), TABLE[instruction.op]!.name).toBe(theirs);
    });
  });
});
