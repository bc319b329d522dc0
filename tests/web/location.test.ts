import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { createHttpClient } from '../support/http-client.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const marker = 'HOME-OF-THE-PHOTOGRAPHER';
const gpsTag = 0x8825;
let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack?.close());

test('where a photo was taken is in no file that anybody gets or that is kept', async () => {
  const demo = path.join(packageRoot, 'assets/demo/photographer.jpg');
  const photo = await sharp(demo)
    .withExif({
      IFD0: { Make: 'Seagull' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '31/1 13/1 4567/100', GPSMapDatum: marker },
    })
    .jpeg()
    .toBuffer();
  expect(photo.includes(marker)).toBe(true);
  const client = createHttpClient(stack.url);
  const { id } = await client.upload(photo);
  const state = async () => (await client.json('GET', `/photos/${id}`)).looks;
  const allReady = (looks: { status: string }[], count: number) =>
    looks.length === count && looks.every((look) => look.status === 'ready');
  await until(async () => allReady(await state(), 1), 120_000);
  await client.json('POST', `/photos/${id}/variants`, { count: 2 });
  await until(async () => allReady(await state(), 3), 120_000);
  const key = { 'idempotency-key': 'without-a-place' };
  const { order } = await client.json('POST', `/photos/${id}/unlock`, undefined, key);
  await fetch(order.payUrl, { method: 'POST' });
  await until(async () => (await client.send('GET', `/api/v1/photos/${id}/master`)).ok, 120_000);

  for (const kind of ['original', 'preview', 'comparison', 'sheet', 'master']) {
    const answer = await client.send('GET', `/api/v1/photos/${id}/${kind}`);
    const file = Buffer.from(await answer.arrayBuffer());
    expect({ kind, status: answer.status, place: placeIn(file) }).toEqual({
      ...{ kind, status: 200, place: false },
    });
    expect((await sharp(file).metadata()).width).toBeGreaterThan(100);
  }
  // The rest of what the camera wrote stays with the sender's own file.
  const original = await client.send('GET', `/api/v1/photos/${id}/original`);
  expect(Buffer.from(await original.arrayBuffer()).includes('Seagull')).toBe(true);

  const kept = readdirSync(path.join(stack.dir, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  expect(kept.length).toBeGreaterThan(4);
  expect(kept.filter((file) => readFileSync(file).includes(marker))).toEqual([]);
}, 400_000);

/** The marker, or a GPS directory that has entries. */
function placeIn(file: Buffer): boolean {
  if (file.includes(marker) || file.includes('exif:GPS')) return true;
  const at = file.indexOf('Exif\0\0');
  if (at < 0) return false;
  const tiff = file.subarray(at + 6);
  const little = tiff[0] === 0x49;
  const u16 = (offset: number) => (little ? tiff.readUInt16LE(offset) : tiff.readUInt16BE(offset));
  const u32 = (offset: number) => (little ? tiff.readUInt32LE(offset) : tiff.readUInt32BE(offset));
  const directory = u32(4);
  return Array.from({ length: u16(directory) }, (_, i) => directory + 2 + i * 12).some(
    (entry) => u16(entry) === gpsTag && u16(u32(entry + 8)) > 0,
  );
}
