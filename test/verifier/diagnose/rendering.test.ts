/**
 * What people read: golden files in test/cases/diagnostics, one per code, rewritten with BLESS=1.
 *
 *     title
 *     options: profile=... privilege=...      (if any)
 *     --- c | assembly
 *     the program
 *     --- output
 *     what is printed
 *
 * C needs clang-19 and libbpf-dev; where they are absent those cases are skipped. The same programs
 * are the examples of docs/diagnostics.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { render } from '../../../cli/report/index.ts';
import { assembleProgram, type Program } from '../../../isa/index.ts';
import { HELPERS } from '../../../platform/index.ts';
import { readObject } from '../../../programs/object/index.ts';
import { type Privilege, type VerifyOptions, verify } from '../../../verifier/index.ts';

const FOLDER = new URL('../../cases/diagnostics/', import.meta.url);
const HELPER_NAMES = new Map(HELPERS.map(({ name, id }) => [name, id]));

/** Included before every C case: what all of them need. */
const PRELUDE = `#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#define MAP(name, kind, key_type, value_type, entries) \\
  struct { __uint(type, kind); __type(key, key_type); __type(value, value_type); \\
    __uint(max_entries, entries); } name SEC(".maps")
char LICENSE[] SEC("license") = "GPL";
`;

const hasClang =
  spawnSync('clang-19', ['--version']).status === 0 && existsSync('/usr/include/bpf/bpf_helpers.h');
if (!hasClang) console.log('diagnostics of C programs: skipped, no clang-19 or libbpf-dev here');

interface Case {
  readonly code: string;
  readonly head: string;
  readonly language: 'c' | 'assembly';
  readonly source: string;
  readonly output: string;
  readonly options: VerifyOptions;
}

function readCase(file: string): Case {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const match = /^(.*?)--- (c|assembly)\n(.*?)--- output\n(.*)$/s.exec(text);
  if (match === null) throw new Error(`${file} has no program or no output`);
  const [, head = '', language = '', source = '', output = ''] = match;
  const profile = /profile=(\S+)/.exec(head)?.[1];
  const privilege = /privilege=(\S+)/.exec(head)?.[1] as Privilege | undefined;
  const options = { ...(profile ? { profile } : {}), ...(privilege ? { privilege } : {}) };
  return {
    code: file.replace('.txt', ''),
    head,
    language: language as Case['language'],
    source,
    output,
    options,
  };
}

function compileC(source: string): Program {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
  try {
    writeFileSync(join(folder, 'prelude.h'), PRELUDE);
    writeFileSync(join(folder, 'example.bpf.c'), source);
    const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-fdebug-compilation-dir=.'];
    const includes = ['-isystem', '/usr/include/x86_64-linux-gnu', '-include', 'prelude.h'];
    const run = spawnSync(
      'clang-19',
      [...flags, ...includes, '-c', 'example.bpf.c', '-o', 'example.bpf.o'],
      { cwd: folder, encoding: 'utf8' },
    );
    if (run.status !== 0) throw new Error(run.stderr);
    return readObject(readFileSync(join(folder, 'example.bpf.o')), 'example.bpf.o')[0]!;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const programOf = ({ language, source }: Case): Program =>
  language === 'c' ? compileC(source) : assembleProgram(source, 'example.s', HELPER_NAMES);

describe('diagnostics as text', () => {
  for (const file of readdirSync(FOLDER).sort()) {
    if (!file.endsWith('.txt')) continue;
    const one = readCase(file);
    it.skipIf(one.language === 'c' && !hasClang)(one.code, () => {
      const verdict = verify(programOf(one), one.options);
      expect(verdict.ok).toBe(false);
      const output = `${render(verdict)}\n`;
      expect(output).not.toMatch(/\{\w+\}|undefined/);
      if (process.env.BLESS === '1') {
        const text = `${one.head}--- ${one.language}\n${one.source}--- output\n${output}`;
        writeFileSync(new URL(file, FOLDER), text);
      } else expect(output).toBe(one.output);
      expect(verdict.ok ? '' : verdict.diagnostics[0]?.code).toBe(one.code);
    });
  }
});
