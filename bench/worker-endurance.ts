/**
 * Photos in a row through one `huancai worker`: the resident memory of the worker and of its inference
 * process must stay flat. A studio that leaves photos alone hands them out over HTTP; every photo is
 * other bytes. Prints a line every tenth and the slope of the second half (the first fills caches and
 * pools). Linux.
 *
 *   node scripts/bench.mjs worker-endurance [--photos 200] [--megapixels 2]
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { createHttpClient, type HttpClient } from '../tests/support/http-client.js';
import { writePhoto } from './bench-photo.js';
import { residentMb, slopeOf } from './resident.js';

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: '200' },
    megapixels: { type: 'string', default: '2' },
  },
});
const main = path.resolve(__dirname, '../cli/main.js');
const port = 20_000 + (process.pid % 20_000);

async function run(): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-endurance-'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    HUANCAI_DATA_DIR: path.join(dir, 'data'),
  };
  const apart = {
    ...{ PORT: String(port), HUANCAI_WORK_PHOTOS_AT_ONCE: '0', HUANCAI_LOG_LEVEL: 'error' },
    HUANCAI_PRICES_FREE_PREVIEWS_PER_DAY: '100000',
  };
  const serve = spawn(process.execPath, [main, 'serve'], {
    ...{ env: { ...env, ...apart }, stdio: 'inherit' },
  });
  let worker: ChildProcess | undefined;
  try {
    const client = createHttpClient(`http://127.0.0.1:${port}`);
    await until(async () => (await client.send('GET', '/readyz')).ok);
    worker = spawn(process.execPath, [main, 'worker'], {
      ...{ env: { ...env, HUANCAI_WORK_PHOTOS_AT_ONCE: '1' }, stdio: 'ignore' },
    });
    await photosThrough(client, worker, dir);
  } finally {
    worker?.kill('SIGTERM');
    serve.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    rmSync(dir, { recursive: true, force: true });
  }
}

async function photosThrough(client: HttpClient, worker: ChildProcess, dir: string) {
  const count = Number(options.photos);
  const first = path.join(dir, 'photo.jpg');
  await writePhoto(first, Number(options.megapixels), 8);
  const rss: Record<'worker' | 'inference', number[]> = { worker: [], inference: [] };
  const startedMs = Date.now();
  for (let i = 0; i < count; i++) {
    // Other bytes and other shapes: changing sizes are what makes pools grow.
    const photo = sharp(first).resize(1200 + ((i * 37) % 500), undefined);
    const { id } = await client.upload(await photo.jpeg({ quality: 80 + (i % 15) }).toBuffer());
    let state = '';
    await until(async () => {
      if (worker.exitCode !== null) throw new Error(`the worker ended with ${worker.exitCode}`);
      state = (await client.json('GET', `/photos/${id}`)).status;
      return state === 'ready' || state === 'failed';
    });
    if (state !== 'ready') throw new Error(`photo ${i + 1} failed`);
    rss.worker.push(residentMb(worker.pid!));
    rss.inference.push(residentMb(inferenceOf(worker.pid!)));
    if (i % Math.ceil(count / 10) === 0 || i === count - 1) {
      const [mine, child] = [rss.worker.at(-1)!, rss.inference.at(-1)!];
      console.log(
        `photo ${String(i + 1).padStart(4)}: worker ${mine.toFixed(0)} MB, inference ${child.toFixed(0)} MB`,
      );
    }
  }
  console.log(`${count} photos, ${((Date.now() - startedMs) / 1000).toFixed(0)} s, none failed`);
  for (const [name, series] of Object.entries(rss)) {
    const half = series.slice(series.length >> 1);
    console.log(`${name}: ${slopeOf(half).toFixed(3)} MB per photo over the last ${half.length}`);
  }
}

function inferenceOf(parent: number): number {
  const out = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(parent)], {
    encoding: 'utf8',
  });
  const line = out.split('\n').find((text) => text.includes('session-process'));
  return Number.parseInt(line ?? '', 10);
}

/** Patient: a crowded machine takes its time. */
async function until(done: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 300_000;
  for (;;) {
    if (await done().catch((error) => orAway(error))) return;
    if (Date.now() > endMs) throw new Error('took longer than five minutes');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Not listening yet. */
function orAway(error: Error): false {
  if (error instanceof TypeError) return false;
  throw error;
}

void run();
