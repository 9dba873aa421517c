/**
 * May native code read the caller's bytes where they are, run after run? Their address holds as long as
 * their memory is neither detached nor resized, and that must be told in a nanosecond, and whatever
 * properties the caller's array was given. So the engine's own getters are asked once, and a view of
 * our own over the same memory is made: its last element exists as long as the memory does.
 */

const getterOf = (prototype: object, name: string): ((object: object) => unknown) | undefined => {
  const getter = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return getter && Function.prototype.call.bind(getter);
};

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);
const lengthGetter = getterOf(TYPED_ARRAY, 'length')!;
const bufferGetter = getterOf(TYPED_ARRAY, 'buffer')!;
const offsetGetter = getterOf(TYPED_ARRAY, 'byteOffset')!;
/** Undefined in engines without resizable buffers. */
const resizable = getterOf(ArrayBuffer.prototype, 'resizable');
const isArrayBuffer = getterOf(ArrayBuffer.prototype, 'byteLength')!;

/** Elements, as the engine knows it; throws TypeError for what is no typed array. */
export const lengthOf = (bytes: Uint8Array): number => lengthGetter(bytes) as number;

/** A view of our own over `bytes`; undefined where their address is no constant. */
export function viewOf(bytes: Uint8Array): Uint8Array | undefined {
  const length = lengthOf(bytes);
  const buffer = bufferGetter(bytes) as ArrayBuffer;
  if (length === 0 || !isFixed(buffer)) return undefined;
  return new Uint8Array(buffer, offsetGetter(bytes) as number, length);
}

/** Shared memory is neither: other threads may change it, and it is copied only by who expects that. */
function isFixed(buffer: ArrayBuffer): boolean {
  try {
    isArrayBuffer(buffer);
  } catch {
    return false;
  }
  return resizable === undefined || resizable(buffer) === false;
}
