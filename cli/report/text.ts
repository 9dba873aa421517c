/** Verdicts as text for people. Colours only where the caller's terminal has them. */
import { styleText } from 'node:util';
import {
  decode,
  formatInstruction,
  type Program,
  programNames,
  slotCount,
} from '../../isa/index.ts';
import { helper } from '../../platform/index.ts';
import type { Diagnostic, PathStep, Span, Verdict } from '../../verifier/index.ts';
import { excerpt } from './excerpt.ts';

export interface Style {
  readonly colour: boolean;
}

/** How many instructions to show around a place that has no source line. */
const CONTEXT_INSTRUCTIONS = 3;
/** Longer paths show their beginning and end. */
const PATH_STEPS_SHOWN = 8;

type Format = Parameters<typeof styleText>[0];

const paint = (style: Style, format: Format, text: string) =>
  style.colour ? styleText(format, text, { validateStream: false }) : text;

/** `xdp/firewall`; just the name where there are no sections. */
export const titleOf = ({ section, name }: Program): string =>
  section === '' ? name : `${section}/${name}`;

/** `filter.bpf.c:7:17`, or the object file where there is no line info. */
function placeOf(span: Span, program: Program): string {
  if (span.file === undefined || span.line === undefined) return program.file;
  return `${span.file}:${span.line}${span.column === undefined ? '' : `:${span.column}`}`;
}

function assemblyExcerpt(primary: Span, secondary: readonly Span[], program: Program): string[] {
  const { instructions } = decode(program.code);
  const names = programNames(program, instructions, (id) => helper(id)?.name);
  const marks = new Map<number, Span[]>();
  for (const span of [primary, ...secondary]) {
    marks.set(span.instruction, [...(marks.get(span.instruction) ?? []), span]);
  }
  const isShown = (pc: number) =>
    marks.has(pc) || Math.abs(pc - primary.instruction) <= CONTEXT_INSTRUCTIONS;
  const lines: string[] = [];
  let last = -1;
  for (let pc = 0; pc < instructions.length; pc++) {
    const instruction = instructions[pc];
    if (instruction === undefined || !isShown(pc)) continue;
    const text = formatInstruction(instruction, names, pc);
    if (text === '') continue;
    if (last >= 0 && pc > last + slotCount(instructions[last]!)) lines.push('   ... |');
    last = pc;
    lines.push(`${String(pc).padStart(6)} | ${text}`);
    for (const span of marks.get(pc) ?? []) {
      const mark = span === primary ? '^' : '-';
      lines.push(`       | ${mark.repeat(text.length)} ${span.label}`.trimEnd());
    }
  }
  return lines;
}

function stepText(step: PathStep): string {
  const where = step.line === undefined ? `instruction ${step.instruction}` : `line ${step.line}`;
  const how = step.taken === undefined ? '' : step.taken ? ' taken' : ' not taken';
  return `${where}${how}${step.label === '' ? '' : ` (${step.label})`}`;
}

/** Steps of one pass of a loop are shown once, with how often it was made. */
function passText(steps: readonly PathStep[]): string {
  const text = steps.map(stepText).join(' → ');
  const times = steps[0]?.times ?? 1;
  return times === 1 ? text : `${times} × (${text})`;
}

function pathText(path: readonly PathStep[], primary: Span): string {
  const shown = Math.floor(PATH_STEPS_SHOWN / 2);
  const isLong = path.length > PATH_STEPS_SHOWN;
  const parts = isLong
    ? [
        passes(path.slice(0, shown)),
        `… ${path.length - 2 * shown} more …`,
        passes(path.slice(-shown)),
      ]
    : [passes(path)];
  const end =
    primary.line === undefined ? `instruction ${primary.instruction}` : `line ${primary.line}`;
  return [...parts, end].join(' → ');
}

function passes(steps: readonly PathStep[]): string {
  const groups: PathStep[][] = [];
  for (const step of steps) {
    const group = groups.at(-1);
    const isSame =
      group !== undefined && group[0]?.times !== undefined && group[0].times === step.times;
    if (isSame) group.push(step);
    else groups.push([step]);
  }
  return groups.map(passText).join(' → ');
}

/** One diagnostic, several lines, no trailing newline. */
export function renderDiagnostic(diagnostic: Diagnostic, program: Program, style: Style): string {
  const { primary } = diagnostic;
  const head = paint(style, ['bold', 'red'], `error[${diagnostic.code}]`);
  const where = `${placeOf(primary, program)}, ${titleOf(program)}, instruction ${primary.instruction}`;
  const source = excerpt(primary, diagnostic.secondary);
  const notes = [
    ...diagnostic.values.map(({ name, proven, needed }) =>
      note(
        style,
        'value',
        `${name} is ${proven}${needed === undefined ? '' : `; needed: ${needed}`}`,
      ),
    ),
    ...(diagnostic.path.length > 0
      ? [note(style, 'path', pathText(diagnostic.path, primary))]
      : []),
    ...(diagnostic.help === undefined ? [] : [note(style, 'help', diagnostic.help)]),
    ...(diagnostic.linux === undefined ? [] : [note(style, 'linux', diagnostic.linux)]),
  ];
  return [
    `${head}: ${paint(style, 'bold', diagnostic.message)}`,
    `${paint(style, 'blue', '  -->')} ${where}`,
    ...(source.length > 0 ? source : assemblyExcerpt(primary, diagnostic.secondary, program)),
    ...notes,
  ].join('\n');
}

function note(style: Style, kind: string, text: string): string {
  return `   = ${paint(style, 'bold', `${kind}:`)} ${text}`;
}

const WORDS = { rejected: 'rejected', unsupported: 'unsupported', limit: 'limit reached' } as const;

/** `1,234,567`; `toLocaleString` would load the tables of all languages first. */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** One line: the verdict and what was proven. */
export function renderSummary(verdict: Verdict, style: Style): string {
  const { program } = verdict;
  const name = titleOf(program);
  if (!verdict.ok)
    return `${paint(style, ['bold', 'red'], WORDS[verdict.outcome])} ${name} (${program.type})`;
  const bound =
    verdict.worstCaseInstructions === null
      ? 'instructions bounded by the platform'
      : `at most ${grouped(verdict.worstCaseInstructions)} executed`;
  const facts = [
    `${verdict.instructions} instructions`,
    bound,
    `${verdict.stackBytes} stack bytes`,
    `${verdict.processed} processed`,
    `${(verdict.microseconds / 1000).toFixed(2)} ms`,
  ];
  const linux = verdict.linux === 'accepted' ? '' : `; Linux: ${verdict.linux}`;
  return `${paint(style, ['bold', 'green'], 'accepted')} ${name} (${program.type}): ${facts.join(', ')}${linux}`;
}

/**
 * A whole verdict for people: the summary of an accepted program, or every diagnostic of another.
 * `render(verdict)` is what an application prints.
 */
export function render(verdict: Verdict, style: Style = { colour: false }): string {
  const warnings = verdict.warnings.map(
    (warning) => `${paint(style, 'yellow', 'warning')}: ${warning}`,
  );
  const diagnostics = verdict.ok
    ? []
    : verdict.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, verdict.program, style));
  return [...diagnostics, ...warnings, renderSummary(verdict, style)].join('\n');
}
