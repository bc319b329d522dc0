import path from 'node:path';
import sharp from 'sharp';
import { contactSheet, readLabel } from '../../../src/inference/render/index.js';
import { label, photos, scratchFolder } from '../support/pictures.js';

const folder = scratchFolder();
const sheet = path.join(folder, 'sheet.jpg');
const files = ['astronaut', 'coffee', 'chelsea'].map((name) => path.join(photos, `${name}.jpg`));

test('pictures side by side, numbered and labelled', async () => {
  const renditions = files.map((file) => ({ file, widthPx: 512, heightPx: 512 }));
  const made = await contactSheet(renditions, sheet, { label, cellPx: 200, columns: 2 });
  expect(made).toEqual({ file: sheet, widthPx: 436, heightPx: 436 });
  expect(await readLabel(sheet)).toMatchObject({ ProduceID: label.produceId });
  const [shown, original] = await Promise.all([
    sharp(sheet).extract({ left: 60, top: 60, width: 150, height: 150 }).raw().toBuffer(),
    sharp(files[0])
      .resize(200, 200)
      .extract({ left: 48, top: 48, width: 150, height: 150 })
      .raw()
      .toBuffer(),
  ]);
  const difference =
    shown.reduce((sum, v, i) => sum + Math.abs(v - original[i]!), 0) / shown.length;
  expect(difference).toBeLessThan(4);
  const badge = await sharp(sheet).extract({ left: 12, top: 12, width: 26, height: 26 }).stats();
  expect(badge.channels[0]!.max).toBeGreaterThan(220);
  expect(badge.channels[0]!.min).toBeLessThan(60);
});

test('nothing to show is an error', async () => {
  await expect(contactSheet([], sheet, { label })).rejects.toMatchObject({
    code: 'RENDER_OPTION_INVALID',
  });
});
