/**
 * Where in a JSON text is the value that a JSON pointer names? A schema violation speaks of
 * `/programs/3/type`; a person with a file of thousands of programs wants the byte. The scan walks
 * the text once, without recursion (a hostile file may be nested as deep as it is long), and trusts
 * that JSON.parse has accepted the text.
 */

/** Index just after the string literal that starts at `start`. */
function afterString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

const isSpace = (character: string | undefined) =>
  character === ' ' || character === '\n' || character === '\r' || character === '\t';

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text[at])) at++;
  return at;
}

/** Index just after the value that starts at `start`. */
function afterValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at];
    if (character === '"') {
      at = afterString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (character === ',' || isSpace(character))) return at;
    at++;
  }
  return at;
}

/** Start of the member or element called `key` in the object or array at `start`, or undefined. */
function childOf(text: string, start: number, key: string): number | undefined {
  const isArray = text[start] === '[';
  if (!isArray && text[start] !== '{') return undefined;
  let found: number | undefined;
  let at = skipSpace(text, start + 1);
  for (let index = 0; at < text.length && text[at] !== (isArray ? ']' : '}'); index++) {
    let name = String(index);
    if (!isArray) {
      const end = afterString(text, at);
      name = JSON.parse(text.slice(at, end)) as string;
      at = skipSpace(text, skipSpace(text, end) + 1);
    }
    // Of members with one name JSON.parse keeps the last.
    if (name === key) found = at;
    if (isArray && found !== undefined) return found;
    at = skipSpace(text, afterValue(text, at));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return found;
}

/** Byte offset of the value at `pointer` (RFC 6901), or of its nearest ancestor that exists. */
export function byteOffsetOf(text: string, pointer: string): number {
  let at = skipSpace(text, 0);
  for (const part of pointer.split('/').slice(1)) {
    const child = childOf(text, at, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (child === undefined) break;
    at = child;
  }
  return Buffer.byteLength(text.slice(0, at));
}
