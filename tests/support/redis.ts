import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import Redis from 'ioredis';

export interface TestRedis {
  readonly url: string;
  /** End the server (kill -9 unless told) and start it again on the same data and port. */
  restart(options?: { downMs?: number; whileDown?: () => Promise<void> }): Promise<void>;
  flush(): Promise<void>;
  /** SIGSTOP: connections stay, nothing is answered. Only a server of one's own. */
  pause(): void;
  resume(): void;
  /** A plain client for looking; closed with the server. */
  readonly client: Redis;
  stop(): Promise<void>;
}

const missing = [
  'The queue tests need a real Redis. Install one:  apt-get install redis-server',
  'or name a running one (it will be flushed):      TEST_REDIS_URL=redis://127.0.0.1:6379/15',
].join('\n');

/** A free TCP port of this machine. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/**
 * A private redis-server as the product wants it: noeviction and an append-only file. With
 * TEST_REDIS_URL that server is used instead, unless the test must restart it (`own`).
 */
export async function startRedis(options: { own?: boolean } = {}): Promise<TestRedis> {
  const given = process.env.TEST_REDIS_URL;
  if (given && !options.own) return useGiven(given);
  const port = await freePort();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  let server = await launch(port, dir);
  const client = new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => {});
  return {
    url,
    client,
    flush: async () => void (await client.flushall()),
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    restart: async ({ downMs = 0, whileDown } = {}) => {
      await ended(server, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, downMs));
      await whileDown?.();
      server = await launch(port, dir);
      await client.ping();
    },
    stop: async () => {
      client.disconnect();
      await ended(server, 'SIGTERM');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function useGiven(url: string): Promise<TestRedis> {
  const client = new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => {});
  await client.flushdb();
  return {
    url,
    client,
    flush: async () => void (await client.flushdb()),
    pause: () => {
      throw new Error('TEST_REDIS_URL names a server that the tests must not stop');
    },
    resume: () => {},
    restart: async () => {
      throw new Error('TEST_REDIS_URL names a server that the tests must not restart');
    },
    stop: async () => {
      await client.quit();
    },
  };
}

async function launch(port: number, dir: string): Promise<ChildProcess> {
  const settings = {
    port,
    dir,
    bind: '127.0.0.1',
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(missing, { cause })));
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${log}`)));
    server.stdout.on('data', (chunk) => {
      log += chunk;
      if (log.includes('Ready to accept connections')) resolve();
    });
  });
  server.removeAllListeners('exit');
  return server;
}

async function ended(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = new Promise((resolve) => server.once('exit', resolve));
  server.kill(signal);
  await exit;
}
