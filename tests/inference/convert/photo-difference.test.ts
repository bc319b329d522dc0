import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ciede2000 } from '../../../src/inference/convert/ciede2000.js';
import { convertCheckpoint, photoDifferences } from '../../../src/inference/convert/index.js';
import { Cancelled } from '../../../src/studio/errors/index.js';

/** Pairs 1, 5, 9, 13, 17, 24, 25, 31 and 34 of Sharma's published test data. */
test.each([
  [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
  [[50, -1.1848, -84.8006], [50, 0, -82.7485], 1.0],
  [[50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792],
  [[50, -0.001, 2.49], [50, 0.0009, -2.49], 4.8045],
  [[50, 2.5, 0], [73, 25, -18], 27.1492],
  [[50, 2.5, 0], [50, 3.2592, 0.335], 1.0],
  [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
  [[90.8027, -2.0831, 1.441], [91.1528, -1.6435, 0.0447], 1.4441],
  [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
] as const)('CIEDE2000 of %j and %j', (a, b, expected) => {
  expect(ciede2000(a, b)).toBeCloseTo(expected, 4);
  expect(ciede2000(b, a)).toBeCloseTo(expected, 4);
});

describe('two models on photos', () => {
  const root = path.join(__dirname, '../../..');
  const mini = path.join(root, 'tests/fixtures/ddcolor-mini/mini.pth');
  const photos = [path.join(root, 'assets/demo/photographer.jpg')];
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'difference-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test('the same model differs by nothing, int8 by something', async () => {
    const exact = path.join(dir, 'float32.onnx');
    const coarse = path.join(dir, 'int8.onnx');
    await convertCheckpoint(mini, exact, { heads: 2 });
    await convertCheckpoint(mini, coarse, { heads: 2, int8: true });
    const [same] = await photoDifferences(exact, exact, photos, { sizePx: 128 });
    expect(same).toEqual({ photo: photos[0], mean: 0, p95: 0, max: 0 });
    const [other] = await photoDifferences(exact, coarse, photos, { sizePx: 128 });
    expect(other!.mean).toBeGreaterThan(0);
    expect(other!.mean).toBeLessThan(other!.p95);
    expect(other!.p95).toBeLessThan(other!.max);
    const signal = AbortSignal.abort();
    await expect(photoDifferences(exact, exact, photos, { signal })).rejects.toThrow(Cancelled);
  });
});
