export * from './kernel/index.ts';
export * from './packet/index.ts';
