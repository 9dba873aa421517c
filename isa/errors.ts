/** Errors that are thrown, by who is at fault (a program at fault yields Diagnostic[] instead). */

/** Line and column of a text file, from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * The input file is malformed. `offset` is in bytes from the start of the file. Text files also have
 * a position, and their message begins with it in the form that editors follow.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  readonly section: string | undefined;
  readonly position: TextPosition | undefined;

  constructor(
    file: string,
    offset: number,
    reason: string,
    section?: string,
    position?: TextPosition,
  ) {
    const inSection = section === undefined ? '' : `, section ${section}`;
    super(
      position
        ? `${file}:${position.line}:${position.column}: ${reason}`
        : `${file}${inSection}, byte ${offset}: ${reason}`,
    );
    this.file = file;
    this.offset = offset;
    this.reason = reason;
    this.section = section;
    this.position = position;
  }
}

/** ringfence itself is at fault. `dump` is what a bug report needs. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
  readonly where: string;
  readonly dump: string;

  constructor(where: string, message: string, dump = '') {
    super(`internal error in ${where}: ${message}`);
    this.where = where;
    this.dump = dump;
  }
}

/** What was asked is well-formed, and this build, machine or runtime does not offer it. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}
