/** Runs a command line in this process and collects what it prints. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../cli/main.ts';

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function ringfence(...args: readonly string[]): Promise<Result> {
  let out = '';
  let err = '';
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    style: { colour: false },
  });
  return { code, out, err };
}

/** Calls `use` with a folder that is gone afterwards and a function that writes files into it. */
export async function inTemporaryFolder<T>(
  use: (write: (name: string, content: string | Uint8Array) => string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
  try {
    return await use((name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sample = (name: string) =>
  new URL(`../../programs/samples/${name}`, import.meta.url).pathname;

export const FIREWALL = sample('firewall.bpf.o');
export const BAD_BOUNDS = sample('bad-bounds.bpf.o');
export const PORTS = sample('ports.bpf.o');
export const CAPTURE = sample('mixed.pcap');
