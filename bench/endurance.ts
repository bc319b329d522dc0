/**
 * Photos in a row through one engine: resident memory of both processes must stay flat. Prints a
 * line every tenth and the slope of the second half (the first fills caches and pools).
 *
 *   npm run bench:endurance -- [--photos 200] [--megapixels 2]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openBenchEngine, starterModel } from './bench-engine.js';
import { writePhoto } from './bench-photo.js';
import { residentMb, slopeOf } from './resident.js';

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: '200' },
    megapixels: { type: 'string', default: '2' },
  },
});

async function main(): Promise<void> {
  const count = Number(options.photos);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-endurance-'));
  const engine = openBenchEngine();
  const rss: { main: number[]; child: number[] } = { main: [], child: [] };
  try {
    // Two shapes and kinds in turn: changing sizes are what makes pools grow.
    const photos = [path.join(folder, 'a.jpg'), path.join(folder, 'b.tif')] as const;
    await writePhoto(photos[0], Number(options.megapixels), 8);
    await writePhoto(photos[1], Number(options.megapixels) / 2, 16);
    for (let i = 0; i < count; i++) {
      const photo = photos[i % 2]!;
      const { chroma } = await engine.predict(photo, {
        model: starterModel,
        sizePx: i % 4 < 2 ? 256 : 384,
      });
      const label = { producer: 'bench', produceId: `hc-${i}` };
      await engine.render(photo, chroma, path.join(folder, `out${path.extname(photo)}`), { label });
      rss.main.push(residentMb(process.pid));
      rss.child.push(residentMb(engine.status().pid!));
      if (i % Math.ceil(count / 10) === 0) print(i, rss);
    }
    print(count - 1, rss);
    for (const [name, series] of Object.entries(rss)) {
      const slope = slopeOf(series.slice(count / 2));
      console.log(
        `${name}: ${slope.toFixed(3)} MB per photo over the last ${count - Math.floor(count / 2)}`,
      );
    }
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(i: number, rss: { main: number[]; child: number[] }): void {
  const line = `main ${rss.main.at(-1)!.toFixed(0)} MB, inference ${rss.child.at(-1)!.toFixed(0)} MB`;
  console.log(`photo ${String(i + 1).padStart(4)}: ${line}`);
}

void main();
