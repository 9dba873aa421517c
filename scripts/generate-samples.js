/**
 * Builds programs/samples/*.bpf.o from the C sources beside them. The committed objects come from
 * one compiler version so that they can be compared byte for byte; where that compiler is absent
 * this says so and changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.js';

/** Debian package clang-19; the major version decides the code that comes out. */
const CLANG = 'clang-19';
const STRIP = 'llvm-strip-19';
const FLAGS = [
  '-O2',
  '-g',
  '-target',
  'bpf',
  '-mcpu=v3',
  '-Wall',
  '-Wextra',
  '-Wno-unused-parameter',
  '-Wno-language-extension-token',
  '-fdebug-compilation-dir=.',
  '-isystem',
  '/usr/include/x86_64-linux-gnu',
];

const folder = join(root, 'programs/samples');
if (spawnSync(CLANG, ['--version']).status !== 0 || spawnSync(STRIP, ['--version']).status !== 0) {
  console.log(`samples: not rebuilt, ${CLANG} or ${STRIP} is not installed`);
} else {
  for (const source of readdirSync(folder).filter((name) => name.endsWith('.bpf.c'))) {
    const object = source.replace(/\.c$/, '.o');
    for (const [command, args] of [
      [CLANG, [...FLAGS, '-c', source, '-o', object]],
      [STRIP, ['-g', object]],
    ]) {
      const result = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
      process.stderr.write(result.stderr);
      if (result.status !== 0) process.exit(1);
    }
  }
}
