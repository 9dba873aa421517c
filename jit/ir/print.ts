/**
 * The IR as text, for dumps and golden tests. Values are numbered in the order in which they are
 * printed, so that a pass which creates and drops values does not renumber the rest of a golden.
 */

import type { Callee, IrFunction, IrSymbol, Terminator, Value } from './ir.ts';

export function print(fn: IrFunction): string {
  const names = new Map<Value, string>();
  for (const block of fn.blocks) {
    for (const value of [...block.phis, ...block.values]) names.set(value, `v${names.size}`);
  }
  const lines = [`function ${fn.name} frame ${fn.frameBytes}${fn.zeroFrame ? ' zeroed' : ''}`];
  for (const block of fn.blocks) {
    const from = block.predecessors.map((each) => `b${each.id}`).join(', ');
    lines.push(`b${block.id}:${from === '' ? '' : ` ; from ${from}`}`);
    for (const value of [...block.phis, ...block.values]) lines.push(`  ${line(value, names)}`);
    lines.push(`  ${printTerminator(block.terminator, names)}`);
  }
  return `${lines.join('\n')}\n`;
}

type Names = ReadonlyMap<Value, string>;

const line = (value: Value, names: Names): string =>
  value.op === 'store' ? body(value, names) : `${names.get(value)} = ${body(value, names)}`;

function nameOf(value: Value, names: Names): string {
  switch (value.op) {
    case 'const':
      return printWords(value.lo, value.hi);
    case 'frame':
      return 'frame';
    case 'address':
      return printSymbol(value.symbol!);
    default:
      return names.get(value) ?? `?${value.id}:${value.op}`;
  }
}

/** Decimal where it fits a signed 32-bit number, else hexadecimal. */
function printWords(lo: number, hi: number): string {
  if (hi === lo >> 31) return String(lo);
  const low = (lo >>> 0).toString(16);
  return hi === 0 ? `0x${low}` : `0x${(hi >>> 0).toString(16)}${low.padStart(8, '0')}`;
}

function printSymbol(symbol: IrSymbol): string {
  switch (symbol.kind) {
    case 'map':
      return `map#${symbol.map}`;
    case 'map-value':
      return `map#${symbol.map}[0]+${symbol.valueOffset}`;
    case 'function':
      return `function@${symbol.start}`;
    default:
      return symbol satisfies never;
  }
}

function printCallee(callee: Callee): string {
  switch (callee.kind) {
    case 'helper':
      return `helper#${callee.helper}`;
    case 'kfunc':
      return callee.name;
    case 'runtime':
      return callee.symbol;
    case 'function':
      return `function@${callee.start}`;
    case 'indirect':
      return 'indirect';
    default:
      return callee satisfies never;
  }
}

function body(value: Value, names: Names): string {
  const args = value.args.map((arg) => nameOf(arg, names));
  const width = value.width === 32 ? '32' : '';
  switch (value.op) {
    case 'argument':
      return `argument ${value.lo === 5 ? 'environment' : `r${value.lo + 1}`}`;
    case 'load':
    case 'store':
    case 'atomic': {
      const address = `[${args[0]}${value.disp < 0 ? '' : '+'}${value.disp}]`;
      const rest = args.slice(1).map((arg) => `, ${arg}`);
      const operation = value.atomic ? ` ${value.atomic}` : '';
      const sign = value.memory?.signed ? 's' : '';
      const where = value.memory ? ` ; ${value.memory.region}` : '';
      return `${value.op}${operation} ${sign}${value.size * 8} ${address}${rest.join('')}${where}`;
    }
    case 'call':
      return `call ${printCallee(value.callee!)}(${args.join(', ')})`;
    case 'select':
      return `select${width} ${args[0]} ${value.condition} ${args[1]} ? ${args[2]} : ${args[3]}`;
    case 'zext':
    case 'sext':
    case 'bswap':
      return `${value.op}${width}.${value.size * 8} ${args[0]}`;
    case 'rol':
      return `rol${width} ${args[0]}, ${value.lo}`;
    default:
      return `${value.op}${width} ${args.join(', ')}${printDivisor(value)}`;
  }
}

function printDivisor(value: Value): string {
  if (!value.divisor) return '';
  const { nonZero, notMinusOne } = value.divisor;
  return `${nonZero ? ' nonzero' : ''}${notMinusOne ? ' not-minus-one' : ''}`;
}

function printTerminator(terminator: Terminator, names: Names): string {
  const args = terminator.args.map((arg) => nameOf(arg, names));
  const [first, second] = terminator.targets.map((block) => `b${block.id}`);
  switch (terminator.kind) {
    case 'jump':
      return `jump ${first}`;
    case 'branch': {
      const width = terminator.width === 32 ? '32' : '';
      return `if${width} ${args[0]} ${terminator.condition} ${args[1]} then ${first} else ${second}`;
    }
    case 'return':
      return `return ${args[0]}`;
    case 'trap':
      return 'trap';
    default:
      return terminator.kind satisfies never;
  }
}
