/**
 * What open pages cost the colouriser. One shop with a long line of photos; turn by turn nobody
 * looks, and many pages listen to their live events. Printed: photos a minute with and without
 * them, and how long /healthz takes meanwhile.
 *
 *   node scripts/bench.mjs pages [--photos 900] [--streams 200] [--seconds 25] [--rounds 2]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createHttpClient } from '../tests/support/http-client.js';
import { openShop, smallPhoto } from './bench-shop.js';

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: '900' },
    streams: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '25' },
    rounds: { type: 'string', default: '2' },
  },
});
const streams = Number(options.streams);
const seconds = Number(options.seconds);
const token = 'bench-0123456789abcdef0123456789abcdef';

async function run(): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-pages-'));
  const shop = await openShop(dir, {
    METRICS_TOKEN: token,
    HUANCAI_WEB_LIVE_CONNECTIONS: '0',
    HUANCAI_WEB_LIVE_CONNECTIONS_PER_CUSTOMER: '0',
  });
  try {
    const cookies = await fillLine(shop.url, Number(options.photos));
    const alone: number[] = [];
    const watched: number[] = [];
    for (let round = 0; round < Number(options.rounds); round++) {
      alone.push(await measure(shop.url, 'nobody looks', []));
      watched.push(await measure(shop.url, `${streams} pages`, cookies));
    }
    const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
    const cost = (1 - sum(watched) / sum(alone)) * 100;
    console.log(`  the pages cost ${cost.toFixed(1)} % of the photos (target 10)`);
  } finally {
    await shop.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As many customers as pages, the photos shared out among them. @returns a cookie for each page. */
async function fillLine(url: string, photos: number): Promise<string[]> {
  const people = Array.from({ length: streams }, () => createHttpClient(url));
  for (const client of people) await client.json('GET', '/me');
  let next = 0;
  const hand = async () => {
    for (let i = next++; i < photos; i = next++) {
      const { httpStatus } = await people[i % people.length]!.upload(await smallPhoto(i));
      if (httpStatus !== 202) throw new Error(`POST /photos answered ${httpStatus}`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, hand));
  return people.map((client) => client.cookie());
}

/** @returns photos coloured. */
async function measure(url: string, name: string, cookies: readonly string[]): Promise<number> {
  const pages = cookies.map((cookie) => listen(url, cookie));
  // The first look of each page is not what this is about.
  await pause(3_000);
  const before = await done(url);
  const times = await knock(url, seconds);
  const count = (await done(url)) - before;
  const heard = pages.reduce((all, page) => all + page.bytes(), 0) / 1e6;
  for (const page of pages) page.close();
  await pause(1_000);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))]!.toFixed(0);
  console.log(
    `  ${name.padEnd(14)} ${((count / seconds) * 60).toFixed(0).padStart(4)} photos/min   ` +
      `/healthz p50 ${at(0.5)} ms, p99 ${at(0.99)} ms   heard ${heard.toFixed(1)} MB`,
  );
  return count;
}

/** One open page. */
function listen(url: string, cookie: string) {
  let bytes = 0;
  const request = http.get(`${url}/api/v1/me/events`, { headers: { cookie }, agent: false });
  request.on('error', () => {});
  request.on('response', (response) => {
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    response.on('error', () => {});
  });
  return { bytes: () => bytes, close: () => request.destroy() };
}

/** Runs of photos that ended well since the start. */
async function done(url: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(/^huancai_photo_runs_total\{code="ok"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

async function knock(url: string, forSeconds: number): Promise<number[]> {
  const times: number[] = [];
  const untilMs = performance.now() + forSeconds * 1_000;
  while (performance.now() < untilMs) {
    const at = performance.now();
    await (await fetch(`${url}/healthz`)).text();
    times.push(performance.now() - at);
    await pause(100);
  }
  return times.sort((a, b) => a - b);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

run().catch((error) => {
  console.error(error);
  process.exit(1);
});
