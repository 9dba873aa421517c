/** A proven program that this compiler has no translation for yet. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}
