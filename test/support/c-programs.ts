/** Programs in C for tests that need types: compiled with the newest clang there is, if any. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '../../isa/index.ts';
import { readObject } from '../../programs/object/index.ts';

/** The compiler's name; undefined: none that knows BPF. */
export const clang = ['clang-19', 'clang'].find((name) => {
  const { status, stdout } = spawnSync(name, ['--print-targets'], { encoding: 'utf8' });
  return status === 0 && stdout.includes('bpf');
});

const PRELUDE = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
typedef unsigned long long u64; typedef int s32; typedef long long s64;
#define SEC(name) __attribute__((section(name), used))
#define KSYM __attribute__((section(".ksyms")))
#define MAP(name, kind, entries, k, v) \\
  struct { int (*type)[kind]; int (*max_entries)[entries]; k *key; v *value; } name SEC(".maps")
struct bpf_spin_lock { u32 val; };
struct bpf_timer { u64 opaque[2]; } __attribute__((aligned(8)));
struct bpf_wq { u64 opaque[2]; } __attribute__((aligned(8)));
struct bpf_task_work { u64 opaque; } __attribute__((aligned(8)));
struct bpf_dynptr { u64 opaque[2]; } __attribute__((aligned(8)));
static void *(*map_lookup)(void *, const void *) = (void *)1;
static long (*map_update)(void *, const void *, const void *, u64) = (void *)2;
static long (*map_delete)(void *, const void *) = (void *)3;
static u64 (*now)(void) = (void *)5;
char _license[] SEC("license") = "GPL";
`;

/** The programs of a source text; `PRELUDE` is in front of it. Throws with what the compiler said. */
export function compileC(source: string, flags: readonly string[] = []): Program[] {
  if (clang === undefined) throw new Error('there is no clang');
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-c-'));
  const [input, output] = [join(folder, 'test.bpf.c'), join(folder, 'test.bpf.o')];
  writeFileSync(input, PRELUDE + source);
  const fixed = ['-target', 'bpf', '-mcpu=v3', '-g', '-O2', '-fdebug-compilation-dir=.'];
  execFileSync(clang, [...fixed, ...flags, '-c', input, '-o', output]);
  return readObject(readFileSync(output), 'test.bpf.o');
}
