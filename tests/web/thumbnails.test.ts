import { readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { createHttpClient } from '../support/http-client.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const photo = readFileSync(path.join(packageRoot, 'assets/demo/photographer.jpg'));
let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
});
afterAll(() => stack.close());

test('a preview comes in smaller widths for its customer only, and goes with the photo', async () => {
  const client = createHttpClient(stack.url);
  const scan = await sharp(photo).resize(1_200).jpeg().toBuffer();
  const { id } = await client.upload(scan);
  let previewUrl = '';
  await until(async () => {
    const { looks } = await client.json('GET', `/photos/${id}`);
    previewUrl = looks[0]?.previewUrl ?? '';
    return previewUrl !== '';
  });
  const whole = Buffer.from(await (await client.send('GET', previewUrl)).arrayBuffer());
  for (const width of [320, 640]) {
    const answer = await client.send('GET', `${previewUrl}&w=${width}`);
    expect(answer.headers.get('content-type')).toBe('image/webp');
    expect(answer.headers.get('cache-control')).toMatch(/^private, .*immutable$/);
    const small = Buffer.from(await answer.arrayBuffer());
    expect((await sharp(small).metadata()).width).toBe(width);
    expect(small.length).toBeLessThan(whole.length);
  }
  for (const query of ['&w=321', '&w=99999', '&w=-1']) {
    const answer = await client.send('GET', previewUrl + query);
    expect(answer.status).toBe(400);
  }
  const other = createHttpClient(stack.url);
  expect((await other.send('GET', `${previewUrl}&w=320`)).status).toBe(404);
  await client.json('DELETE', `/photos/${id}`);
  expect((await client.send('GET', `${previewUrl}&w=320`)).ok).toBe(false);
});
