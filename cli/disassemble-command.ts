/** `ringfence disassemble`: BPF instructions under their source lines; `--native` adds machine code. */
import { decode, disassemble, type Program, programNames } from '../isa/index.ts';
import { list } from '../jit/index.ts';
import { helper } from '../platform/index.ts';
import { verify } from '../verifier/index.ts';
import { EXIT, type ExitCode, UsageError, worstOf } from './exit-code.ts';
import { kernelBtfSource, readPrograms } from './input.ts';
import { render, titleOf } from './report/index.ts';
import { exitOf, type Output, profileOf } from './verify-command.ts';

export interface DisassembleOptions {
  readonly program?: string;
  readonly native?: boolean;
  readonly kernelBtf?: string;
}

interface Listing {
  readonly code: ExitCode;
  readonly text: string;
}

/** BPF lines by slot, each preceded by the source line that it begins. */
function bpfListing(program: Program): ReadonlyMap<number, readonly string[]> {
  const { instructions, errors } = decode(program.code);
  const names = programNames(program, instructions, (id) => helper(id)?.name);
  const sources = new Map(program.lines.map((line) => [line.instruction, line]));
  const listing = new Map<number, string[]>();
  let previous = '';
  for (const { slot, labels, text } of disassemble(instructions, names)) {
    const lines = labels.map((label) => `${label}:`);
    const source = sources.get(slot);
    const place = source === undefined ? previous : `${source.file}:${source.line}`;
    if (source !== undefined && place !== previous) lines.push(`; ${place}  ${source.text.trim()}`);
    previous = place;
    lines.push(`${String(slot).padStart(6)}:  ${text}`);
    listing.set(slot, lines);
  }
  for (const { slot, reason } of errors)
    listing.set(slot, [`${String(slot).padStart(6)}:  not an instruction: ${reason}`]);
  return listing;
}

function heading(program: Program): string {
  return `${program.file}, ${titleOf(program)} (${program.type})`;
}

function bpfText(program: Program): Listing {
  const lines = [...bpfListing(program).entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, text]) => text);
  return { code: EXIT.proven, text: [heading(program), ...lines].join('\n') };
}

/** Machine code in the order it lies in memory, under the BPF instruction each part came from. */
function nativeText(program: Program, options: DisassembleOptions, output: Output): Listing {
  const kernelBtf = kernelBtfSource(options.kernelBtf);
  const verdict = verify(program, { profile: profileOf(program, undefined), kernelBtf });
  if (!verdict.ok) return { code: exitOf(verdict, false), text: render(verdict, output.style) };
  const bpf = bpfListing(program);
  let previous = -1;
  const lines = list(verdict.proof).flatMap(({ native, pc, text }) => {
    const above = pc === previous ? [] : (bpf.get(pc) ?? []);
    previous = pc;
    return [...above, `          ${native.toString(16).padStart(5)}:  ${text}`];
  });
  return { code: EXIT.proven, text: [heading(program), ...lines].join('\n') };
}

/** Prints; yields the exit code of `verify` where a program that was to be compiled is not proven. */
export function disassembleCommand(
  path: string,
  options: DisassembleOptions,
  output: Output,
): ExitCode {
  const programs = readPrograms(path, kernelBtfSource(options.kernelBtf)).filter(
    ({ name }) => options.program === undefined || name === options.program,
  );
  if (programs.length === 0)
    throw new UsageError(
      `${path}: no program${options.program === undefined ? 's in it' : ` is called '${options.program}'`}`,
    );
  const listings = programs.map((program) =>
    options.native ? nativeText(program, options, output) : bpfText(program),
  );
  output.out(`${listings.map(({ text }) => text).join('\n\n')}\n`);
  return worstOf(listings.map(({ code }) => code));
}
