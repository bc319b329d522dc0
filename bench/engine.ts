/**
 * What the engine adds to the work that nobody can avoid. In one run, on the same JPEG: the bare
 * network (onnxruntime), bare decode + encode (sharp), and our whole path from file to file; then
 * peak memory for larger photos, each in a process of its own.
 *
 *   npm run bench:engine -- [--runs 5] [--megapixels 12] [--skip-tiny] [--skip-memory]
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { convertCheckpoint } from '../src/inference/convert/convert-checkpoint.js';
import type { Colorizer } from '../src/inference/index.js';
import { usableCores } from '../src/inference/sessions/threads.js';
import { writeDdcolorCheckpoint } from '../tests/support/ddcolor-checkpoint.js';
import { openBenchEngine, starterModel } from './bench-engine.js';
import { writePhoto } from './bench-photo.js';
import { peakResidentMb } from './resident.js';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    megapixels: { type: 'string', default: '12' },
    'skip-tiny': { type: 'boolean', default: false },
    'skip-memory': { type: 'boolean', default: false },
    /** Used by itself: one photo in this process, print peak memory. */
    measure: { type: 'string' },
  },
});

const label = { producer: 'bench', produceId: 'hc-bench' };

async function main(): Promise<void> {
  if (options.measure) return measureMemory(options.measure);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-bench-'));
  try {
    const photo = path.join(folder, 'photo.jpg');
    await writePhoto(photo, Number(options.megapixels), 8);
    const megabytes = (statSync(photo).size / 1e6).toFixed(1);
    console.log(
      `${options.megapixels} MP JPEG of ${megabytes} MB, best of ${options.runs}, ${usableCores()} threads`,
    );
    await compare(photo, { file: starterModel, sizePx: 256, name: 'starter', strength: 1 });
    if (!options['skip-tiny']) {
      const tiny = path.join(folder, 'ddcolor-tiny.onnx');
      await writeTiny(folder, tiny);
      // Its random weights answer with a mean chroma near 100, far out of gamut everywhere; a
      // photograph's is a tenth of that.
      const name = 'DDColor-tiny-sized';
      await compare(photo, { file: tiny, sizePx: 512, name, strength: 0.12 });
    }
    if (!options['skip-memory']) await printMemory(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** DDColor-tiny's exact shapes, random weights: what it computes does not change how long. */
async function writeTiny(folder: string, target: string): Promise<void> {
  const checkpoint = path.join(folder, 'tiny.pth');
  writeDdcolorCheckpoint(checkpoint, 'tiny');
  await convertCheckpoint(checkpoint, target);
  rmSync(checkpoint);
}

interface BenchModel {
  readonly file: string;
  readonly sizePx: number;
  readonly name: string;
  /** Of the chroma, when rendered. */
  readonly strength: number;
}

async function compare(photo: string, model: BenchModel): Promise<void> {
  const { file, sizePx, name } = model;
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: usableCores(),
    // Its idle threads would otherwise go on turning beside what is measured next.
    extra: { session: { force_spinning_stop: '1' } },
  });
  const tensor = new Tensor('float32', new Float32Array(3 * sizePx * sizePx).fill(0.5), [
    1,
    3,
    sizePx,
    sizePx,
  ]);
  const engine = openBenchEngine();
  const output = `${photo}.out.jpg`;
  const best = { network: Infinity, codec: Infinity, plainCodec: Infinity, whole: Infinity };
  let parts = '';
  // Turn by turn, so that a noisy moment disturbs all three alike. The first turn warms up.
  for (let run = 0; run <= Number(options.runs); run++) {
    const network = await seconds(() => session.run({ [session.inputNames[0]!]: tensor }));
    const codec = await seconds(() => sharp(photo).jpeg({ quality: 92 }).toFile(output));
    const ours = { quality: 92, optimiseCoding: false };
    const plainCodec = await seconds(() => sharp(photo).jpeg(ours).toFile(output));
    // A photo the engine has not seen: nothing of the last run helps it.
    const fresh = `${photo}.${run}.jpg`;
    copyFileSync(photo, fresh);
    const { whole, line } = await colour(engine, fresh, output, model);
    rmSync(fresh);
    if (run === 0) continue;
    if (whole < best.whole) parts = line;
    best.network = Math.min(best.network, network);
    best.codec = Math.min(best.codec, codec);
    best.plainCodec = Math.min(best.plainCodec, plainCodec);
    best.whole = Math.min(best.whole, whole);
  }
  await engine.close();
  await session.release();
  const ratio = (codec: number) => (best.whole / (best.network + codec)).toFixed(2);
  console.log(`\n${name}, ${sizePx} px`);
  console.log(`  bare session.run       ${best.network.toFixed(3)} s`);
  console.log(`  bare decode + encode   ${best.codec.toFixed(3)} s   (sharp's defaults)`);
  console.log(`  with our coding tables ${best.plainCodec.toFixed(3)} s`);
  console.log(`  whole path             ${best.whole.toFixed(3)} s   (${parts})`);
  console.log(`  ratio                  ${ratio(best.codec)}`);
  console.log(`  with our coding tables ${ratio(best.plainCodec)}`);
}

async function colour(
  engine: Colorizer,
  photo: string,
  output: string,
  { file, sizePx, strength }: Omit<BenchModel, 'name'>,
): Promise<{ whole: number; line: string }> {
  const startedAt = performance.now();
  const since = () => (performance.now() - startedAt) / 1000;
  let predicted = 0;
  const predicting = engine.predict(photo, { model: file, sizePx });
  const chroma = predicting.then((prediction) => {
    predicted = since();
    return prediction.chroma;
  });
  await engine.render(photo, chroma, output, { strength, label });
  const whole = since();
  const { seconds } = await predicting;
  const line = `network ${seconds.toFixed(3)}, predicted after ${predicted.toFixed(3)}, the rest ${(whole - predicted).toFixed(3)}`;
  return { whole, line };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

const memoryCases = [
  { megapixels: 12, file: '12.jpg', bitDepth: 8 },
  { megapixels: 50, file: '50.jpg', bitDepth: 8 },
  { megapixels: 100, file: '100.jpg', bitDepth: 8 },
  { megapixels: 100, file: '100.tif', bitDepth: 16 },
] as const;

async function printMemory(folder: string): Promise<void> {
  console.log('\npeak resident memory, starter, one photo per process');
  for (const { megapixels, file, bitDepth } of memoryCases) {
    const photo = path.join(folder, file);
    await writePhoto(photo, megapixels, bitDepth);
    const text = execFileSync(process.execPath, [__filename, '--measure', photo], {
      encoding: 'utf8',
    });
    const { main, child } = JSON.parse(text) as { main: number; child: number };
    const kind = `${megapixels} MP, ${bitDepth} bit ${path.extname(file).slice(1)}`;
    const sum = Math.round(main + child);
    console.log(`  ${kind.padEnd(20)} ${Math.round(main)} + ${Math.round(child)} = ${sum} MB`);
    rmSync(photo);
  }
}

/** MB of this process and of the inference process, for one photo from file to file. */
async function measureMemory(photo: string): Promise<void> {
  const engine = openBenchEngine();
  const model = { file: starterModel, sizePx: 256, strength: 1 };
  await colour(engine, photo, `${photo}.out${path.extname(photo)}`, model);
  const child = (engine.status().peakRssBytes ?? 0) / 1e6;
  await engine.close();
  rmSync(`${photo}.out${path.extname(photo)}`);
  const main = peakResidentMb();
  console.log(JSON.stringify({ main, child }));
}

void main();
