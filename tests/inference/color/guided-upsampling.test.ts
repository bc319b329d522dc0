import path from 'node:path';
import sharp from 'sharp';
import { createRenderer } from '../../../src/inference/render/index.js';
import type { ChromaPlane } from '../../../src/studio/chroma-plane.js';
import { limits } from '../../../src/studio/limits.js';
import type { ChromaUpsampling } from '../../../src/studio/ports/colorizer.js';
import { label, photos, plain, readLab, scratchFolder } from '../support/pictures.js';

const folder = scratchFolder();
const renderer = createRenderer({ limits: limits.photo, threads: 2, tempDir: folder });
afterAll(() => renderer.close());
const modes = ['bilinear', 'guided'] as const;

/** Mean colour error against the truth over chosen pixels, by enlargement. */
type Errors = Record<(typeof modes)[number], number>;

async function colourErrors(
  file: string,
  chroma: ChromaPlane,
  truth: (i: number) => readonly [number, number],
  counts: (i: number) => boolean,
): Promise<Errors> {
  const errors = {} as Errors;
  for (const upsampling of modes) {
    const out = path.join(folder, 'out.png');
    await renderer.render(file, chroma, out, { ...plain, label, upsampling });
    const { a, b } = await readLab(out);
    let sum = 0;
    let pixels = 0;
    for (let i = 0; i < a.length; i++) {
      if (!counts(i)) continue;
      const [ta, tb] = truth(i);
      sum += Math.hypot(a[i]! - ta, b[i]! - tb);
      pixels++;
    }
    errors[upsampling satisfies ChromaUpsampling] = sum / pixels;
  }
  return errors;
}

describe('colour beyond edges, synthetic: two flat grounds, each with its colour', () => {
  const size = 640;
  const cells = 40;
  const left = [26, 22] as const;
  const right = [-14, -24] as const;
  /** A slanted and a curved edge; where the boundary lies, px from the left. */
  const edges: Record<string, (y: number) => number> = {
    slanted: (y) => 180 + 0.4 * y,
    curved: (y) => 320 + 90 * Math.sin(y / 70),
  };

  test.each(Object.keys(edges))('%s: guided leaks less than half of bilinear', async (name) => {
    const isLeft = (i: number) => (i % size) + 0.5 < edges[name]!(Math.floor(i / size) + 0.5);
    const grey = Uint8Array.from({ length: size * size }, (_, i) => (isLeft(i) ? 105 : 165));
    const file = path.join(folder, `${name}.png`);
    const raw = { width: size, height: size, channels: 1 } as const;
    await sharp(grey, { raw }).toColourspace('b-w').png().toFile(file);
    const chroma = meanPlane(cells, cells, size, size, (i) => (isLeft(i) ? left : right));
    const near = (i: number) =>
      Math.abs((i % size) - edges[name]!(Math.floor(i / size))) < (1.5 * size) / cells;
    const errors = await colourErrors(file, chroma, (i) => (isLeft(i) ? left : right), near);
    expect(errors.bilinear).toBeGreaterThan(5);
    expect(errors.guided).toBeLessThan(0.5 * errors.bilinear);
  });
});

describe("colour beyond edges, real photographs: the photo's own colour made small and enlarged", () => {
  test.each(['astronaut', 'coffee', 'chelsea'])('%s', async (name) => {
    const file = path.join(photos, `${name}.jpg`);
    const { widthPx, heightPx, l, a, b } = await readLab(file);
    const [gw, gh] = [Math.round(widthPx / 12), Math.round(heightPx / 12)];
    const chroma = meanPlane(gw, gh, widthPx, heightPx, (i) => [a[i]!, b[i]!]);
    // Edges: where lightness changes by 12 L* or more within three pixels.
    const isEdge = (i: number) => {
      const x = i % widthPx;
      if (x < 3 || x >= widthPx - 3) return false;
      return Math.abs(l[i + 3]! - l[i - 3]!) > 12;
    };
    const errors = await colourErrors(file, chroma, (i) => [a[i]!, b[i]!], isEdge);
    expect(errors.guided).toBeLessThan(0.97 * errors.bilinear);
    // And no price elsewhere.
    const all = await colourErrors(
      file,
      chroma,
      (i) => [a[i]!, b[i]!],
      () => true,
    );
    expect(all.guided).toBeLessThan(all.bilinear);
  });
});

/** Mean a*, b* of each cell: what a network at that size would at best predict. */
function meanPlane(
  gw: number,
  gh: number,
  w: number,
  h: number,
  at: (i: number) => readonly [number, number],
): ChromaPlane {
  const ab = new Float32Array(2 * gw * gh);
  const counts = new Float32Array(gw * gh);
  for (let i = 0; i < w * h; i++) {
    const x = Math.floor(((i % w) * gw) / w);
    const y = Math.floor((Math.floor(i / w) * gh) / h);
    const [a, b] = at(i);
    const cell = y * gw + x;
    ab[cell]! += a;
    ab[gw * gh + cell]! += b;
    counts[cell]!++;
  }
  for (let i = 0; i < ab.length; i++) ab[i]! /= counts[i % (gw * gh)]!;
  return { widthPx: gw, heightPx: gh, ab };
}
