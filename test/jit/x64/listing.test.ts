/** The listing says, address by address, what an independent decoder reads in the code. */
import * as iced from 'iced-x86';
import { expect, it } from 'vitest';
import { allocate, assemble } from '../../../jit/mach/index.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { REGISTERS } from '../../../jit/x64/registers.ts';
import { randomFunction } from '../mach/random-function.ts';

function decode(code: Uint8Array): { readonly native: number; readonly text: string }[] {
  const formatter = new iced.Formatter(iced.FormatterSyntax.Intel);
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.spaceAfterOperandSeparator = true;
  formatter.smallHexNumbersInDecimal = false;
  formatter.memorySizeOptions = iced.MemorySizeOptions.Always;
  formatter.branchLeadingZeros = false;
  formatter.showBranchSize = false;
  formatter.signedImmediateOperands = true;
  const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
  return decoder.decodeAll().map((instruction) => ({
    native: Number(instruction.ip),
    text: formatter.format(instruction),
  }));
}

/** Constants: which of three encodings was taken shows in the decoder's text only. */
const normal = (text: string): string =>
  text.replace(/^mov (r\w+|e\w+), -?0x[0-9a-f]+$/, 'mov constant').replace('+0x0]', ']');

it('agrees with the decoder on addresses and text', () => {
  const backend = { ...X64_BACKEND, registers: { ...REGISTERS, calleeSaved: [3, 5] } };
  for (let seed = 0; seed < 40; seed++) {
    const shape = { blocks: 8, variables: 9, instructionsPerBlock: 8 };
    const base = randomFunction(seed, shape);
    const code = { ...base, areas: [{ sizeBytes: 89, alignBytes: 8, zeroed: true }] };
    const assembled = assemble([allocate(code, backend)], backend, 'with-listing');
    const ours = assembled.listing.map(({ native, text }) => ({ native, text: normal(text) }));
    const theirs = decode(assembled.code).map(({ native, text }) => ({
      native,
      text: normal(text),
    }));
    // Moves between slots, and of addresses and long constants into slots, are one line for several instructions.
    const at = new Map(theirs.map(({ native, text }) => [native, text]));
    for (const { native, text } of ours) {
      if (/;|address|ptr .*, 0x[0-9a-f]{9,}/.test(text)) continue;
      expect(at.get(native), `seed ${seed} at ${native.toString(16)}`).toBe(text);
    }
  }
});
