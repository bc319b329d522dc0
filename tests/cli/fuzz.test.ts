import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { type PhotoOutcome, runBatch } from '../../src/cli/colorize/batch.js';
import { planOutputs } from '../../src/cli/colorize/outputs.js';
import { createRecipe } from '../../src/cli/colorize/recipe.js';
import { createWork } from '../../src/cli/colorize/work.js';
import { loadConfig } from '../../src/cli/config.js';
import { openEngine } from '../../src/cli/engine.js';
import { StudioError } from '../../src/studio/errors/base.js';

/** Small and deterministic; the same seed mutates the same bytes. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

async function healthyImages(): Promise<{ name: string; bytes: Buffer }[]> {
  const [width, height] = [40, 28];
  const random = randomFrom(7);
  const grey = Buffer.from(Array.from({ length: width * height }, () => 60 + random(120)));
  const base = () => sharp(grey, { raw: { width, height, channels: 1 } });
  const rgb = () => base().toColourspace('srgb');
  const made: [string, sharp.Sharp][] = [
    ['grey.jpg', base().jpeg()],
    ['progressive.jpg', rgb().jpeg({ progressive: true })],
    ['rotated.jpg', rgb().withMetadata({ orientation: 6, density: 300 }).jpeg()],
    ['cmyk.jpg', rgb().toColourspace('cmyk').jpeg()],
    ['alpha.png', rgb().ensureAlpha(0.5).png()],
    ['palette.png', rgb().png({ palette: true })],
    ['deep.png', rgb().toColourspace('rgb16').png()],
    ['plain.tif', rgb().tiff({ compression: 'none' })],
    ['lzw.tif', rgb().toColourspace('rgb16').tiff({ compression: 'lzw' })],
    ['tiled.tif', rgb().tiff({ tile: true, pyramid: true, tileWidth: 16, tileHeight: 16 })],
    ['photo.webp', rgb().webp()],
    ['lossless.webp', rgb().webp({ lossless: true })],
    ['photo.avif', rgb().avif({ effort: 0 })],
    ['photo.gif', rgb().gif()],
  ];
  return Promise.all(
    made.map(async ([name, picture]) => ({ name, bytes: await picture.toBuffer() })),
  );
}

type Mutation = (bytes: Buffer, random: (below: number) => number) => Buffer;

const mutations: Record<string, Mutation> = {
  truncated: (bytes, random) => bytes.subarray(0, random(bytes.length)),
  flipped: (bytes, random) => {
    for (let i = 1 + random(20); i > 0; i--) bytes[random(bytes.length)]! ^= 1 << random(8);
    return bytes;
  },
  header: (bytes, random) => {
    for (let i = 1 + random(6); i > 0; i--) bytes[random(Math.min(64, bytes.length))] = random(256);
    return bytes;
  },
  zeroed: (bytes, random) => {
    const from = random(bytes.length);
    return bytes.fill(0, from, Math.min(bytes.length, from + random(200)));
  },
  huge: (bytes, random) => {
    // Sizes and offsets are big and little endian words: make one of them enormous.
    const from = random(bytes.length);
    return bytes.fill(0xff, from, Math.min(bytes.length, from + 4));
  },
  doubled: (bytes, random) => Buffer.concat([bytes.subarray(0, random(bytes.length)), bytes]),
};

test('2,000 damaged images: a typed error or a picture, never a crash, a hang or a leak', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-fuzz-'));
  const held: Held[] = [];
  const engine = openEngine({
    config: loadConfig({ HUANCAI_DATA_DIR: folder }),
    env: {},
    now: Date.now,
  });
  try {
    const images = await healthyImages();
    const kinds = Object.entries(mutations);
    const random = randomFrom(20260101);
    const photos = Array.from({ length: 2000 }, (_, i) => {
      const { name, bytes } = images[i % images.length]!;
      const [kind, mutate] = kinds[random(kinds.length)]!;
      // Now and then under a name that lies about the format.
      const extension = random(10) === 0 ? '.png' : path.extname(name);
      const relative = `${String(i).padStart(4, '0')}-${kind}-${path.parse(name).name}${extension}`;
      mkdirSync(path.join(folder, 'in'), { recursive: true });
      const file = path.join(folder, 'in', relative);
      writeFileSync(file, mutate(Buffer.from(bytes), random));
      return { file, relative, named: true };
    });
    const recipe = createRecipe(engine, {
      variants: [{ model: 'starter', sizePx: 64, finishing: { sharpen: 0.5, denoise: 0.3 } }],
      upsampling: 'guided',
      quality: 90,
      labelText: 'AI',
      producer: 'test',
      modelHashes: [],
      preset: { name: 'auto' },
    });
    const deps = { recipe, journalFor: () => undefined, isOurs: engine.isLabelled, now: Date.now };
    const tasks = planOutputs(photos, {
      cwd: folder,
      output: 'out',
      compare: false,
      variants: 1,
    });
    const outcomes = await runBatch(tasks, createWork(deps, { resume: false, overwrite: false }), {
      concurrency: 4,
      signal: new AbortController().signal,
      now: Date.now,
      listener: { finished: () => void held.push(heldNow()) },
    });
    expect(untyped(outcomes)).toEqual([]);
    const done = outcomes.filter((outcome) => outcome.status === 'done');
    const failed = outcomes.filter((outcome) => outcome.status === 'failed');
    expect(done.length + failed.length).toBe(2000);
    // A mutator that damages nothing, or everything, would test nothing.
    expect(done.length).toBeGreaterThan(200);
    expect(failed.length).toBeGreaterThan(800);
    expect(readdirSync(path.join(folder, 'out')).length).toBe(done.length);
    expect(engine.status().restarts).toBe(0);
    // What 1,000 broken files left behind would show in the second half.
    const [middle, end] = [held[held.length / 2]!, held.at(-1)!];
    expect(end.megabytes - middle.megabytes).toBeLessThan(200);
    expect(end.files - middle.files).toBeLessThan(20);
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 1_200_000);

interface Held {
  readonly megabytes: number;
  /** Open files, sockets and the like. */
  readonly files: number;
}

const heldNow = (): Held => ({
  megabytes: process.memoryUsage.rss() / 1e6,
  files: readdirSync('/proc/self/fd').length,
});

/** Failures that are bugs of ours, or that blame the machine for a damaged photo. */
function untyped(outcomes: readonly PhotoOutcome[]): string[] {
  return outcomes
    .filter(({ status, error }) => {
      const typed = error instanceof StudioError && error.code.startsWith('PHOTO_');
      return status === 'cancelled' || (status === 'failed' && !typed);
    })
    .map(({ task, error }) => `${task.relative}: ${error}`);
}
