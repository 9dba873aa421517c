export { excerpt } from './excerpt.ts';
export {
  brokenEntry,
  type DiagnosticEntry,
  malformedEntry,
  type VerdictDocument,
  type VerdictEntry,
  verdictDocument,
  verdictEntry,
} from './json.ts';
export { render, renderDiagnostic, renderSummary, type Style, titleOf } from './text.ts';
