/** Programs as raw instructions in JSON, format `ringfence-program/1`. */

export { readManifest } from './read.ts';
export { writeManifest } from './write.ts';
