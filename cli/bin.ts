#!/usr/bin/env node
/** The `ringfence` executable: the command line bound to this process. */
import { main } from './main.ts';

const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  style: { colour },
});
