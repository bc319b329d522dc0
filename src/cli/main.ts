#!/usr/bin/env node
import { run } from './run.js';

// Whoever read our output has gone (`| head`): stop as after Ctrl-C, without a stack trace.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.kill(process.pid, 'SIGTERM');
  });
}

run(process.argv).then((code) => {
  process.exitCode = code;
});
