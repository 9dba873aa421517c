/** Programs from ELF object files. */
export { type ObjectOptions, readObject } from './read.ts';
export { type SectionMeaning, sectionMeaning } from './section-names.ts';
