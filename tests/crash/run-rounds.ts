import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, type TestRedis } from '../support/redis.js';
import { CrashCustomer } from './customer.js';
import { Random } from './random.js';
import { ServerProcess } from './server-process.js';
import { judge, type Verdict } from './verdict.js';

export interface CrashPlan {
  readonly rounds: number;
  readonly seed: number;
  readonly databaseUrl?: string;
  /** Restarted once, and flushed once, in the middle. */
  readonly redis?: TestRedis;
}

const customersAtOnce = 4;
const photosPerCustomer = 12;
/** Lost Redis data is found again by the sweeper, which looks at what is a minute old. */
const settleMs = 240_000;
/** After the last kill customers finish what they began. */
const leavingMs = 90_000;
/** Does not keep the test alive when nobody waits any more. */
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** Kill the shop again and again while customers buy; then hold it to its word. */
export async function runCrashRounds(plan: CrashPlan): Promise<Verdict> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-crash-'));
  const random = new Random(plan.seed);
  const server = new ServerProcess(environment(dir, plan), await freePort(), `${dir}/serve.log`);
  const customers: CrashCustomer[] = [];
  let open = true;
  const crowd = Array.from({ length: customersAtOnce }, async (_, place) => {
    for (let visit = 0; open; visit++) {
      const customer = new CrashCustomer(server.url, `${place}.${visit}`, random.fork());
      customers.push(customer);
      await customer.run(photosPerCustomer);
    }
  });
  try {
    server.start();
    await server.ready();
    for (let round = 0; round < plan.rounds; round++)
      await playRound(round, plan, server, random, () => steps(customers));
    open = false;
    await server.ready();
    for (const customer of customers) customer.leave();
    await Promise.race([Promise.all(crowd), pause(leavingMs)]);
    for (const customer of customers) customer.stop();
    await Promise.all(crowd);
    const data = path.join(dir, 'data');
    const place = {
      file: path.join(data, 'studio.db'),
      url: plan.databaseUrl,
      sandbox: path.join(data, 'sandbox'),
    };
    const verdict = await judge(customers, place, settleMs);
    const code = await server.stop();
    if (code !== 0) return withFault(verdict, `SIGTERM: exit code ${code}\n${server.tail()}`);
    if (verdict.faults.length > 0) return withFault(verdict, `log:\n${server.tail(80)}`);
    return verdict;
  } finally {
    open = false;
    for (const customer of customers) customer.stop();
    await Promise.allSettled(crowd);
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function playRound(
  round: number,
  { rounds, redis }: CrashPlan,
  server: ServerProcess,
  random: Random,
  stepsSoFar: () => number,
): Promise<void> {
  const wait = (low: number, high: number) => pause(random.between(low, high));
  // Let something happen first, on a slow machine too; then strike at a moment of chance.
  const enough = stepsSoFar() + random.between(0, 8);
  for (let tries = 0; tries < 150 && stepsSoFar() < enough; tries++) await pause(100);
  await wait(0, 1_500);
  if (redis && round === Math.floor(rounds / 3)) await redis.restart({ downMs: 500 });
  if (redis && round === Math.floor((2 * rounds) / 3)) await redis.flush();
  if (random.chance(0.4)) {
    server.killInference();
    await wait(0, 1_500);
  }
  if (round % 2 === 0 || random.chance(0.6)) {
    await server.kill();
    server.start();
    // Now and then again before it has found its feet.
    if (random.chance(0.25)) {
      await wait(100, 2_000);
      await server.kill();
      server.start();
    }
    await server.ready();
  }
}

function steps(customers: readonly CrashCustomer[]): number {
  return customers.reduce((sum, one) => sum + one.steps, 0);
}

function environment(dir: string, { databaseUrl, redis }: CrashPlan): Record<string, string> {
  return {
    HOME: dir,
    HUANCAI_DATA_DIR: path.join(dir, 'data'),
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    ...(redis ? { REDIS_URL: redis.url } : {}),
    HUANCAI_LOG_LEVEL: 'info',
    HUANCAI_QUEUE_LEASE_MS: '3000',
    HUANCAI_QUEUE_POLL_MS: '200',
    // Here the killer is outside; a job must not be blamed for it.
    HUANCAI_QUEUE_MAX_LOST_WORKERS: '50',
    HUANCAI_WEB_REQUESTS_PER_MINUTE_PER_CUSTOMER: '0',
    HUANCAI_WEB_UPLOADS_PER_MINUTE_PER_CUSTOMER: '0',
  };
}

function withFault(verdict: Verdict, fault: string): Verdict {
  return { ...verdict, faults: [...verdict.faults, fault] };
}
