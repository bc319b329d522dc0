import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { createRenderer, modelInput } from '../../src/inference/render/index.js';
import type { ChromaPlane } from '../../src/studio/chroma-plane.js';
import { limits } from '../../src/studio/limits.js';
import {
  type LabPicture,
  label,
  photos,
  randomNumbers,
  readLab,
  scratchFolder,
} from '../inference/support/pictures.js';

/**
 * Our pre- and post-processing against an independent one in Python on OpenCV (reference.py).
 * Needs Debian's python3-opencv and python3-numpy; without them it fails and says so.
 */
// Debian's own interpreter has the packages, even where another one comes first on the path.
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const folder = scratchFolder();
const renderer = createRenderer({ limits: limits.photo, threads: 2, tempDir: folder });
afterAll(() => renderer.close());
const at = (name: string) => path.join(folder, name);

beforeAll(() => {
  try {
    execFileSync(python, ['-c', 'import cv2, numpy'], { stdio: 'pipe' });
  } catch (cause) {
    const hint = 'apt-get install --yes python3-opencv python3-numpy';
    throw new Error(`the fidelity tests need OpenCV for Python; install it with: ${hint}`, {
      cause,
    });
  }
});

const SIZE = 256;
const modes = ['reference', 'bilinear'] as const;

/** The photo's own colours at the network's size, a little rough: a likely answer. */
async function testPlane(photo: string) {
  const small = await sharp(photo).resize(SIZE, SIZE, { fit: 'fill' }).png().toBuffer();
  const { a, b } = await readLab(small);
  const random = randomNumbers(31);
  const ab = Float32Array.from([...a, ...b], (x) => x + 3 * (random() - 0.5));
  return { widthPx: SIZE, heightPx: SIZE, ab };
}

/** CIE76; the colours differ too little for a finer formula to matter. */
function deltaE(a: LabPicture, b: LabPicture) {
  const each = a.l.map((_, i) =>
    Math.hypot(a.l[i]! - b.l[i]!, a.a[i]! - b.a[i]!, a.b[i]! - b.b[i]!),
  );
  const sorted = [...each].sort((x, y) => x - y);
  return {
    mean: each.reduce((s, x) => s + x, 0) / each.length,
    p99: sorted[Math.floor(0.99 * sorted.length)]!,
  };
}

describe.each(['astronaut', 'coffee', 'chelsea'])('%s', (name) => {
  const photo = at(`${name}.png`);
  let plane: ChromaPlane;
  const expected = (mode: string) => at(`${name}-${mode}.expected.png`);

  beforeAll(async () => {
    // PNG: the two programs' JPEG decoders need not agree.
    await sharp(path.join(photos, `${name}.jpg`))
      .png()
      .toFile(photo);
    plane = await testPlane(photo);
    writeFileSync(at('plane.f32'), plane.ab);
    const shape = { plane: at('plane.f32'), width: SIZE, height: SIZE };
    const job = {
      photo,
      input: { size: SIZE, out: at(`${name}.input.f32`) },
      renders: modes.map((mode) => ({ ...shape, mode, out: expected(mode) })),
    };
    execFileSync(python, [path.join(__dirname, 'reference.py')], { input: JSON.stringify(job) });
  });

  test('the network sees what the reference shows it', async () => {
    const options = {
      widthPx: SIZE,
      heightPx: SIZE,
      fit: 'stretch',
      sampling: 'reference',
    } as const;
    const context = { limits: limits.photo, tempDir: folder };
    const { tensor } = await modelInput(photo, options, context);
    const bytes = readFileSync(at(`${name}.input.f32`));
    const reference = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    expect(tensor.length).toBe(reference.length);
    let sum = 0;
    let worst = 0;
    for (const [i, value] of tensor.entries()) {
      const d = Math.abs(value - reference[i]!);
      sum += d;
      worst = Math.max(worst, d);
    }
    // OpenCV's RGB -> Lab is a table: up to 0.19 L* beside the formula.
    expect(sum / tensor.length).toBeLessThan(0.0015);
    expect(worst).toBeLessThan(0.004);
  });

  test.each(modes)('the result is the reference result, %s', async (upsampling) => {
    const out = at(`${name}-${upsampling}.png`);
    await renderer.render(photo, plane, out, { label, format: 'png', upsampling });
    const [ours, theirs] = await Promise.all([out, expected(upsampling)].map(readLab));
    const { mean, p99 } = deltaE(ours!, theirs!);
    expect(mean).toBeLessThan(0.5);
    // Out of gamut `reference` clips RGB as upstream; elsewhere we give up chroma, not lightness.
    if (upsampling === 'reference') expect(p99).toBeLessThan(2);
    const total = theirs!.a.reduce((s, a, i) => s + Math.hypot(a, theirs!.b[i]!), 0);
    expect(total / theirs!.a.length).toBeGreaterThan(10);
  });
});
