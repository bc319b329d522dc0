import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { ServerProcess } from '../crash/server-process.js';
import { seededRandom } from '../emulators/faults.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { createHttpClient } from '../support/http-client.js';
import { freePort, startRedis } from '../support/redis.js';
import { BoxProcess, type BoxSpec, type Cable, plugIn } from './boxes.js';
import { Chaos } from './chaos.js';
import { idealSeconds } from './ideal.js';
import { judge, type Verdict } from './verdict.js';

export interface FleetPlan {
  readonly photos: number;
  readonly boxes: readonly BoxSpec[];
  /** Share of photos that want the large input. */
  readonly largeShare: number;
  readonly seed: number;
  /** Photos that end their worker. */
  readonly poisoned?: number;
  /** Kill workers, restart Redis, pull cables, about every so many ms. */
  readonly chaosEveryMs?: number;
  /** Kills, restarts and cuts in all. */
  readonly blows?: number;
  /** Photos over the studio's address instead of a folder in common. */
  readonly overHttp?: boolean;
  readonly timeoutMs: number;
}

export interface FleetReport extends Verdict {
  readonly photos: number;
  readonly seconds: number;
  readonly idealSeconds: number;
  /** How much longer than the ideal, 1.00 is as good as it gets. */
  readonly ratio: number;
  /**
   * The same against boxes as fast as these were with everything between two inferences, which on a
   * crowded machine is much: what is left is the sharing out alone.
   */
  readonly ratioAtMeasuredSpeeds: number;
  readonly chaos: Readonly<Record<string, number>>;
  readonly perBox: readonly {
    readonly seconds: number;
    readonly measuredSeconds: number;
    readonly memoryPx: number;
    readonly done: number;
    readonly hottestC: number;
  }[];
}

const token = 'token of the simulated fleet, long enough';
const large = { preset: 'building', px: 960 };
const small = { preset: 'portrait', px: 512 };

