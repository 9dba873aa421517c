/** Machine functions as text, before and after allocation, for dumps and bug reports. */

import type { Allocation, Backend, MachBlock, MachFunction, MachInst, Move } from './types.ts';
import {
  argumentOf,
  constraintOf,
  FIXED,
  isDefinition,
  isShifted,
  isSlot,
  REMATERIALISE,
  REUSE,
  SLOT_BASE,
  vregOf,
} from './types.ts';

export function printMach(code: MachFunction, backend: Backend): string {
  const lines = [`function ${code.name}`];
  code.blocks.forEach((block, b) => {
    lines.push(printHead(block, b));
    for (const inst of block.instructions) lines.push(`  ${printInst(inst, backend)}`);
    lines.push(...printEdges(block));
  });
  return lines.join('\n');
}

export function printAllocation(allocation: Allocation, backend: Backend): string {
  const { code, firstInstruction, firstOperand, registers, before, after } = allocation;
  const lines = [`function ${code.name}, ${allocation.slotCount} spill slots`];
  const moves = (list: readonly Move[] | undefined) => {
    for (const move of list ?? []) lines.push(`       ${printMove(move, backend)}`);
  };
  code.blocks.forEach((block, b) => {
    lines.push(printHead(block, b));
    block.instructions.forEach((inst, n) => {
      const i = firstInstruction[b]! + n;
      moves(before[i]);
      const names = inst.operands.map((_, k) => place(registers[firstOperand[i]! + k]!, backend));
      lines.push(`  ${String(i).padStart(3)}  ${printInst(inst, backend)}  ; ${names.join(' ')}`);
      moves(after[i]);
    });
    lines.push(...printEdges(block));
  });
  return lines.join('\n');
}

const printHead = ({ parameters, cold }: MachBlock, b: number): string =>
  `block ${b}(${parameters.map((v) => `v${v}`).join(', ')})${cold ? ' cold' : ''}:`;

const printEdges = ({ successors, arguments: values }: MachBlock): string[] =>
  successors.map((s, k) => `    -> block ${s}(${values[k]!.map((v) => `v${v}`).join(', ')})`);

function printInst(inst: MachInst, backend: Backend): string {
  const operands = inst.operands.map((operand) => printOperand(operand, backend)).join(' ');
  const { memory, imm, relocation } = inst;
  const parts = [backend.rows[inst.op]!.name, operands];
  if (memory !== null) {
    const { base, area, scale, displacement } = memory;
    parts.push(`[${base} ${area} *${scale} ${displacement >= 0 ? '+' : ''}${displacement}]`);
  }
  if (imm !== 0 || inst.immHigh !== 0) parts.push(`#${inst.immHigh}:${imm}`);
  if (relocation !== null) parts.push(relocation.kind);
  return parts.filter((part) => part !== '').join('  ');
}

function printOperand(operand: number, backend: Backend): string {
  const argument = argumentOf(operand);
  const constraint = constraintOf(operand);
  const name = `${isDefinition(operand) ? '=' : ''}v${vregOf(operand)}`;
  const time = isShifted(operand) ? '!' : '';
  if (constraint === FIXED) return `${name}:${backend.registers.names[argument]}${time}`;
  return constraint === REUSE ? `${name}:@${argument}` : `${name}${time}`;
}

function place(location: number, backend: Backend): string {
  if (location >= REMATERIALISE) return `instruction ${location - REMATERIALISE}`;
  if (isSlot(location)) return `slot ${location - SLOT_BASE}`;
  return backend.registers.names[location] ?? 'nowhere';
}

const printMove = (move: Move, backend: Backend): string =>
  `v${move.vreg}: ${place(move.from, backend)} ${move.kind === 'swap' ? '<>' : '->'} ${place(move.to, backend)}`;
