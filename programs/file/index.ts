/** Programs from a file of any form. */
export { HELPER_IDS, type KernelBtfSource, programsOf, runningKernelBtf } from './read.ts';
