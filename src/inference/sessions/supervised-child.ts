import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { compiledEntry } from '../entry-point.js';
import { saysOutOfMemory } from './memory-errors.js';
import { memoryLimited } from './memory-limit.js';
import type { Command, Failure, LoadResult, Reply, RunResult, Vitals } from './protocol.js';

/** The child ended while it worked for us. */
export class ChildDied extends Error {
  constructor(
    readonly exitCode: number | null,
    readonly signal: string | null,
    readonly stderr: string,
    /** `timeout`: we ended it. `memory`: the kernel's out-of-memory killer did. */
    readonly reason: 'crash' | 'timeout' | 'memory' | 'cancelled',
    /** Provider it was about to load when it died. */
    readonly trying: string | undefined,
    /** It worked under a limit of its memory: what looks like a crash may be a lack of it. */
    readonly limited: boolean,
  ) {
    super(`the inference process ended (${signal ?? `exit code ${exitCode}`})`);
  }
}

/** The child answered that it could not. */
export class ChildRefused extends Error {
  constructor(readonly failure: Failure) {
    super(failure.reason);
  }
}

/** Distributes over the union, so that each command keeps its own fields. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** The inference process, one request at a time. Requests reject with ChildDied or ChildRefused. */
export interface SupervisedChild {
  readonly pid: number;
  readonly vitals: () => Vitals | undefined;
  load(command: WithoutId<Extract<Command, { kind: 'load' }>>, ms: number): Promise<LoadResult>;
  run(command: WithoutId<Extract<Command, { kind: 'run' }>>, ms: number): Promise<RunResult>;
  /** End it now. Resolves when it is gone. */
  end(reason: 'timeout' | 'cancelled'): Promise<void>;
}

/** How the process ended. */
export interface ChildExit {
  readonly pid: number;
  /** Ended by us. */
  readonly expected: boolean;
  readonly reason: ChildDied['reason'];
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Last lines it wrote to its stderr. */
  readonly stderr: string;
}

/** Told while the process works and when it ends. */
export interface ChildListener {
  readonly onTrying: (pid: number, provider: string) => void;
  readonly onExit: (exit: ChildExit) => void;
}

const STDERR_TAIL_CHARS = 4_000;

/** Start a child and wait until it listens. @throws {ChildDied} */
export async function startChild(
  startTimeoutMs: number,
  listener: ChildListener,
  env?: Readonly<Record<string, string | undefined>>,
): Promise<SupervisedChild> {
  const process_ = fork(compiledEntry(__dirname, 'session-process.js'), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Nothing of the parent's (inspector ports, loaders); the child collects after each run.
    execArgv: ['--expose-gc'],
    ...(env ? { env } : {}),
  });
  const link = connect(process_, listener);
  await link.ask('ready', undefined, startTimeoutMs);
  return link.child;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

function connect(child: ChildProcess, listener: ChildListener) {
  const oomKillsBefore = oomKills();
  let nextId = 1;
  let stderr = '';
  let trying: string | undefined;
  let vitals: Vitals | undefined;
  let ending: 'timeout' | 'cancelled' | undefined;
  let spawnError: Error | undefined;
  let limited = false;
  let gone: ChildDied | undefined;
  const waiting = new Map<number | 'ready', Waiting>();

  killWithParent(child);

  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL_CHARS);
  });
  (child.stderr as unknown as { unref?: () => void })?.unref?.();
  child.on('error', (error) => {
    spawnError = error;
    if (child.pid === undefined) finish(null, null);
  });
  child.on('message', (reply: Reply) => {
    if (reply.kind === 'trying') {
      trying = reply.provider;
      listener.onTrying(child.pid ?? 0, trying);
      return;
    }
    trying = undefined;
    if ('vitals' in reply) vitals = reply.vitals;
    const key = reply.kind === 'ready' ? 'ready' : reply.id;
    const waiter = waiting.get(key);
    waiting.delete(key);
    idle(waiting.size === 0);
    clearTimeout(waiter?.timer);
    waiter?.resolve(reply);
  });
  child.on('exit', finish);

  function finish(exitCode: number | null, signal: string | null): void {
    if (gone) return;
    living.delete(child);
    const reason = ending ?? reasonOf({ exitCode, signal, stderr }, oomKills() > oomKillsBefore);
    gone = new ChildDied(
      exitCode,
      signal,
      spawnError ? String(spawnError) : stderr,
      reason,
      trying,
      limited,
    );
    const expected = ending !== undefined;
    listener.onExit({ pid: child.pid ?? 0, expected, reason, exitCode, signal, stderr });
    for (const waiter of waiting.values()) {
      clearTimeout(waiter.timer);
      waiter.reject(gone);
    }
    waiting.clear();
  }

  /** A warm but idle child must not keep the program alive; it is killed with it. */
  function idle(yes: boolean): void {
    if (yes) {
      child.unref();
      child.channel?.unref();
    } else {
      child.ref();
      child.channel?.ref();
    }
  }

  function ask(key: number | 'ready', command: Command | undefined, ms: number): Promise<Reply> {
    if (gone) return Promise.reject(gone);
    return new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => void end('timeout'), ms);
      waiting.set(key, { resolve, reject, timer });
      idle(false);
      // Read while it lives: nothing tells it of a process that has ended.
      limited = memoryLimited(child.pid ?? 0);
      // A send that fails means the child is gone: 'exit' rejects this promise.
      if (command) child.send(command, () => {});
    });
  }

  async function call(command: Command, ms: number): Promise<Reply> {
    const reply = await ask(command.id, command, ms);
    if (reply.kind === 'failure') throw new ChildRefused(reply.failure);
    return reply;
  }

  function end(reason: 'timeout' | 'cancelled'): Promise<void> {
    if (gone) return Promise.resolve();
    ending ??= reason;
    child.ref();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  const supervised: SupervisedChild = {
    get pid() {
      return child.pid ?? 0;
    },
    vitals: () => vitals,
    load: async (command, ms) => (await call({ ...command, id: nextId++ }, ms)) as never,
    run: async (command, ms) => (await call({ ...command, id: nextId++ }, ms)) as never,
    end,
  };
  return { child: supervised, ask };
}

/** V8 and the C++ runtime abort when they get no memory, Node ends with a code; all say so last. */
function reasonOf(
  { exitCode, signal, stderr }: Pick<ChildExit, 'exitCode' | 'signal' | 'stderr'>,
  oomKilled: boolean,
): 'memory' | 'crash' {
  if (signal === 'SIGKILL') return oomKilled ? 'memory' : 'crash';
  return (signal !== null || exitCode !== 0) && saysOutOfMemory(stderr) ? 'memory' : 'crash';
}

const living = new Set<ChildProcess>();

/** A run may last minutes; a child must not finish it after its parent has ended. */
function killWithParent(child: ChildProcess): void {
  if (living.size === 0 && process.listeners('exit').indexOf(killLiving) < 0)
    process.on('exit', killLiving);
  living.add(child);
}

function killLiving(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** How often the kernel has killed for memory: tells its SIGKILL from somebody else's. */
function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
