/**
 * Makes a failing program small: lines are left out, in blocks of falling size, as long as the same
 * thing is found (delta debugging). Lines are the unit because labels keep jumps right when lines
 * between vanish; a label that is still needed makes the attempt fail to assemble, and it stays.
 */

/** Whether the text still shows the defect; anything else about it may change. */
export type StillFails = (text: string) => boolean;

export function minimise(text: string, stillFails: StillFails, attempts: number): string {
  let lines = text.split('\n').filter((line) => line !== '');
  let left = attempts;
  const fails = (candidate: readonly string[]): boolean => {
    left--;
    return stillFails(`${candidate.join('\n')}\n`);
  };
  for (let size = Math.ceil(lines.length / 2); size >= 1; ) {
    const before = lines.length;
    for (let at = lines.length - size; at > -size && left > 0; at -= size) {
      const from = Math.max(at, 0);
      const candidate = [...lines.slice(0, from), ...lines.slice(from + size)];
      if (fails(candidate)) lines = candidate;
    }
    if (left <= 0) break;
    // At single lines, what was left out may let others go too.
    if (size > 1 || lines.length === before) size = size > 1 ? Math.ceil(size / 2) : 0;
  }
  return `${simplify(lines, fails).join('\n')}\n`;
}

/** Immediates become 0 or 1 where that makes no difference. */
function simplify(
  lines: readonly string[],
  fails: (lines: readonly string[]) => boolean,
): string[] {
  const kept = [...lines];
  for (const [at, line] of lines.entries()) {
    const match = /^(.*[=<>] )(-?\d{2,})$/.exec(line);
    if (match === null || line.startsWith('.')) continue;
    for (const simple of ['0', '1']) {
      kept[at] = `${match[1]}${simple}`;
      if (fails(kept)) break;
      kept[at] = line;
    }
  }
  return kept;
}
