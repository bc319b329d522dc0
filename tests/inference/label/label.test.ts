import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { compiledEntry } from '../../../src/inference/entry-point.js';
import { createLabelPainter } from '../../../src/inference/label/label-painter.js';
import { createRenderer, readLabel } from '../../../src/inference/render/index.js';
import { limits } from '../../../src/studio/limits.js';
import type { ImageFormat } from '../../../src/studio/ports/colorizer.js';
import { astronaut, plain, scratchFolder, smoothPlane } from '../support/pictures.js';

const folder = scratchFolder();
const at = (name: string) => path.join(folder, name);
const renderer = createRenderer({ limits: limits.photo, threads: 1, tempDir: folder });
afterAll(() => renderer.close());
const plane = smoothPlane(8, 8);
const label = { producer: '焕彩 "Studio" <&>', produceId: 'photo/42' };
const expected = {
  Label: '1',
  ContentProducer: label.producer,
  ProduceID: label.produceId,
  ReservedCode1: '',
  ContentPropagator: label.producer,
  PropagateID: label.produceId,
  ReservedCode2: '',
};
const count = (file: string, text: string) =>
  readFileSync(file).toString('latin1').split(text).length - 1;

describe('the implicit label', () => {
  test.each<ImageFormat>(['jpeg', 'png', 'webp', 'avif', 'tiff'])('%s', async (format) => {
    const out = at(`a.${format}`);
    await renderer.render(astronaut, plane, out, { label, format });
    expect(await readLabel(out)).toEqual(expected);
    expect(count(out, '<TC260:AIGC>')).toBe(1);
    // Ours again, with another producer: overwritten, still one copy.
    const again = at(`b.${format}`);
    const other = { producer: 'other', produceId: '43' };
    await renderer.render(out, plane, again, { label: other, format });
    expect(await readLabel(again)).toMatchObject({ ContentProducer: 'other', ProduceID: '43' });
    expect(count(again, '<TC260:AIGC>')).toBe(1);
    expect(count(again, 'photo/42')).toBe(0);
  });

  test('JPEG: an APP1 segment of its own', async () => {
    await renderer.render(astronaut, plane, at('seg.jpg'), { label });
    const bytes = readFileSync(at('seg.jpg'));
    const found: string[] = [];
    for (let i = 2; bytes[i] === 0xff && bytes[i + 1] !== 0xda; i += 2 + bytes.readUInt16BE(i + 2))
      if (bytes[i + 1] === 0xe1)
        found.push(bytes.toString('utf8', i + 4, i + 2 + bytes.readUInt16BE(i + 2)));
    const packets = found.filter((s) => s.startsWith('http://ns.adobe.com/xap/1.0/\0'));
    expect(packets).toHaveLength(1);
    expect(packets[0]).toContain('xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"');
  });

  test('PNG: one uncompressed iTXt in front of the pixels, every checksum right', async () => {
    await renderer.render(astronaut, plane, at('chunks.png'), { label, format: 'png' });
    const bytes = readFileSync(at('chunks.png'));
    const types: string[] = [];
    const texts: Buffer[] = [];
    const pixels: Buffer[] = [];
    for (let i = 8; i < bytes.length; ) {
      const size = bytes.readUInt32BE(i);
      const type = bytes.toString('latin1', i + 4, i + 8);
      const body = bytes.subarray(i + 8, i + 8 + size);
      expect(bytes.readUInt32BE(i + 8 + size)).toBe(crc32(bytes.subarray(i + 4, i + 8 + size)));
      if (/TXt|tEXt/.test(type)) texts.push(body);
      if (type === 'IDAT') pixels.push(body);
      types.push(type);
      i += 12 + size;
    }
    expect(inflateSync(Buffer.concat(pixels)).length).toBe(512 * (512 * 3 + 1));
    expect(texts).toHaveLength(1);
    expect(texts[0]!.toString('latin1')).toMatch(/^XML:com\.adobe\.xmp\0\0\0\0\0<\?xpacket/);
    expect(types.indexOf('iTXt')).toBeLessThan(types.indexOf('IDAT'));
    expect(types).not.toContain('zTXt');
  });

  test('a file of somebody else has none; a broken file is an error', async () => {
    expect(await readLabel(astronaut)).toBeUndefined();
    writeFileSync(at('broken.jpg'), 'nothing');
    await expect(readLabel(at('broken.jpg'))).rejects.toMatchObject({ code: 'PHOTO_UNREADABLE' });
  });
});

