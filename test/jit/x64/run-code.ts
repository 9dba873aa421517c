/**
 * Runs raw machine code: a small C program, compiled on the spot, that maps what it reads and calls
 * it. Independent of the loader, so that a fault here is a fault of the code generator.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
typedef uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
/* Calls with known values in the callee-saved registers; *kept tells whether they came back. */
static uint64_t call(function f, uint64_t *a, uint64_t *kept) {
  register uint64_t r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
  uint64_t result, d = a[0], s = a[1], x = a[2], c = a[3], ok;
  __asm__ volatile(
      "push %%rbp\\n push %%rbx\\n push %%r12\\n push %%r13\\n push %%r14\\n push %%r15\\n"
      "mov $11, %%ebx\\n mov $12, %%ebp\\n mov $13, %%r12d\\n mov $14, %%r13d\\n mov $15, %%r14d\\n"
      "mov %%rsp, %%r15\\n and $-16, %%rsp\\n push %%r15\\n sub $8, %%rsp\\n"
      "call *%%rax\\n"
      "cmp %%r15, 8(%%rsp)\\n setne %%cl\\n add $8, %%rsp\\n pop %%rsp\\n"
      "movzx %%cl, %%ecx\\n sub $11, %%rbx\\n or %%rbx, %%rcx\\n sub $12, %%rbp\\n or %%rbp, %%rcx\\n"
      "sub $13, %%r12\\n or %%r12, %%rcx\\n sub $14, %%r13\\n or %%r13, %%rcx\\n"
      "sub $15, %%r14\\n or %%r14, %%rcx\\n"
      "pop %%r15\\n pop %%r14\\n pop %%r13\\n pop %%r12\\n pop %%rbx\\n pop %%rbp\\n"
      : "=a"(result), "+D"(d), "+S"(s), "+d"(x), "+c"(c), "+r"(r8), "+r"(r9)
      : "0"(f) : "r10", "r11", "xmm0", "memory", "cc");
  ok = c == 0;
  *kept = ok;
  return result;
}
int main(void) {
  uint32_t head[2];
  uint64_t args[6], out[2];
  alarm(20);
  unsigned char *page = mmap(0, 1 << 20, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  while (fread(head, sizeof head, 1, stdin) == 1) {
    if (fread(args, sizeof args, 1, stdin) != 1) return 1;
    if (head[0] > 1 << 20 || fread(page, head[0], 1, stdin) != 1) return 1;
    out[0] = call((function)(page + head[1]), args, &out[1]);
    fwrite(out, sizeof out, 1, stdout);
    fflush(stdout);
  }
  return 0;
}
`;

export interface Run {
  readonly code: Uint8Array;
  readonly entry: number;
  readonly arguments: readonly bigint[];
}

export interface RunResult {
  readonly result: bigint;
  /** Whether stack pointer and callee-saved registers had their old values again. */
  readonly preserved: boolean;
}

let runner: string | undefined;

function buildRunner(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-run-'));
  const source = join(folder, 'run.c');
  const program = join(folder, 'run');
  writeFileSync(source, SOURCE);
  execFileSync('cc', ['-O0', '-fomit-frame-pointer', '-mno-red-zone', '-o', program, source]);
  return program;
}

/** x64 Linux with a C compiler; tests say so when they skip. */
export const canRun = process.platform === 'linux' && process.arch === 'x64';

export function runCode(runs: readonly Run[]): RunResult[] {
  runner ??= buildRunner();
  const parts = runs.map(({ code, entry, arguments: values }) => {
    const head = Buffer.alloc(8 + 48);
    head.writeUInt32LE(code.length, 0);
    head.writeUInt32LE(entry, 4);
    values.forEach((value, i) => {
      head.writeBigUInt64LE(BigInt.asUintN(64, value), 8 + 8 * i);
    });
    return Buffer.concat([head, code]);
  });
  const { stdout, status, signal } = spawnSync(runner, {
    input: Buffer.concat(parts),
    maxBuffer: 1 << 28,
  });
  const done = Math.floor(stdout.length / 16);
  if (status !== 0) throw new Error(`run ${done} of ${runs.length} ended with ${signal ?? status}`);
  return runs.map((_, i) => ({
    result: stdout.readBigUInt64LE(16 * i),
    preserved: stdout.readBigUInt64LE(16 * i + 8) === 1n,
  }));
}