/** Studio, Redis and workers as real processes; photos through a delay instead of a network. */
export async function runFleet(plan: FleetPlan): Promise<FleetReport> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-sim-'));
  const data = path.join(dir, 'studio');
  const random = seededRandom(plan.seed);
  const redis = await startRedis({ own: true });
  const shared = {
    HOME: dir,
    HUANCAI_QUEUE_LEASE_MS: '4000',
    HUANCAI_WORKER_TOKEN: token,
    HUANCAI_LOG_LEVEL: 'warn',
  };
  const server = new ServerProcess(
    {
      ...shared,
      REDIS_URL: redis.url,
      HUANCAI_DATA_DIR: data,
      HUANCAI_WORK_PHOTOS_AT_ONCE: '0',
      HUANCAI_PRICES_FREE_PREVIEWS_PER_DAY: '100000',
      HUANCAI_STUDIO_WAITING_PER_CUSTOMER: '100000',
      HUANCAI_WEB_UPLOADS_PER_MINUTE_PER_CUSTOMER: '0',
      HUANCAI_WEB_REQUESTS_PER_MINUTE_PER_CUSTOMER: '0',
    },
    await freePort(),
    path.join(dir, 'serve.log'),
  );
  const boxes: BoxProcess[] = [];
  const cables: Cable[] = [];
  const closers: (() => Promise<void> | void)[] = [];
  let chaos: Chaos | undefined;
  try {
    server.start();
    await server.ready(240_000);
    const sizes = await sendPhotos(server.url, plan, random);
    const go = path.join(dir, 'go');
    for (const [i, spec] of plan.boxes.entries()) {
      const cable = plan.chaosEveryMs && i < plan.boxes.length / 2 ? plugIn(i) : undefined;
      if (cable) cables.push(cable);
      const host = cable?.host ?? '127.0.0.1';
      const toRedis = await startFaultyProxy(Number(new URL(redis.url).port), host);
      const toStudio = await startFaultyProxy(server.port, host);
      closers.push(toRedis.close, toStudio.close);
      const place: Record<string, string> = plan.overHttp
        ? { HUANCAI_STUDIO_URL: toStudio.url }
        : { HUANCAI_DATA_DIR: data };
      const direct = plan.chaosEveryMs ? toRedis.url.replace('http', 'redis') : redis.url;
      const env = { ...shared, ...place, REDIS_URL: direct, SIM_GO: go };
      boxes.push(new BoxProcess(spec, path.join(dir, `box${i}`), env, cable?.prefix));
    }
    for (const box of boxes) box.start();
    await eventually(
      async () => (await redis.client.zcard('huancai:boxes')) === boxes.length,
      240_000,
    );
    await eventually(() => waitingIn(data) === 0, 240_000);

    const fromMs = Date.now();
    writeFileSync(go, '');
    chaos = plan.chaosEveryMs
      ? new Chaos(
          { redis, boxes, cables },
          { everyMs: plan.chaosEveryMs, random, blows: plan.blows ?? 0 },
        )
      : undefined;
    await eventually(() => finishedIn(data) >= plan.photos, plan.timeoutMs).catch((error) => {
      const logs = boxes.map((box) => box.log().slice(-1500)).join('\n---\n');
      throw new Error(`${error.message}\n${finishedIn(data)} done\n${logs}`);
    });
    const seconds = (Date.now() - fromMs) / 1000;
    const happened = (await chaos?.stop()) ?? {};
    const ideal = idealSeconds(plan.boxes, sizes);
    const { photos, poisoned = 0 } = plan;
    const blows = Object.values(happened).reduce((sum, times) => sum + times, 0);
    const verdict = judge(data, boxes, { photos, poisoned, blows });
    const measured = verdict.perBox.map((box) => ({ ...box, seconds: box.measuredSeconds }));
    const asMeasured = idealSeconds(measured, sizes);
    return {
      ...{ photos, seconds, idealSeconds: ideal, ratio: seconds / ideal },
      ...{ ratioAtMeasuredSpeeds: seconds / asMeasured, chaos: happened, ...verdict },
    };
  } finally {
    await chaos?.stop();
    await Promise.all(boxes.map((box) => box.stop()));
    await server.kill();
    for (const close of closers) await close();
    for (const cable of cables) cable.remove();
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Looks now and then only: the machine is busy with the fleet. */
async function eventually(is: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await is())) {
    if (Date.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${is}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Twenty customers send their photos. @returns the sizes they want, px. */
async function sendPhotos(url: string, plan: FleetPlan, random: () => number): Promise<number[]> {
  const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();
  const clients = Array.from({ length: 20 }, () => createHttpClient(url));
  const sizes: number[] = [];
  const send = async (client: (typeof clients)[number], from: number) => {
    for (let i = from; i < plan.photos; i += clients.length) {
      const want = random() < plan.largeShare ? large : small;
      const words = i < (plan.poisoned ?? 0) ? `POISON ${i}` : `photo ${i}`;
      const answer = await client.upload(named(jpeg, words), { preset: want.preset });
      if (answer.httpStatus >= 300) throw new Error(JSON.stringify(answer));
      sizes.push(want.px);
    }
  };
  await Promise.all(clients.map(send));
  return sizes;
}

/** The same picture with a comment of its own: another photo to everybody. */
function named(jpeg: Buffer, words: string): Buffer {
  const text = Buffer.from(words);
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}

/** Photos that are not in the queue yet. */
const waitingIn = (data: string) => count(data, "state = 'received'");
const finishedIn = (data: string) => count(data, "state in ('ready', 'failed')");

function count(data: string, where: string): number {
  const db = new Database(path.join(data, 'studio.db'), { readonly: true });
  try {
    const row = db.prepare(`select count(*) as n from photos where ${where}`).get();
    return (row as { n: number }).n;
  } finally {
    db.close();
  }
}
