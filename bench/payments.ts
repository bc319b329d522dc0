/**
 * Settled notifications per second: signed by an emulated Alipay, verified, recorded, matched to
 * their order, booked and told of, over our queue; beside the bare database's own durable
 * transactions per second (one inserted row each) on the same disk in the same run. SQLite with
 * synchronous FULL; a PostgreSQL of its own with fsync on, if one is installed.
 *
 *   npm run bench:payments -- [--orders 600] [--rounds 2] [--only sqlite|postgres] [--dir folder]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { Pool } from 'pg';
import { alipayStand } from '../tests/payments/stands.js';
import { startPostgres, type TestPostgres } from '../tests/support/postgres.js';
import { openTill, type Till } from './payments-till.js';

const { values: options } = parseArgs({
  options: {
    orders: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '2' },
    only: { type: 'string' },
    dir: { type: 'string', default: os.tmpdir() },
  },
});
const orders = Number(options.orders);
/** Providers knock this often at once. */
const atOnce = 32;
const bareMs = 3_000;
/** As many as the product opens. */
const connections = 10;

interface Contestant {
  readonly name: string;
  /** Durable transactions per second, nothing else done. */
  bare(): Promise<number>;
  /** A fresh database. */
  till(gateway: Awaited<ReturnType<typeof alipayStand>>['gateway']): Promise<Till>;
}

async function run(): Promise<void> {
  const dir = mkdtempSync(path.join(options.dir, 'huancai-payments-'));
  let postgres: TestPostgres | undefined;
  try {
    console.log(`${orders} orders a round, ${atOnce} notifications at once, in ${options.dir}`);
    if (options.only !== 'postgres') await contest(sqlite(dir));
    if (options.only === 'sqlite') return;
    postgres = await startPostgres({ durable: true });
    await contest(postgresql(postgres));
  } finally {
    await postgres?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Turn by turn, so that a noisy moment disturbs both alike; the best of each counts. */
async function contest(one: Contestant): Promise<void> {
  const bare: number[] = [];
  const settled: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    bare.push(await one.bare());
    settled.push(await settle(one));
  }
  const [theirs, ours] = [Math.max(...bare), Math.max(...settled)];
  console.log(one.name);
  console.log(`  durable transactions, bare   ${theirs.toFixed(0).padStart(7)} /s`);
  console.log(`  notifications settled        ${ours.toFixed(0).padStart(7)} /s`);
  console.log(`  ratio                        ${(ours / theirs).toFixed(3).padStart(7)}`);
}

async function settle(one: Contestant): Promise<number> {
  const stand = await alipayStand();
  const till = await one.till(stand.gateway);
  try {
    const numbers = await till.order(orders);
    const bodies = numbers.map((no) => {
      stand.emulator.pay(no, { notify: false });
      return Buffer.from(stand.emulator.notificationBody(stand.emulator.trades.get(no)!));
    });
    const startMs = performance.now();
    let next = 0;
    const provider = async () => {
      for (let body = bodies[next++]; body; body = bodies[next++]) await till.notify(body);
    };
    await Promise.all(Array.from({ length: atOnce }, provider));
    await till.allSettled();
    const seconds = (performance.now() - startMs) / 1_000;
    await till.prove();
    return orders / seconds;
  } finally {
    await till.close();
    await stand.close();
  }
}

function sqlite(dir: string): Contestant {
  let count = 0;
  const fresh = (what: string) => path.join(dir, `${what}-${++count}.db`);
  return {
    name: 'SQLite, WAL, synchronous FULL',
    async bare() {
      const database = new Sqlite(fresh('bare'));
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.exec('create table paid (id integer primary key, what text not null)');
      const insert = database.prepare('insert into paid (what) values (?)');
      const startMs = performance.now();
      let done = 0;
      for (; performance.now() - startMs < bareMs; done++) insert.run(`order ${done}`);
      const seconds = (performance.now() - startMs) / 1_000;
      database.close();
      return done / seconds;
    },
    till: (gateway) => openTill({ file: fresh('till') }, gateway),
  };
}

function postgresql(server: TestPostgres): Contestant {
  return {
    name: 'PostgreSQL, fsync on, synchronous_commit on',
    async bare() {
      const pool = new Pool({ connectionString: await server.createDatabase(), max: connections });
      await pool.query('create table paid (id bigserial primary key, what text not null)');
      const startMs = performance.now();
      let done = 0;
      const client = async () => {
        for (; performance.now() - startMs < bareMs; done++)
          await pool.query('insert into paid (what) values ($1)', [`order ${done}`]);
      };
      await Promise.all(Array.from({ length: connections }, client));
      const seconds = (performance.now() - startMs) / 1_000;
      await pool.end();
      return done / seconds;
    },
    till: async (gateway) => {
      const url = await server.createDatabase();
      return openTill({ file: '', url, connections }, gateway);
    },
  };
}

void run();
