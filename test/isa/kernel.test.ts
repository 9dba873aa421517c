/**
 * The decoder refuses what the running kernel refuses, and nothing else: every opcode, and every row
 * with each field disturbed in turn.
 */

import { expect, test } from 'vitest';
import { kernelRefusal, loadIntoKernel } from '../../hosts/kernel/index.ts';
import { decode, type Program, type Row, TABLE } from '../../isa/index.ts';

const reason = kernelRefusal();
if (reason) console.log(`skipped: ${reason}`);

interface Slot {
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

function bytesOf(code: number, { dst, src, off, imm }: Slot): number[] {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  bytes[0] = code;
  bytes[1] = dst | (src << 4);
  view.setInt16(2, off, true);
  view.setInt32(4, imm, true);
  return [...bytes];
}

const slot = (code: number, dst: number, src = 0, imm = 0) =>
  bytesOf(code, { dst, src, off: 0, imm });

/** r6 = context, r2 = 16 written bytes of stack, the others 1; so that only encodings can be wrong. */
const PROLOGUE = [
  ...slot(0xbf, 6, 1),
  ...[0, 1, 3, 4, 5, 7, 8, 9].flatMap((register) => slot(0xb7, register, 0, 1)),
  ...slot(0xbf, 2, 10),
  ...slot(0x07, 2, 0, -16),
  ...slot(0x7a, 2),
  ...bytesOf(0x7a, { dst: 2, src: 0, off: 8, imm: 0 }),
];
/** Long enough for every jump that the disturbed fields can make. */
const EPILOGUE = [...Array.from({ length: 10 }, () => slot(0xb7, 0)).flat(), ...slot(0x95, 0)];

/** A form of the row that is as right as it can be without a map or type to name. */
function plain(row: Row): Slot {
  const writes =
    row.kind === 'store' || (row.kind === 'atomic' && row.operation !== 'load_acquire');
  const loads = row.kind === 'load' || row.operation === 'load_acquire';
  return {
    dst: row.dst === 'unused' ? 0 : writes ? 2 : 1,
    src: typeof row.src === 'number' ? row.src : row.src === 'unused' ? 0 : loads ? 2 : 3,
    off: typeof row.off === 'number' ? row.off : 0,
    // Helper 7 is bpf_get_prandom_u32.
    imm:
      typeof row.imm === 'number'
        ? row.imm
        : row.imm === 'callee'
          ? 7
          : row.imm === 'value'
            ? 1
            : 0,
  };
}

function disturbed(form: Slot): Slot[] {
  return [
    form,
    { ...form, dst: 5 },
    { ...form, dst: 11 },
    { ...form, src: 5 },
    { ...form, src: 12 },
    ...[1, 2, 8].map((off) => ({ ...form, off })),
    ...[0, 3, -1, 0x100, 0x10000].map((imm) => ({ ...form, imm })),
  ];
}

const program = (code: readonly number[]): Program => ({
  name: 'encoding',
  file: '',
  section: '',
  type: 'socket_filter',
  license: 'GPL',
  flags: [],
  code: Uint8Array.from(code),
  maps: [],
  mapReferences: [],
  kfuncCalls: [],
  functions: [],
  lines: [],
});

const ENCODING =
  /reserved fields|unknown opcode|(?:invalid|unrecognized) bpf_ld_imm64|R1\d is invalid|invalid atomic|invalid may_goto|can only convert/;
/** The kernel met another rule first: it says nothing about the encoding. */
const OTHER_RULE =
  /unreachable insn|last insn is not|associated arena|btf_id|BTF|not pointing to valid|fd_idx|jump out of range|subprog/;

function disagreement(body: readonly number[]): string | undefined {
  const code = [...PROLOGUE, ...body, ...EPILOGUE];
  const { errors } = decode(Uint8Array.from(code));
  const verdict = loadIntoKernel(program(code), { logLevel: 1 });
  if (verdict.accepted) verdict.program.close();
  const log = verdict.accepted ? '' : verdict.log;
  const theirs = ENCODING.test(log);
  if (errors.length > 0 === theirs || (errors.length > 0 && OTHER_RULE.test(log))) return undefined;
  return `${body.join(' ')}: ${errors[0]?.reason ?? 'accepted'}; kernel: ${log.slice(-300)}`;
}

/** Linux does not know callx, which profiles decide on. */
const CALLX = 0x8d;

test.skipIf(reason)('every opcode', () => {
  for (let code = 0; code < 256; code++) {
    if (code !== CALLX) expect(disagreement(slot(code, 0))).toBeUndefined();
  }
});

test.skipIf(reason)('every row, each field disturbed', { timeout: 60_000 }, () => {
  for (const row of TABLE) {
    if (row.kind === 'continuation' || row.code === CALLX) continue;
    for (const form of disturbed(plain(row))) {
      const second = row.kind === 'constant' ? slot(0, 0) : [];
      expect(disagreement([...bytesOf(row.code, form), ...second]), row.name).toBeUndefined();
    }
  }
});
