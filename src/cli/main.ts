#!/usr/bin/env node
import { exitCodes } from './exit-codes.js';
import { endUnlessIdle } from './interrupt.js';
import { run } from './run.js';

// Whoever read our output has gone (`| head`): stop as after Ctrl-C, once, without a stack trace.
let stopping = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stopping) return;
    stopping = true;
    // Nobody listens where there is nothing to clean up.
    if (!process.emit('SIGINT', 'SIGINT')) process.exit(exitCodes.interrupted);
  });
}

run(process.argv).then((code) => {
  process.exitCode = code;
  if (code === exitCodes.interrupted) endUnlessIdle();
});
