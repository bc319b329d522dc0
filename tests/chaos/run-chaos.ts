import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Random } from '../crash/random.js';
import { ServerProcess } from '../crash/server-process.js';
import { runCli } from '../support/cli.js';
import { freePort } from '../support/redis.js';
import { Buyer } from './buyer.js';
import { ChaosClock } from './chaos-clock.js';
import { judge, type Verdict } from './judge.js';
import { Payer } from './payer.js';
import { type Providers, startProviders } from './providers.js';
import { settleAll } from './settle-all.js';

export interface ChaosPlan {
  readonly orders: number;
  readonly seed: number;
}

/** What the shop went through. */
export interface Trouble {
  /** kill -9 of the shop; listening sockets of a provider closed; calls that failed. */
  readonly trouble: {
    readonly kills: number;
    readonly crashes: number;
    readonly faults: number;
    /** Notifications that a provider sent or lost. */
    readonly notifications: number;
  };
  readonly seconds: { readonly shopping: number; readonly settling: number };
}

/** A minute of the shop is two seconds here. */
const speed = 30;
const buyersAtOnce = 6;
/** Orders between two crashes of the shop. */
const ordersPerKill = 40;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Orders by the hundred while everything breaks; then silence, and the books are compared. */
export async function runChaos({ orders, seed }: ChaosPlan): Promise<Verdict & Trouble> {
  const startMs = Date.now();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-chaos-'));
  const random = new Random(seed);
  const clock = new ChaosClock(path.join(dir, 'clock.json'), speed);
  const providers = await startProviders(clock, random.fork(), dir);
  const port = await freePort();
  const env = environment(dir, port, { ...providers.environment, ...clock.environment() });
  const server = new ServerProcess(env, port, path.join(dir, 'serve.log'));
  const payer = new Payer(providers, clock, random.fork(), server.url);
  let taken = 0;
  const next = () => (taken < orders ? taken++ : undefined);
  const buyers = Array.from(
    { length: buyersAtOnce },
    (_, place) => new Buyer(server.url, `${seed}-${place}`, random.fork()),
  );
  const paying = payer.run();
  try {
    server.start();
    await server.ready();
    providers.misbehave(0.12);
    const photoShare = Math.min(0.1, 25 / orders);
    let shopping = true;
    const crowd = Promise.all(buyers.map((one) => one.run(next, photoShare))).finally(() => {
      shopping = false;
    });
    const trouble = makeTrouble({
      server,
      providers,
      random,
      open: () => shopping,
      taken: () => taken,
    });
    await crowd;
    const { kills, crashes } = await trouble;
    await server.ready();
    const shoppedMs = Date.now();
    await refundSome(buyers, random, dir, env);
    providers.behave();
    const database = { file: path.join(dir, 'data', 'studio.db') };
    const unsettled = await settleAll({ clock, database, payer, providers, orders });
    const verdict = await judge({ database, buyers, payer, providers, clock });
    const { code, out, err } = await runCli(['ledger', 'audit'], { cwd: dir, env });
    const faults = [...verdict.faults, ...unsettled];
    if (code !== 0) faults.push(`huancai ledger audit: ${code} ${out}${err}`);
    if ((await server.stop()) !== 0) faults.push('SIGTERM did not end the shop well');
    if (faults.length > 0) faults.push(`log:\n${server.tail(60)}`);
    const { alipay, wechatpay } = providers;
    const notifications = alipay.notifier.sent.length + wechatpay.notifier.sent.length;
    const seconds = (fromMs: number, toMs: number) => Math.round((toMs - fromMs) / 1_000);
    return {
      ...{ ...verdict, faults },
      trouble: { kills, crashes, faults: providers.faults(), notifications },
      seconds: {
        shopping: seconds(startMs, shoppedMs),
        settling: seconds(shoppedMs, Date.now()),
      },
    };
  } finally {
    for (const one of buyers) one.stop();
    payer.stop();
    await paying;
    await server.kill();
    await providers.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Both sides crash, faults come and go, clocks go wrong, a refund takes its time. */
async function makeTrouble(world: {
  server: ServerProcess;
  providers: Providers;
  random: Random;
  open: () => boolean;
  taken: () => number;
}): Promise<{ kills: number; crashes: number }> {
  const done = { kills: 0, crashes: 0 };
  const { server, providers, random, open, taken } = world;
  let killAt = random.between(5, ordersPerKill);
  while (open()) {
    await pause(random.between(200, 1_500));
    providers.misbehave(random.chance(0.2) ? 0.5 : 0.12);
    providers.skew(random.chance(0.15) ? random.between(-420_000, 420_000) : 0);
    providers.wechatpay.refundStatus = random.chance(0.5) ? 'PROCESSING' : 'SUCCESS';
    const crashing = random.chance(0.3) ? [providers.alipay, providers.wechatpay] : [];
    for (const one of crashing) await one.crash(random.between(100, 1_200));
    done.crashes += crashing.length;
    if (taken() < killAt) continue;
    killAt = taken() + random.between(ordersPerKill / 2, ordersPerKill * 1.5);
    await server.kill();
    done.kills += 1;
    server.start();
    await server.ready();
  }
  return done;
}

/** The operator gives some money back, whole and in part, one while the shop is down. */
async function refundSome(
  buyers: readonly Buyer[],
  random: Random,
  cwd: string,
  env: Record<string, string>,
): Promise<void> {
  const all = buyers.flatMap((one) => one.bought.map(({ orderId }) => orderId));
  for (const [index, orderId] of all.entries()) {
    if (index % Math.ceil(all.length / 4) !== 0) continue;
    const part = random.chance(0.5) ? ['--amount-fen', '100'] : [];
    // Not paid yet, or not by then: that is said, and nothing happens.
    await runCli(['refund', orderId, '--reason', 'chaos', '--key', 'chaos', ...part], { cwd, env });
  }
}

function environment(dir: string, port: number, more: Record<string, string>) {
  return {
    HOME: dir,
    HUANCAI_DATA_DIR: path.join(dir, 'data'),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    HUANCAI_SANDBOX: 'off',
    HUANCAI_CHANNELS_WEB_METHODS: '[alipay, wechatpay, stars]',
    HUANCAI_STUDIO_ORDER_MINUTES: '5',
    HUANCAI_LOG_LEVEL: 'info',
    // Times of the shop's own clock, which is fast here.
    HUANCAI_QUEUE_LEASE_MS: String(6_000 * speed),
    HUANCAI_QUEUE_POLL_MS: '200',
    HUANCAI_QUEUE_MAX_LOST_WORKERS: '50',
    HUANCAI_QUEUE_MAX_LOST_WORKERS_PER_PHOTO: '50',
    HUANCAI_WEB_REQUESTS_PER_MINUTE_PER_CUSTOMER: '0',
    HUANCAI_WEB_UPLOADS_PER_MINUTE_PER_CUSTOMER: '0',
    HUANCAI_WEB_REQUESTS_PER_MINUTE_PER_ADDRESS: '0',
    HUANCAI_WEB_NEW_CUSTOMERS_PER_HOUR_PER_ADDRESS: '0',
    HUANCAI_INFERENCE_THREADS: '1',
    ...more,
  };
}
