/** Map keys and values as JavaScript values, by the BTF of real objects. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compile } from '../../jit/index.ts';
import { createMap, load } from '../../loader/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { verify } from '../../verifier/index.ts';

const sample = (name: string) => {
  const path = fileURLToPath(new URL(`../../programs/samples/${name}.bpf.o`, import.meta.url));
  const [program] = readObject(readFileSync(path), name);
  const verdict = verify(program!);
  if (!verdict.ok) throw new Error(`${name} is not accepted`);
  return load(compile(verdict.proof), { lifetime: 'replaceable' });
};

describe('typed maps', () => {
  it('take and give values by BTF', () => {
    using extension = sample('ports');
    const services = extension.maps.services!;
    expect(services.typed).toBe(true);
    extension.run({ packet: tcpTo(443) });
    const entries = [...services.typedEntries()];
    expect(entries).toHaveLength(1);
    const [key, value] = entries[0]!;
    expect(services.get(key)).toEqual(value);
    services.set(key, value, 'existing');
    expect(services.delete(key)).toBe(true);
    expect(() => services.get({ nonsense: 1 })).toThrow(TypeError);
  });

  const clang = spawnSync('clang', ['--version']).status === 0;
  it.skipIf(!clang)('refuse values with kernel pointers, and keep locks out of copies', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
    const objectOf = (value: string) => {
      writeFileSync(
        join(folder, 'm.c'),
        `struct task_struct;
struct bpf_spin_lock { unsigned val; };
struct bpf_task_work { unsigned long long opaque; } __attribute__((aligned(8)));
struct value { ${value} int data; };
struct { int (*type)[1]; int (*max_entries)[4]; int *key; struct value *value; } m __attribute__((section(".maps")));
__attribute__((section("xdp"), used)) int p(void *c) { return (long)&m ? 2 : 1; }
char _license[] __attribute__((section("license"))) = "GPL";`,
      );
      const out = join(folder, 'm.o');
      execFileSync('clang', ['-target', 'bpf', '-g', '-O2', '-c', join(folder, 'm.c'), '-o', out]);
      return readObject(readFileSync(out), 'm.o')[0]!;
    };
    const work = objectOf('struct bpf_task_work t;');
    expect(() => createMap(work.maps[0]!, work.btf)).toThrow(/task-work .* not implemented/);
    const locked = objectOf('struct bpf_spin_lock l;');
    const map = createMap(locked.maps[0]!, locked.btf);
    map.set(new Uint8Array(4), new Uint8Array(8).fill(255));
    expect([...map.get(new Uint8Array(4))!]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
    expect(map.get(0)).toMatchObject({ data: -1 });
  });
});

/** An Ethernet, IPv4 and TCP header. */
function tcpTo(port: number): Uint8Array {
  const frame = new Uint8Array(64);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, 50);
  view.setUint8(23, 6);
  view.setUint16(36, port);
  return frame;
}
