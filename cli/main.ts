/**
 * The command line: options and help here, work in the `*-command.ts` beside it. A command's code is
 * loaded when it is called: verifying needs neither JIT nor loader.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { InputError, InternalError, UnsupportedError } from '../isa/index.ts';
import { EXIT, type ExitCode, UsageError } from './exit-code.ts';
import { PACKAGE_ROOT } from './root.ts';
import type { Output } from './verify-command.ts';

const VERSION = (
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  }
).version;

const format = () =>
  new Option('--format <form>', 'text for people, json for tools')
    .choices(['text', 'json'])
    .default('text');
const profile = () =>
  new Option(
    '--profile <name>',
    'rules to verify against: linux-5.4 … linux-6.18, windows, portable, memory (default: linux-6.18; memory programs: memory)',
  );
const privilege = () =>
  new Option(
    '--privilege <level>',
    'what the loading process may do (default: full for linux-*)',
  ).choices(['full', 'bpf', 'none']);
const kernelBtf = () =>
  new Option(
    '--kernel-btf <files>',
    "kernel types for CO-RE and tracing: a kernel's, then modules' behind commas (default: the running kernel's)",
  );

/** An option argument that must be a whole number from `least` up. */
function integerFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`expected a whole number, at least ${least}`);
  };
}

const repeated = (value: string, previous: readonly string[] = []) => [...previous, value];

function build(output: Output, finish: (code: ExitCode) => void): Command {
  const program = new Command('ringfence')
    .description('Verify, run and inspect eBPF programs without a kernel.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: output.out, writeErr: output.err })
    .showHelpAfterError('(see --help)');

  program
    .command('verify')
    .description('prove programs safe, or say why not')
    .argument('<input...>', 'ELF objects, JSON manifests or assembly files')
    .option('--program <name>', 'only this program')
    .addOption(profile())
    .addOption(privilege())
    .addOption(kernelBtf())
    .option('--max-errors <n>', 'diagnostics per program (default: 5)', integerFrom(1))
    .option('--as-kernel', 'exit 1 where the kernel would refuse a program that is proven safe')
    .addOption(format())
    .addHelpText('after', '\nExample:\n  $ ringfence verify programs/samples/firewall.bpf.o')
    .action(async (inputs, options) => {
      const { verifyCommand } = await import('./verify-command.ts');
      finish(verifyCommand(inputs, options, output));
    });

  program
    .command('run')
    .description('verify a program, then run it on a packet, a capture or a buffer')
    .argument('<input>', 'an ELF object, JSON manifest or assembly file')
    .option('--program <name>', 'which program, where the file has several')
    .option('--packet <bytes>', 'the packet: a file, or hex:0a0b…')
    .option('--pcap <file>', 'run over every packet of a capture (pcap or pcapng)')
    .option('--context <fields>', 'context fields, mark=7,ifindex=1; or all bytes, as the packet')
    .option('--memory <bytes>', 'the buffer of a memory program: a file, or hex:0a0b…')
    .option(
      '--map <name=file>',
      'fill a map from a JSON file of [{ "key": hex, "value": hex }, …]',
      repeated,
    )
    .option('--maps', 'print the maps afterwards')
    .option(
      '--repeat <n>',
      'runs; packet and context are as given at the start of each',
      integerFrom(1),
      1,
    )
    .addOption(
      new Option('--engine <engine>', 'what executes the program')
        .choices(['native', 'interpreter'])
        .default('native'),
    )
    .option(
      '--max-instructions <n>',
      'stop each run after so many instructions, and count them (exit 3 when one is stopped)',
      integerFrom(1),
    )
    .option(
      '--lcov <file>',
      'write which lines and branches ran, as an lcov tracefile (implies --engine interpreter)',
    )
    .addOption(
      new Option('--link-offset <where>', 'where the packet of a socket filter starts')
        .choices(['mac', 'network'])
        .default('network'),
    )
    .addOption(profile())
    .addOption(privilege())
    .addOption(kernelBtf())
    .addOption(format())
    .addHelpText(
      'after',
      '\nExample:\n  $ ringfence run programs/samples/ports.bpf.o --pcap programs/samples/mixed.pcap --maps',
    )
    .action(async (input, options) => {
      const { runCommand } = await import('./run-command.ts');
      finish(runCommand(input, options, output));
    });

  program
    .command('disassemble')
    .description(
      'print BPF instructions with their source lines, or the native code made from them',
    )
    .argument('<input>', 'an ELF object, JSON manifest or assembly file')
    .option('--program <name>', 'only this program')
    .option('--native', 'interleave machine code with BPF and source lines (verifies first)')
    .addOption(kernelBtf())
    .addHelpText(
      'after',
      '\nExample:\n  $ ringfence disassemble --native programs/samples/firewall.bpf.o',
    )
    .action(async (input, options) => {
      const { disassembleCommand } = await import('./disassemble-command.ts');
      finish(disassembleCommand(input, options, output));
    });

  program
    .command('assemble')
    .description('turn assembly into a JSON manifest')
    .argument('<input>', 'an assembly file')
    .option('--output <file>', 'where to write (default: standard output)')
    .addHelpText('after', '\nExample:\n  $ ringfence assemble filter.s --output filter.json')
    .action(async (input, options) => {
      const { assembleCommand } = await import('./assemble-command.ts');
      finish(assembleCommand(input, options, output));
    });

  return program;
}

/** Runs one command line (without `node` and the script); yields the exit code, never throws. */
export async function main(args: readonly string[], output: Output): Promise<ExitCode> {
  let code: ExitCode = EXIT.proven;
  try {
    const program = build(output, (result) => {
      code = result;
    });
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return exitFor(error, output);
  }
}

function exitFor(error: unknown, output: Output): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.proven : EXIT.usage;
  if (error instanceof UsageError || error instanceof InputError) {
    output.err(`ringfence: ${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof UnsupportedError) {
    output.err(`ringfence: ${error.message}\n`);
    return EXIT.unsupported;
  }
  if (error instanceof InternalError) {
    output.err(`ringfence: ${error.message}\n${error.dump}\n`);
    return EXIT.internal;
  }
  output.err(`ringfence: internal error: ${error instanceof Error ? error.stack : error}\n`);
  return EXIT.internal;
}
