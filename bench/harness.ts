/** The harness process (bench/harness.c): a clock and a loop around native code. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Measurement } from './engine.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

export class Harness {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];
  #slots = 0;

  constructor(path: string) {
    this.#child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] }) as never;
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#lines.on('line', (line) => this.#waiting.shift()?.(line));
    this.#child.on('exit', () => {
      for (const resolve of this.#waiting.splice(0)) resolve('error the harness ended');
    });
  }

  async setPacket(packet: Uint8Array): Promise<void> {
    await this.#ask(`packet ${hex(packet)}`);
  }

  /** Maps machine code without relocations; the result names it. */
  async mapCode(code: Uint8Array, entry: number): Promise<number> {
    const slot = this.#slots++;
    await this.#ask(`code ${slot} ${entry} ${hex(code)}`);
    return slot;
  }

  runNative(name: string, count: number): Promise<Measurement> {
    return this.#measure(`native ${name} ${count}`);
  }

  runCode(slot: number, count: number): Promise<Measurement> {
    return this.#measure(`run ${slot} ${count}`);
  }

  close(): void {
    this.#lines.close();
    this.#child.stdin.end();
  }

  async #measure(request: string): Promise<Measurement> {
    const [nanoseconds, r0] = (await this.#ask(request)).split(' ').map(Number);
    return { nanoseconds: nanoseconds ?? Number.NaN, r0: r0 ?? Number.NaN };
  }

  #ask(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((line) =>
        line.startsWith('error') ? reject(new Error(`harness: ${line.slice(6)}`)) : resolve(line),
      );
      this.#child.stdin.write(`${request}\n`);
    });
  }
}
