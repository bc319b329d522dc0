import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type sharp from 'sharp';
import {
  createRenderer,
  inspectPhoto,
  modelInput,
  readLabel,
} from '../../../src/inference/render/index.js';
import { StudioError } from '../../../src/studio/errors/index.js';
import { limits } from '../../../src/studio/limits.js';
import {
  label,
  randomNumbers,
  readLab,
  scratchFolder,
  smoothPlane,
  writeScene,
} from '../support/pictures.js';

/** 2,000 damaged pictures, always the same ones: a typed error or a picture, never anything else. */
const COUNT = 2000;
/** Reading costs little; every so many are coloured as well. */
const RENDER_EVERY = 5;
const PARALLEL = 4;

const folder = scratchFolder();
const at = (name: string) => path.join(folder, name);
const renderer = createRenderer({ limits: limits.photo, threads: 2, tempDir: folder });
afterAll(() => renderer.close());
const plane = smoothPlane(8, 8);

const kinds: Record<string, (s: sharp.Sharp) => sharp.Sharp> = {
  'a.jpg': (s) =>
    s
      .toColourspace('srgb')
      .withExif({ IFD0: { Make: 'x' } })
      .jpeg(),
  'b.jpg': (s) => s.jpeg({ progressive: true }),
  'c.jpg': (s) => s.toColourspace('cmyk').jpeg(),
  'd.png': (s) => s.toColourspace('srgb').png(),
  'e.png': (s) => s.toColourspace('rgb16').png(),
  'f.png': (s) => s.toColourspace('srgb').png({ palette: true }),
  'g.webp': (s) => s.toColourspace('srgb').webp(),
  'h.tiff': (s) => s.toColourspace('rgb16').tiff({ compression: 'lzw' }),
  'i.tiff': (s) => s.tiff({ compression: 'none' }),
  'j.tiff': (s) => s.toColourspace('srgb').tiff({ compression: 'deflate', tile: true }),
  'k.avif': (s) => s.toColourspace('srgb').avif({ effort: 0 }),
  'l.gif': (s) => s.toColourspace('srgb').gif(),
};

/** One to three wounds: cut, flipped bits, header bytes, a hole, a repeated piece. */
function mutate(whole: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(whole);
  const below = (n: number) => Math.floor(random() * n);
  for (let wounds = 1 + below(3); wounds > 0; wounds--) {
    const at = below(bytes.length);
    switch (below(6)) {
      case 0:
        bytes = bytes.subarray(0, 1 + at);
        break;
      case 1:
        for (let n = 1 + below(20); n > 0; n--) bytes[below(bytes.length)]! ^= 1 << below(8);
        break;
      case 2:
        for (let n = 1 + below(6); n > 0; n--)
          bytes[below(Math.min(200, bytes.length))] = below(256);
        break;
      case 3:
        bytes.fill(random() < 0.5 ? 0 : 255, at, Math.min(bytes.length, at + 1 + below(64)));
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(bytes.length))]);
        break;
      default:
        bytes.writeUInt8(random() < 0.5 ? 0xff : 0x7f, at);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

type Outcome = 'picture' | 'refused';

async function tryAll(file: string, renders: boolean): Promise<Outcome> {
  try {
    await inspectPhoto(file, limits.photo);
    const input = { widthPx: 32, heightPx: 32, fit: 'stretch' } as const;
    const { tensor } = await modelInput(file, input, { limits: limits.photo });
    expect(tensor.every((x) => x >= 0 && x <= 1)).toBe(true);
    if (!renders) return 'picture';
    const out = `${file}.out.png`;
    const options = { label, format: 'png', longEdgePx: 64 } as const;
    const { widthPx, heightPx } = await renderer.render(file, plane, out, options);
    expect(await readLab(out)).toMatchObject({ widthPx, heightPx });
    expect(await readLabel(out)).toBeDefined();
    return 'picture';
  } catch (error) {
    if (error instanceof StudioError && error.code.startsWith('PHOTO_')) return 'refused';
    throw error;
  }
}

test('damaged pictures', async () => {
  const random = randomNumbers(20_251_122);
  const wholes: { name: string; bytes: Buffer }[] = [];
  for (const [name, change] of Object.entries(kinds)) {
    await writeScene(at(name), 80, 56, change);
    wholes.push({ name, bytes: readFileSync(at(name)) });
    expect(await tryAll(at(name), true)).toBe('picture');
  }
  const outcomes = { picture: 0, refused: 0 };
  let next = 0;
  let residentAtHalf = 0;
  const worker = async (slot: number) => {
    for (let i = next++; i < COUNT; i = next++) {
      const { name, bytes } = wholes[i % wholes.length]!;
      const file = at(`${slot}-${name}`);
      writeFileSync(file, mutate(bytes, random));
      outcomes[await tryAll(file, i % RENDER_EVERY === 0)]++;
      if (i === COUNT / 2) residentAtHalf = process.memoryUsage().rss;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, slot) => worker(slot)));
  expect(outcomes.picture + outcomes.refused).toBe(COUNT);
  // Both must happen, or the wounds are too light or too deep to tell anything.
  expect(outcomes.picture).toBeGreaterThan(COUNT / 20);
  expect(outcomes.refused).toBeGreaterThan(COUNT / 4);
  // The second thousand takes no more memory than the first (the heap may breathe).
  expect(process.memoryUsage().rss - residentAtHalf).toBeLessThan(200e6);
}, 300_000);
