/** What `ringfence run` gives a program: a packet, a buffer, and the numbers of its context. */
import type { Program } from '../isa/index.ts';
import type { RunInput } from '../loader/index.ts';
import { UsageError } from './exit-code.ts';
import { bytesArgument } from './input.ts';

export interface InputOptions {
  readonly packet?: string;
  readonly memory?: string;
  readonly context?: string;
}

/** Throws UsageError where an option does not fit the program. */
export function inputOf(program: Program, options: InputOptions): RunInput {
  if (options.memory !== undefined) return { memory: memoryOf(program, options.memory) };
  if (program.type === 'memory' && (program.contextSize ?? 0) > 0) {
    throw new UsageError(`${program.name} needs --memory with ${program.contextSize} bytes`);
  }
  const { packet, context } = options;
  return {
    ...(packet === undefined ? {} : { packet: bytesArgument(packet, '--packet') }),
    ...(context === undefined ? {} : { context: contextOf(context) }),
  };
}

function memoryOf(program: Program, argument: string): Uint8Array {
  if (program.type !== 'memory')
    throw new UsageError(`--memory is for memory programs; ${program.name} is ${program.type}`);
  const memory = bytesArgument(argument, '--memory');
  const size = program.contextSize ?? 0;
  if (memory.length === size) return memory;
  throw new UsageError(
    `--memory: ${program.name} takes exactly ${size} bytes, not ${memory.length}`,
  );
}

const FIELD = /^(\w+)=(0x[0-9a-f]+|\d+)$/i;

/** `mark=7,ifindex=1`, or the bytes of the whole context. */
function contextOf(argument: string): Uint8Array | Record<string, bigint> {
  if (!/^\w+=/.test(argument)) return bytesArgument(argument, '--context');
  const fields = argument.split(',').map((part) => {
    const [, name, value] = FIELD.exec(part) ?? [];
    if (name !== undefined && value !== undefined) return [name, BigInt(value)] as const;
    throw new UsageError(`--context: '${part}' is not FIELD=NUMBER`);
  });
  return Object.fromEntries(fields);
}

/** What the program finds wrong with its input is the fault of who gave it. */
export function blameInput<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new UsageError(`${error.message} (--packet, --context, --memory)`);
    }
    throw error;
  }
}
