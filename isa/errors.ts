/** Errors that are thrown, by who is at fault (a program at fault yields Diagnostic[] instead). */

/** The input file is malformed. `offset` is in bytes from the start of the file. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  readonly section: string | undefined;

  constructor(file: string, offset: number, reason: string, section?: string) {
    const place = section === undefined ? '' : `, section ${section}`;
    super(`${file}${place}, byte ${offset}: ${reason}`);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
    this.section = section;
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
