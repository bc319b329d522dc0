/**
 * L*a*b* recombination at full size beside OpenCV's float cvtColor round trip on the same picture,
 * in one run; then time and peak memory of whole renders at 12, 50 and 100 megapixels.
 *
 *   node scripts/bench.mjs recombine [--quick]
 *
 * Ours counts everything the strip stage does: reading the decoded pixels from the raster file,
 * lightness, guided enlargement of a 512 x 512 plane, gamut, 8-bit sRGB, writing. OpenCV's counts
 * RGB -> Lab -> RGB in memory on float pixels that are already there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { createTiffRaster } from '../src/inference/codec/tiff-raster.js';
import { createRenderer } from '../src/inference/render/index.js';
import { createThreadPool, type ThreadPool } from '../src/inference/render/thread-pool.js';
import type { ChromaPlane } from '../src/studio/chroma-plane.js';
import { limits } from '../src/studio/limits.js';
import type { ChromaUpsampling } from '../src/studio/ports/colorizer.js';

const PHOTO = 'assets/demo/photographer.jpg';
const PLANE_PX = 512;
const label = { producer: 'bench', produceId: 'bench' };
const quick = process.argv.includes('--quick');
const rounds = quick ? 2 : 4;

const OPENCV = `
import sys, time, cv2, numpy as np
bgr = cv2.imread(sys.argv[1]).astype(np.float32) / 255
best = 1e9
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_RGB2Lab), cv2.COLOR_Lab2RGB)
    best = min(best, time.perf_counter() - start)
print(cv2.__version__, cv2.getNumThreads(), bgr.shape[0] * bgr.shape[1] / best / 1e6)
`;

function smoothPlane(): ChromaPlane {
  const count = PLANE_PX ** 2;
  const ab = Float32Array.from({ length: 2 * count }, (_, i) => 18 * Math.sin((i % count) / 4000));
  return { widthPx: PLANE_PX, heightPx: PLANE_PX, ab };
}

async function grid(pool: ThreadPool, photo: string, upsampling: ChromaUpsampling) {
  const data = await sharp(photo)
    .resize(PLANE_PX, PLANE_PX, { fit: 'fill' })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  return pool.prepare({
    kind: 'prepare',
    chroma: smoothPlane(),
    guide: { data, channels: 3, bitDepth: 8 },
    adjustment: { strength: 1, warmth: 0, whiteBalance: 0 },
    upsampling,
    contrast: 0,
  });
}

/** Best of several rounds, MP/s. */
async function measureStrips(
  photo: string,
  folder: string,
  upsampling: ChromaUpsampling,
  threads: number,
) {
  const pool = createThreadPool(threads);
  const source = path.join(folder, 'source.v');
  const target = path.join(folder, `target-${upsampling}-${threads}.tiff`);
  rmSync(target, { force: true });
  const { width, height } = await sharp(photo).toColourspace('srgb').toFile(source);
  const shape = { widthPx: width, heightPx: height, channels: 3, bitDepth: 8 } as const;
  const targetLayout = createTiffRaster(target, shape, new Uint8Array());
  const { grid: chroma, curves } = await grid(pool, photo, upsampling);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await pool.runStrips(
      {
        kind: 'strips',
        source,
        target,
        targetLayout,
        grid: chroma,
        curves,
        denoise: 0,
        sharpen: 0,
        dividerPx: 0,
        overlays: [],
        stripRows: 32,
      },
      {},
    );
    best = Math.min(best, performance.now() - start);
  }
  await pool.close();
  return (width * height) / best / 1e3;
}

async function recombine(folder: string): Promise<void> {
  const photo = path.join(folder, 'photo.png');
  await sharp(PHOTO)
    .resize(4000, 3000, { fit: 'fill' })
    .toColourspace('srgb')
    .png({ compressionLevel: 1 })
    .toFile(photo);
  const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  const opencv = spawnSync(python, ['-c', OPENCV, photo, String(rounds)], { encoding: 'utf8' });
  const [version, cvThreads, speed] = (opencv.stdout ?? '').trim().split(' ');
  const bare = Number(speed);
  if (opencv.status !== 0) console.log('OpenCV: not here (apt-get install python3-opencv)');
  else
    console.log(
      `OpenCV ${version} float Lab round trip, ${cvThreads} threads: ${bare.toFixed(1)} MP/s`,
    );
  const threads = Math.min(availableParallelism(), 2);
  const modes = ['guided', 'bilinear', 'reference'] as const;
  const results: Record<string, number> = {};
  // In turns, so that a noisy moment disturbs all alike; the best of each counts.
  for (let turn = 0; turn < 3; turn++) {
    for (const upsampling of modes) {
      const speed = await measureStrips(photo, folder, upsampling, threads);
      results[upsampling] = Math.max(results[upsampling] ?? 0, speed);
    }
  }
  for (const upsampling of modes) {
    const ours = results[upsampling]!;
    const ratio = bare > 0 ? `, ${(ours / bare).toFixed(2)} x OpenCV` : '';
    console.log(
      `ours, ${upsampling}, ${threads} threads, file to file: ${ours.toFixed(1)} MP/s${ratio}`,
    );
  }
  const cost = results['bilinear']! / results['guided']!;
  console.log(`cost of guided beside bilinear: ${cost.toFixed(2)} x`);
}

/** One render in a process of its own, so that its peak memory is its own. */
async function renderOnce(photo: string, output: string): Promise<void> {
  const renderer = createRenderer({ limits: limits.photo, threads: 2 });
  const start = performance.now();
  const { widthPx, heightPx, bitDepth } = await renderer.render(photo, smoothPlane(), output, {
    label,
  });
  const seconds = (performance.now() - start) / 1e3;
  await renderer.close();
  const peak = process.resourceUsage().maxRSS / 1024;
  const size = ((widthPx * heightPx) / 1e6).toFixed(0);
  console.log(
    `${size} MP, ${bitDepth} bit, ${path.extname(photo)}: ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MB`,
  );
}

async function memory(folder: string): Promise<void> {
  const sizes = quick
    ? [[4000, 3000]]
    : [
        [4000, 3000],
        [8660, 5774],
        [12_000, 8333],
      ];
  for (const [w, h] of sizes as [number, number][]) {
    const scan = path.join(folder, 'scan.tiff');
    const enlarged = () => sharp(PHOTO).resize(w, h, { fit: 'fill' });
    await enlarged().toColourspace('rgb16').tiff({ compression: 'none' }).toFile(scan);
    const jpeg = path.join(folder, 'photo.jpg');
    await enlarged().toColourspace('srgb').jpeg({ quality: 90 }).toFile(jpeg);
    for (const photo of [jpeg, scan]) {
      const output = path.join(folder, `out${path.extname(photo)}`);
      execFileSync(process.execPath, [__filename, '--render', photo, output], { stdio: 'inherit' });
    }
  }
}

async function main(): Promise<void> {
  const at = process.argv.indexOf('--render');
  if (at > 0) return renderOnce(process.argv[at + 1]!, process.argv[at + 2]!);
  const folder = mkdtempSync(path.join(tmpdir(), 'huancai-bench-'));
  try {
    await recombine(folder);
    await memory(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
