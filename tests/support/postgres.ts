import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { freePort } from './redis.js';

export interface TestPostgres {
  /** An empty database of its own. */
  createDatabase(): Promise<string>;
  /** SIGSTOP for the server and all its connections. Only a server of one's own. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

const missing = [
  'The storage tests need a real PostgreSQL. Install one:  apt-get install postgresql',
  'or name a running one whose user may create databases:',
  '  TEST_DATABASE_URL=postgres://user:password@127.0.0.1:5432/postgres',
].join('\n');

/**
 * A private PostgreSQL cluster on a free port, removed afterwards. Unless it must be `durable`, it
 * does not wait for the disk: tests kill processes, not the machine's power. With TEST_DATABASE_URL that
 * server is used instead: databases are created in it and dropped.
 */
export async function startPostgres(options: { durable?: boolean } = {}): Promise<TestPostgres> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return overServer(given, async () => {}, notOurs);
  const bin = binaries();
  const port = await freePort();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-postgres-'));
  // PostgreSQL refuses to run as root: Debian's package brings a user for it.
  const user = process.getuid?.() === 0 ? debianUser() : undefined;
  if (user) chownSync(dir, user.uid, user.gid);
  const identity = { ...user, cwd: dir, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' } };
  const data = path.join(dir, 'data');
  execFileSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'huancai', '--auth=trust', '-E', 'UTF8', '--no-sync'],
    { ...identity, stdio: 'pipe' },
  );
  const hasty = options.durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off'];
  const server = spawn(
    path.join(bin, 'postgres'),
    ['-D', data, '-p', String(port), '-k', dir, '-c', 'listen_addresses=127.0.0.1', ...hasty],
    { ...identity, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said: string[] = [];
  server.stderr?.on('data', (chunk) => said.push(String(chunk)));
  const url = `postgres://huancai@127.0.0.1:${port}/postgres`;
  const clean = async () => {
    await ended(server);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await answering(url, server, said);
  } catch (error) {
    await clean();
    throw error;
  }
  return overServer(url, clean, (signal) => signalAll(server, signal));
}

function binaries(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const bin = versions
    .map((version) => path.join(root, version, 'bin'))
    .find((one) => existsSync(path.join(one, 'initdb')));
  if (!bin) throw new Error(missing);
  return bin;
}

function debianUser(): { uid: number; gid: number } {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new Error(missing);
  }
}

async function answering(url: string, server: ChildProcess, said: string[]): Promise<void> {
  for (let tries = 0; tries < 150; tries += 1) {
    if (server.exitCode !== null) throw new Error(`postgres ended: ${said.join('')}`);
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error(`postgres does not answer: ${said.join('')}`);
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const exit = new Promise((resolve) => server.once('exit', resolve));
  // Fast shutdown: connections are cut.
  server.kill('SIGINT');
  await exit;
}

function notOurs(): never {
  throw new Error('TEST_DATABASE_URL names a server that the tests must not stop');
}

/** To the server and each process it has made. */
function signalAll(server: ChildProcess, signal: NodeJS.Signals): void {
  const pid = server.pid!;
  const file = `/proc/${pid}/task/${pid}/children`;
  const send = (one: number) => {
    try {
      process.kill(one, signal);
    } catch {
      // Gone meanwhile.
    }
  };
  // The server first: it must make no new ones.
  send(pid);
  for (const one of readFileSync(file, 'utf8').trim().split(' ')) send(Number(one));
}

function overServer(
  url: string,
  stop: () => Promise<void>,
  signal: (signal: NodeJS.Signals) => void,
): TestPostgres {
  const databases: string[] = [];
  const run = async (statement: string) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  return {
    createDatabase: async () => {
      const name = `huancai_test_${process.pid}_${databases.length}_${Math.random().toString(36).slice(2, 8)}`;
      await run(`create database ${name}`);
      databases.push(name);
      const target = new URL(url);
      target.pathname = `/${name}`;
      return target.href;
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    stop: async () => {
      for (const name of databases) await run(`drop database if exists ${name} with (force)`);
      await stop();
    },
  };
}
