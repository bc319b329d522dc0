/**
 * What the shop adds to the engine. In one run, on the same photos: the bare engine (this process,
 * no HTTP, no database, no queue) and `huancai serve`, photos uploaded over HTTP until their
 * previews are ready. Then requests per second and p50/p99 of POST /photos and GET /photos/:id
 * while no photo is being coloured.
 *
 *   npm run bench:journey -- [--photos 24] [--megapixels 2] [--at-once 2] [--posts 200] [--gets 2000]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import type { HttpClient } from '../tests/support/http-client.js';
import { openBenchEngine, starterModel } from './bench-engine.js';
import { writePhoto } from './bench-photo.js';
import { openShop, smallPhoto } from './bench-shop.js';

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: '24' },
    megapixels: { type: 'string', default: '2' },
    'at-once': { type: 'string', default: '2' },
    posts: { type: 'string', default: '200' },
    gets: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '2' },
  },
});
const atOnce = Number(options['at-once']);
const label = { text: 'AI 合成', producer: 'Huancai', produceId: 'hc-bench' };

async function run(): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-journey-'));
  try {
    const photos = await writePhotos(dir, Number(options.photos));
    console.log(`${photos.length} JPEGs of ${options.megapixels} MP, ${atOnce} at once`);
    const bare: number[] = [];
    const path_: number[] = [];
    // Turn by turn, so that a noisy moment disturbs both alike; the best of each counts.
    for (let round = 0; round < Number(options.rounds); round++) {
      bare.push(await timeBare(photos));
      path_.push(await timePath(dir, photos, round));
    }
    const [engine, whole] = [Math.min(...bare), Math.min(...path_)];
    const rate = (seconds: number) => `${(photos.length / seconds).toFixed(2)} photos/s`;
    console.log(`  bare engine            ${engine.toFixed(2)} s   ${rate(engine)}`);
    console.log(`  whole path over HTTP   ${whole.toFixed(2)} s   ${rate(whole)}`);
    console.log(`  the path adds          ${((whole / engine - 1) * 100).toFixed(1)} %`);
    await timeRequests(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Different bytes, same work: a photo sent twice would be the same photo. */
async function writePhotos(dir: string, count: number): Promise<string[]> {
  const first = path.join(dir, 'photo.jpg');
  await writePhoto(first, Number(options.megapixels), 8);
  const files: string[] = [];
  for (let i = 0; i < count; i++) {
    const file = path.join(dir, `photo-${i}.jpg`);
    await sharp(first)
      .modulate({ brightness: 1 - i / (4 * count) })
      .jpeg({ quality: 90 })
      .toFile(file);
    files.push(file);
  }
  return files;
}

/** What a restore cannot do without: predict, preview, comparison. @returns seconds. */
async function timeBare(photos: readonly string[]): Promise<number> {
  const engine = openBenchEngine();
  const colour = async (file: string) => {
    await engine.inspect(file);
    const { chroma } = await engine.predict(file, { model: starterModel });
    const shown = { label, longEdgePx: 1280, watermark: '焕彩 Huancai' };
    await engine.render(file, chroma, `${file}.preview.jpg`, shown);
    await engine.render(file, chroma, `${file}.comparison.jpg`, { ...shown, layout: 'comparison' });
  };
  await colour(photos[0]!);
  const startedAt = performance.now();
  const left = [...photos];
  const hand = async () => {
    for (let file = left.shift(); file; file = left.shift()) await colour(file);
  };
  await Promise.all(Array.from({ length: atOnce }, hand));
  const seconds = (performance.now() - startedAt) / 1000;
  await engine.close();
  return seconds;
}

/** @returns seconds from the first upload to the last preview. */
async function timePath(dir: string, photos: readonly string[], round: number): Promise<number> {
  const shop = await openShop(path.join(dir, `shop-${round}`), {
    HUANCAI_WORK_PHOTOS_AT_ONCE: String(atOnce),
  });
  const { client } = shop;
  const warm = await client.upload(await smallPhoto(0));
  await ready(client, new Set([warm.id]));
  const startedAt = performance.now();
  const ids = new Set<string>();
  for (const file of photos) ids.add((await client.upload(readFileSync(file))).id);
  await ready(client, ids);
  const seconds = (performance.now() - startedAt) / 1000;
  await shop.stop();
  return seconds;
}

async function ready(client: HttpClient, ids: Set<string>): Promise<void> {
  while (ids.size > 0) {
    for (const id of [...ids]) {
      const { status, error } = await client.json('GET', `/photos/${id}`);
      if (status === 'failed') throw new Error(`${id} failed: ${error?.code}`);
      if (status !== 'ready') break;
      ids.delete(id);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function timeRequests(dir: string): Promise<void> {
  const shop = await openShop(path.join(dir, 'requests'), { HUANCAI_WORK_PHOTOS_AT_ONCE: '0' });
  const { client } = shop;
  const bodies = await Promise.all(
    Array.from({ length: Number(options.posts) }, (_, i) => smallPhoto(i + 1)),
  );
  const ids: string[] = [];
  await load('POST /photos', bodies.length, async (i) => {
    const { id, httpStatus } = await client.upload(bodies[i]!);
    if (httpStatus !== 202) throw new Error(`POST /photos answered ${httpStatus}`);
    ids.push(id);
  });
  await load('GET /photos/:id', Number(options.gets), async (i) => {
    const answer = await client.json('GET', `/photos/${ids[i % ids.length]}`);
    if (answer.status !== 'queued') throw new Error(`GET answered ${answer.status}`);
  });
  await shop.stop();
}

/** Eight clients at once. */
async function load(name: string, count: number, one: (i: number) => Promise<void>) {
  const times: number[] = [];
  let next = 0;
  const hand = async () => {
    for (let i = next++; i < count; i = next++) {
      const at = performance.now();
      await one(i);
      times.push(performance.now() - at);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 8 }, hand));
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => `${times[Math.floor(share * (times.length - 1))]!.toFixed(1)} ms`;
  const rate = `${(count / seconds).toFixed(0)}/s`.padStart(7);
  console.log(`  ${name.padEnd(20)} ${rate}   p50 ${at(0.5)}   p99 ${at(0.99)}`);
}

run().catch((error) => {
  console.error(error);
  process.exit(1);
});
