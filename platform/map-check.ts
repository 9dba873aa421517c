/** Whether a map could be created at all: what its type demands of sizes and flags. */

import type { MapSpec } from '../isa/index.ts';
import { mapType } from './lookup.ts';

const PAGE_BYTES = 4096;
/** struct bpf_lpm_trie_key: 4 bytes of prefix length, then 1 to 256 bytes. */
const TRIE_KEY = { min: 5, max: 260 };

const list = (sizes: readonly number[]) => sizes.join(' or ');

function keyProblem(rule: 'any' | 'zero' | 'trie' | 4 | readonly number[], size: number) {
  switch (rule) {
    case 'any':
      return size > 0 ? undefined : 'its keys need at least 1 byte';
    case 'zero':
      return size === 0 ? undefined : 'it has no keys: keySize must be 0';
    case 'trie':
      return size >= TRIE_KEY.min && size <= TRIE_KEY.max
        ? undefined
        : `its keys have ${TRIE_KEY.min} to ${TRIE_KEY.max} bytes`;
    case 4:
      return size === 4 ? undefined : 'its keys have 4 bytes';
    default:
      return rule.includes(size) ? undefined : `its keys have ${list(rule)} bytes`;
  }
}

function valueProblem(rule: 'any' | 'zero' | 'stack' | 4 | readonly number[], size: number) {
  switch (rule) {
    case 'any':
      return size > 0 ? undefined : 'its values need at least 1 byte';
    case 'zero':
      return size === 0 ? undefined : 'it has no values: valueSize must be 0';
    case 'stack':
      return size >= 8 && size % 8 === 0 ? undefined : 'its values are stacks of 8-byte addresses';
    case 4:
      return size === 4 ? undefined : 'its values have 4 bytes';
    default:
      return rule.includes(size) ? undefined : `its values have ${list(rule)} bytes`;
  }
}

function entriesProblem(rule: 'positive' | 'zero' | 'pages', entries: number) {
  switch (rule) {
    case 'positive':
      return entries > 0 ? undefined : 'maxEntries must be at least 1';
    case 'zero':
      return entries === 0 ? undefined : 'it grows as needed: maxEntries must be 0';
    case 'pages':
      return entries >= PAGE_BYTES && Number.isInteger(Math.log2(entries))
        ? undefined
        : `maxEntries is its size: a power of two of at least ${PAGE_BYTES} bytes`;
    default:
      return rule satisfies never;
  }
}

/** What is wrong with the map's definition, or undefined. */
export function mapProblem(spec: MapSpec): string | undefined {
  const row = mapType(spec.type);
  if (row === undefined) return `no map type is called '${spec.type}'`;
  if ((spec.flags & row.requiredFlags) !== row.requiredFlags) {
    return `its flags must include 0x${row.requiredFlags.toString(16)}`;
  }
  if (row.ofMaps && spec.inner === undefined) return 'a map of maps needs an inner map';
  return (
    keyProblem(row.keySize, spec.keySize) ??
    valueProblem(row.valueSize, spec.valueSize) ??
    entriesProblem(row.maxEntries, spec.maxEntries) ??
    (spec.inner && mapProblem(spec.inner))
  );
}
