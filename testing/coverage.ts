/**
 * Which lines and branches of the source ran, and how often: counts of slots, accumulated over runs,
 * seen through the program's line information.
 *
 * A line owns several stretches of slots (a loop's head is tested elsewhere than it is entered; an
 * inlined function has copies): it ran as often as the stretch that ran most. The same line in several
 * programs adds up. A branch is a conditional jump, with two ways out.
 */

import { createHash } from 'node:crypto';
import { KIND, KIND_JUMP, type LineInfo, type Program } from '../isa/index.ts';
import type { SlotCounts } from '../loader/index.ts';
import type { BranchCount, CoverageTotals, FileCoverage, FunctionCount } from './file-coverage.ts';
import { lcovOf } from './lcov.ts';

export class Coverage {
  /** By what makes two programs the same: origin, name and code. */
  readonly #counts = new Map<string, SlotCounts>();
  readonly #keys = new WeakMap<Program, string>();

  /** Programs that are known from the start count as not executed until they run. */
  constructor(programs: readonly Pick<SlotCounts, 'program' | 'instructions'>[] = []) {
    for (const { program, instructions } of programs) {
      const slots = () => new Float64Array(instructions.length);
      const counts = { executed: slots(), taken: slots(), passed: slots() };
      this.#counts.set(this.#keyOf(program), { program, instructions, ...counts });
    }
  }

  /** Adds what a run did. */
  add(runs: readonly SlotCounts[]): void {
    for (const run of runs) {
      const key = this.#keyOf(run.program);
      const known = this.#counts.get(key);
      if (known === undefined) this.#counts.set(key, copyOf(run));
      else
        for (const what of ['executed', 'taken', 'passed'] as const)
          for (let pc = 0; pc < known[what].length; pc++) known[what][pc]! += run[what][pc]!;
    }
  }

