/**
 * Entry of the child process. It holds one session, does one thing at a time and lives as long as
 * its parent: `session.run` blocks the event loop, and a native crash or the out-of-memory killer
 * takes this process only.
 */

import { saysOutOfMemory } from './memory-errors.js';
import { type ModelSession, openModelSession, SessionFailure } from './model-session.js';
import { peakResidentBytes } from './peak-memory.js';
import type { Command, Failure, Reply, Vitals } from './protocol.js';

// Ctrl-C and a service manager's stop reach the whole group. The parent decides when we end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// SIGKILL, because drivers have been seen to hang in their exit handlers.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

let session: ModelSession | undefined;
let work: Promise<void> = Promise.resolve();

process.on('message', (command: Command) => {
  work = work.then(() => handle(command));
});
send({ kind: 'ready' });

async function handle(command: Command): Promise<void> {
  try {
    send(command.kind === 'load' ? await load(command) : await run(command));
  } catch (error) {
    const failure = error instanceof SessionFailure ? error.failure : unforeseen(String(error));
    send({ id: command.id, kind: 'failure', failure, vitals: vitals() });
  }
  collect();
}

/** The answer itself may find no memory any more. */
function unforeseen(reason: string): Failure {
  return { kind: saysOutOfMemory(reason) ? 'memory' : 'failed', reason };
}

/**
 * The engine sees small handles, not the megabytes of tensors behind them, and lets them pile up.
 * Measured over 100 runs at 256 px: 122-135 MB with this, 127 growing to 180 MB without.
 */
function collect(): void {
  const { gc } = globalThis as { gc?: (options: { type: 'minor' }) => void };
  gc?.({ type: 'minor' });
}

async function load(command: Extract<Command, { kind: 'load' }>): Promise<Reply> {
  await session?.release();
  session = undefined;
  session = await openModelSession(command.spec, (provider) => send({ kind: 'trying', provider }));
  const { contract, fallbacks } = session;
  return { id: command.id, kind: 'loaded', contract, fallbacks, vitals: vitals() };
}

async function run(command: Extract<Command, { kind: 'run' }>): Promise<Reply> {
  if (!session) throw new Error('run before load');
  const result = await session.run(command.planes, command.widthPx, command.heightPx);
  return { id: command.id, kind: 'result', ...result, vitals: vitals() };
}

function vitals(): Vitals {
  return {
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: peakResidentBytes(),
  };
}

function send(reply: Reply): void {
  // The parent may be gone already; then 'disconnect' ends this process.
  if (process.connected) process.send?.(reply);
}