describe('the visible label', () => {
  const painter = createLabelPainter();
  /** Rows and columns with light in them. */
  const inkOf = (o: { widthPx: number; heightPx: number; pixels: Uint8Array }) => {
    const rows = new Set<number>();
    for (let i = 0; i < o.widthPx * o.heightPx; i++)
      if (o.pixels[2 * i]! > 200 && o.pixels[2 * i + 1]! > 200) rows.add(Math.floor(i / o.widthPx));
    return rows.size;
  };

  test.each([
    [4000, 3000],
    [600, 800],
    [3000, 300],
    [200, 2000],
    [120, 90],
  ])('in %i x %i: letters at least 5 %% of the short side, inside the corner', async (w, h) => {
    for (const text of ['AI', '人工智能合成']) {
      const { overlays } = await painter.paint({ label: text }, { widthPx: w, heightPx: h });
      const [overlay] = overlays;
      expect(inkOf(overlay!)).toBeGreaterThanOrEqual(Math.min(w, h) * 0.05);
      expect(overlay!.xPx + overlay!.widthPx).toBeLessThanOrEqual(w);
      expect(overlay!.yPx + overlay!.heightPx).toBeLessThanOrEqual(h);
      expect(overlay!.xPx).toBeGreaterThanOrEqual(0);
    }
  });

  test.each([
    ['AI 合成', 0.17],
    ['AI', 0.075],
  ])('%s is no larger than the rule asks for', async (text, widest) => {
    const [widthPx, heightPx] = [4000, 3000];
    const { overlays } = await painter.paint({ label: text }, { widthPx, heightPx });
    const [overlay] = overlays;
    expect(inkOf(overlay!)).toBeGreaterThanOrEqual(heightPx * 0.05);
    expect(inkOf(overlay!)).toBeLessThanOrEqual(heightPx * 0.05 + 4);
    expect(overlay!.widthPx / widthPx).toBeLessThan(widest);
  });

  test.each([
    [16, 16],
    [40, 30],
    [30, 400],
    [64, 64],
    [64, 48],
    [100, 75],
    [150, 100],
    [640, 480],
  ])(
    'in %i x %i it is lawful and leaves the picture to be seen, or there is none and that is said',
    async (w, h) => {
      for (const text of ['AI', 'AI 合成', '人工智能合成']) {
        const picture = { widthPx: w, heightPx: h };
        const { overlays, notes } = await painter.paint({ label: text }, picture);
        const [overlay] = overlays;
        expect(notes).toEqual(overlay ? [] : [{ key: 'photo.note.labelLeftOut' }]);
        if (!overlay) continue;
        expect(inkOf(overlay)).toBeGreaterThanOrEqual(Math.min(w, h) * 0.05);
        expect(overlay.widthPx * overlay.heightPx).toBeLessThanOrEqual(0.25 * w * h);
      }
    },
  );

  test('a picture of 40 x 30 is no label, but says inside the file what it is', async () => {
    const small = at('small.jpg');
    await sharp(astronaut).resize(40, 30).jpeg().toFile(small);
    const texted = { ...label, text: 'AI 合成' };
    const { notes } = await renderer.render(small, plane, at('s.png'), { ...plain, label: texted });
    expect(notes).toEqual([{ key: 'photo.note.labelLeftOut' }]);
    await renderer.render(small, plane, at('t.png'), { ...plain, label });
    const [a, b] = await Promise.all(['s.png', 't.png'].map((f) => sharp(at(f)).raw().toBuffer()));
    expect(a).toEqual(b);
    expect(await readLabel(at('s.png'))).toEqual(expected);
    // 100 x 75 has room for one.
    const middle = at('middle.jpg');
    await sharp(astronaut).resize(100, 75, { fit: 'fill' }).jpeg().toFile(middle);
    const drawn = await renderer.render(middle, plane, at('m.png'), { ...plain, label: texted });
    expect(drawn.notes).toEqual([]);
  });

  test('it is in the lower right corner of the picture and nowhere else', async () => {
    const [bare, marked] = [at('bare.png'), at('marked.png')];
    await renderer.render(astronaut, plane, bare, plain);
    await renderer.render(astronaut, plane, marked, {
      ...plain,
      label: { ...label, text: 'AI 合成' },
    });
    const [a, b] = await Promise.all([bare, marked].map((f) => sharp(f).raw().toBuffer()));
    let [left, top] = [512, 512];
    for (let i = 0; i < 512 * 512; i++)
      if (a![3 * i] !== b![3 * i]) {
        left = Math.min(left, i % 512);
        top = Math.min(top, Math.floor(i / 512));
      }
    expect(left).toBeGreaterThan(512 * 0.5);
    expect(top).toBeGreaterThan(512 * 0.8);
    expect(left).toBeLessThan(512 * 0.9);
  });

  test('a watermark survives a crop to 40 % anywhere', async () => {
    const [bare, marked] = [at('wm0.png'), at('wm1.png')];
    await renderer.render(astronaut, plane, bare, plain);
    await renderer.render(astronaut, plane, marked, { ...plain, watermark: '焕彩 预览' });
    const [a, b] = await Promise.all([bare, marked].map((f) => sharp(f).raw().toBuffer()));
    const side = Math.round(512 * 0.4);
    for (let y = 0; y + side <= 512; y += 25)
      for (let x = 0; x + side <= 512; x += 25) {
        let changed = 0;
        for (let j = 0; j < side; j++)
          for (let i = 0; i < side; i++) {
            const p = 3 * ((y + j) * 512 + x + i);
            if (Math.abs(a![p]! - b![p]!) > 8) changed++;
          }
        expect(changed / side ** 2).toBeGreaterThan(0.015);
      }
  });

  test('a character without outline is named, not left out', async () => {
    const work = painter.paint({ label: 'AI 龘' }, { widthPx: 100, heightPx: 100 });
    await expect(work).rejects.toMatchObject({ code: 'RENDER_OPTION_INVALID', value: '龘' });
  });

  test('it looks the same where no font is installed', async () => {
    const script = `
      const { createLabelPainter } = require(${JSON.stringify(
        path.join(
          path.dirname(
            compiledEntry(path.resolve(__dirname, '../../../src/inference/label'), 'x.js'),
          ),
          'label-painter.js',
        ),
      )});
      createLabelPainter().paint({ label: 'AI 合成' }, { widthPx: 800, heightPx: 600 })
        .then(({ overlays: [o] }) => process.stdout.write(Buffer.from(o.pixels).toString('base64')));`;
    const env = {
      PATH: process.env['PATH'],
      FONTCONFIG_FILE: '/dev/null',
      FONTCONFIG_PATH: folder,
      HOME: folder,
    };
    const bare = execFileSync(process.execPath, ['-e', script], { env, maxBuffer: 1e8 }).toString();
    const { overlays } = await painter.paint({ label: 'AI 合成' }, { widthPx: 800, heightPx: 600 });
    const [here] = overlays;
    expect(bare).toBe(Buffer.from(here!.pixels).toString('base64'));
    expect(inkOf(here!)).toBeGreaterThanOrEqual(600 * 0.05 - 1);
  });
});