  /** Adds what another saw: of the same programs or of others. */
  merge(other: Coverage): void {
    this.add([...other.#counts.values()]);
  }

  /** By name of the source file. Programs without line information have none. */
  get files(): readonly FileCoverage[] {
    const files = new Map<string, FileCounts>();
    const fileOf = (name: string): FileCounts => {
      const counts = files.get(name) ?? new FileCounts(name);
      files.set(name, counts);
      return counts;
    };
    for (const counts of this.#counts.values()) addProgram(counts, fileOf);
    return [...files.values()]
      .map((file) => file.result())
      .sort((a, b) => (a.file < b.file ? -1 : 1));
  }

  /** Over all files. */
  get totals(): CoverageTotals {
    const files = this.files;
    const count = (each: (file: FileCoverage) => readonly number[]) => {
      const hits = files.flatMap(each);
      return { found: hits.length, hit: hits.filter((times) => times > 0).length };
    };
    return {
      lines: count(({ lines }) => lines.map(({ hits }) => hits)),
      branches: count(({ branches }) => branches.flatMap(({ passed, taken }) => [passed, taken])),
      functions: count(({ functions }) => functions.map(({ hits }) => hits)),
    };
  }

  /** As a tracefile of lcov, geninfo(1), for genhtml and the services that read such files. */
  toLcov(options: { readonly testName?: string } = {}): string {
    return lcovOf(this.files, options.testName ?? '');
  }

  #keyOf(program: Program): string {
    const known = this.#keys.get(program);
    if (known !== undefined) return known;
    const code = createHash('sha256').update(program.code).digest('hex');
    const key = [program.file, program.section, program.name, code].join('\0');
    this.#keys.set(program, key);
    return key;
  }
}

const copyOf = ({ program, instructions, executed, taken, passed }: SlotCounts): SlotCounts => ({
  program,
  instructions,
  executed: executed.slice(),
  taken: taken.slice(),
  passed: passed.slice(),
});

/** Collects the counts of one file. */
class FileCounts {
  readonly #file: string;
  readonly #lines = new Map<number, number>();
  readonly #branches = new Map<number, Omit<BranchCount, 'block'>[]>();
  readonly #functions = new Map<string, FunctionCount>();

  constructor(file: string) {
    this.#file = file;
  }

  addLine(line: number, hits: number): void {
    this.#lines.set(line, (this.#lines.get(line) ?? 0) + hits);
  }

  addBranch(branch: Omit<BranchCount, 'block'>): void {
    const { line } = branch;
    this.#branches.set(line, [...(this.#branches.get(line) ?? []), branch]);
  }

  /** A static function may be in several programs. */
  addFunction(name: string, line: number, hits: number): void {
    const key = `${line} ${name}`;
    const known = this.#functions.get(key)?.hits ?? 0;
    this.#functions.set(key, { name, line, hits: known + hits });
  }

  result(): FileCoverage {
    const byLine = (a: { line: number }, b: { line: number }) => a.line - b.line;
    return {
      file: this.#file,
      lines: [...this.#lines].map(([line, hits]) => ({ line, hits })).sort(byLine),
      branches: [...this.#branches.values()]
        .flatMap((list) => list.map((branch, block) => ({ ...branch, block })))
        .sort((a, b) => byLine(a, b) || a.block - b.block),
      functions: [...this.#functions.values()].sort(byLine),
    };
  }
}

function addProgram(counts: SlotCounts, fileOf: (name: string) => FileCounts): void {
  const { program, instructions, executed, taken, passed } = counts;
  const lineAt = linesBySlot(program.lines, instructions.length);
  for (const [file, lines] of mostHits(program.lines, executed))
    for (const [line, hits] of lines) fileOf(file).addLine(line, hits);
  instructions.forEach(({ op }, pc) => {
    const at = lineAt[pc];
    if (at === undefined || KIND[op] !== KIND_JUMP) return;
    const ways = { passed: passed[pc]!, taken: taken[pc]! };
    fileOf(at.file).addBranch({ line: at.line, ...ways });
  });
  const starts = program.functions.map(({ instruction }) => instruction).sort((a, b) => a - b);
  for (const { name, instruction } of program.functions) {
    const end = starts.find((start) => start > instruction) ?? instructions.length;
    const at = placeOfFunction(lineAt.slice(instruction, end));
    if (at !== undefined) fileOf(at.file).addFunction(name, at.line, executed[instruction] ?? 0);
  }
}

/**
 * Where a function is, as far as its slots tell: what was inlined into it may come first, even from
 * another file, but its end is its own.
 */
function placeOfFunction(places: readonly (LineInfo | undefined)[]): LineInfo | undefined {
  const file = places.findLast((place) => place !== undefined)?.file;
  return places.find((place) => place !== undefined && place.file === file);
}

/** Line 0 is clang's word for code that belongs to no line. */
const isPlace = ({ file, line }: LineInfo) => file !== '' && line > 0;

function mostHits(
  lines: readonly LineInfo[],
  executed: Float64Array,
): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const files = new Map<string, Map<number, number>>();
  for (const entry of lines) {
    if (!isPlace(entry)) continue;
    const file = files.get(entry.file) ?? new Map<number, number>();
    files.set(entry.file, file);
    const hits = executed[entry.instruction] ?? 0;
    file.set(entry.line, Math.max(hits, file.get(entry.line) ?? 0));
  }
  return files;
}

/** The place of each slot: that of the last entry at or before it. */
function linesBySlot(lines: readonly LineInfo[], slots: number): (LineInfo | undefined)[] {
  const sorted = [...lines].sort((a, b) => a.instruction - b.instruction);
  const places: (LineInfo | undefined)[] = [];
  let next = 0;
  let current: LineInfo | undefined;
  for (let pc = 0; pc < slots; pc++) {
    while (sorted[next] !== undefined && sorted[next]!.instruction <= pc) current = sorted[next++];
    places.push(current !== undefined && isPlace(current) ? current : undefined);
  }
  return places;
}
