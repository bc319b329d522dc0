import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import os from 'node:os';
import { Cancelled, systemCodeOf } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';

/** How a lock is waited for. */
export interface LockOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
  /** A lock whose holder has not touched it for this long is taken over, ms. */
  readonly staleMs?: number;
}

const POLL_MS = 250;
const HEARTBEAT_MS = 5_000;

/**
 * Run `work` while holding a lock file, so that two processes do not download the same model. The
 * holder touches the file while it works: a killed one is noticed.
 * @throws {Cancelled}
 */
export async function withLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const owner = `${os.hostname()} ${process.pid} ${randomUUID()}`;
  await acquire(file, owner, options);
  const heartbeat = setInterval(() => {
    const now = options.clock.now() / 1000;
    utimes(file, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readFile(file, 'utf8').catch(() => '')) === owner) await rm(file, { force: true });
  }
}

async function acquire(file: string, owner: string, options: LockOptions): Promise<void> {
  for (let waits = 0; ; waits += 1) {
    if (options.signal?.aborted) throw new Cancelled();
    if (await create(file, owner)) return;
    const abandoned = await abandonedOwner(file, options);
    if (abandoned !== undefined) {
      await takeAway(file, abandoned);
      continue;
    }
    if (waits === 0) options.onWait?.();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function create(file: string, owner: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(owner);
    await handle.close();
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Its process is gone (same host), or nobody has touched it for long. */
async function abandonedOwner(file: string, options: LockOptions): Promise<string | undefined> {
  try {
    const owner = await readFile(file, 'utf8');
    const [host, pid] = owner.split(' ');
    if (host === os.hostname() && pid && !isAlive(Number(pid))) return owner;
    const ageMs = options.clock.now() - (await stat(file)).mtimeMs;
    return ageMs > (options.staleMs ?? 30_000) ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Renaming is atomic: of several that notice an abandoned lock, one removes it. */
async function takeAway(file: string, abandoned: string): Promise<void> {
  const grave = `${file}.${randomUUID()}`;
  try {
    await rename(file, grave);
    // Somebody was faster and this is already the next holder's: put it back.
    if ((await readFile(grave, 'utf8')) !== abandoned) await link(grave, file);
  } catch {
    // Another process took it away.
  }
  await rm(grave, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}
