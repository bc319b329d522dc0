import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { calibrate } from '../../../src/inference/gpu/calibrate';
import { type Calibration, createCalibrationStore } from '../../../src/inference/gpu/calibration';
import { capacityOf } from '../../../src/inference/gpu/card-memory';
import { InferenceFailed, InferenceOutOfMemory } from '../../../src/studio/errors/index';
import type { Prediction } from '../../../src/studio/ports/colorizer';

test.each([
  ['GTX 1050 Ti', 4040, undefined, 1024],
  ['GTX 1060 3 GB', 3019, undefined, 1024],
  ['GTX 1650', 4096, 640, 640],
  ['GTX 1650, measured larger', 4096, 1536, 1024],
  ['GTX 1060 6 GB, old driver', 6078, undefined, undefined],
  ['GTX 1060 6 GB, new driver', 6144, 1280, 1280],
  ['P40', 23_040, undefined, undefined],
  ['memory not told', undefined, 896, 896],
  ['nothing known', undefined, undefined, undefined],
])('%s with %s MiB, measured %s px: at most %s px, one at a time', (_, memory, measured, most) => {
  const card = memory === undefined ? {} : { memoryTotalMiB: memory };
  const capacity = capacityOf(card, measured);
  expect(capacity.longestSidePx).toBe(most);
  expect(capacity.atOnce).toBe(1);
  expect(capacity.measured).toBe(most !== undefined && most === measured);
});

/** How a host answers on a card of so much room. */
function cardOfRoom(largestPx: number, otherwise: 'steps' | 'cpu' | 'fails') {
  const asked: number[] = [];
  const predict = async (sizePx: number): Promise<Prediction> => {
    asked.push(sizePx);
    const answer = (inputPx: number, provider: string, key?: string): Prediction => ({
      chroma: { widthPx: 1, heightPx: 1, ab: new Float32Array(2) } as never,
      ...{ model: 'm', inputWidthPx: inputPx, inputHeightPx: inputPx, provider },
      ...{ seconds: sizePx / 1000, meanChroma: 9, notes: key ? [{ key }] : [] },
    });
    if (sizePx <= largestPx) return answer(sizePx, 'cuda');
    if (otherwise === 'fails') throw new InferenceOutOfMemory('cuda', sizePx);
    if (otherwise === 'cpu') return answer(sizePx, 'cpu', 'inference.movedToCpu');
    return answer(largestPx, 'cuda', 'inference.sizeSteppedDown');
  };
  return { predict, asked };
}

test.each(['steps', 'cpu', 'fails'] as const)(
  'the largest size that ran twice on the card is found (too large: it %s)',
  async (otherwise) => {
    const { predict, asked } = cardOfRoom(700, otherwise);
    const steps: [number, boolean][] = [];
    const found = await calibrate(predict, {
      largestPx: 2048,
      onStep: ({ sizePx, fits }) => steps.push([sizePx, fits]),
    });
    expect(found).toMatchObject({ provider: 'cuda', sizePx: 640, tooLargePx: 768 });
    expect(found.seconds.map((one) => one.sizePx)).toEqual([256, 384, 512, 640]);
    expect(asked).toEqual([256, 256, 384, 384, 512, 512, 640, 640, 768]);
    expect(steps.at(-1)).toEqual([768, false]);
  },
);

test('nothing fits; a bound is kept; a fault that is not memory ends it', async () => {
  const none = await calibrate(cardOfRoom(100, 'fails').predict, { largestPx: 2048 });
  expect(none).toEqual({ provider: '?', seconds: [], tooLargePx: 256 });
  const bounded = await calibrate(cardOfRoom(4000, 'fails').predict, { largestPx: 512 });
  expect(bounded).toMatchObject({ sizePx: 512 });
  expect(bounded).not.toHaveProperty('tooLargePx');
  const fails = calibrate(() => Promise.reject(new InferenceFailed('x')), { largestPx: 512 });
  await expect(fails).rejects.toThrow(InferenceFailed);
});

test('a graph of one size has that size', async () => {
  const { predict } = cardOfRoom(4000, 'fails');
  const fixed = async () => ({
    ...(await predict(512)),
    notes: [{ key: 'inference.sizeFixed' }],
  });
  const found = await calibrate(fixed, { largestPx: 2048 });
  expect(found).toMatchObject({ sizePx: 512, seconds: [{ sizePx: 512 }] });
});

describe('what is kept', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-calibration-'));
    file = path.join(folder, 'data', 'cards.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const entry = (more: Partial<Calibration> = {}): Calibration => ({
    ...{ uuid: 'GPU-1', card: 'GTX 1060', model: 'ddcolor-tiny', provider: 'cuda', sizePx: 640 },
    ...{ seconds: [{ sizePx: 640, seconds: 1.5 }], measuredAt: '2026-01-01T00:00:00.000Z' },
    ...more,
  });

  test('one entry for each card and model; a new measurement replaces the old', async () => {
    const store = createCalibrationStore(file);
    expect(store.find('GPU-1', 'ddcolor-tiny')).toBeUndefined();
    await store.save(entry());
    await store.save(entry({ model: 'starter', sizePx: 1024 }));
    await store.save(entry({ uuid: 'GPU-2' }));
    await store.save(entry({ sizePx: 512 }));
    expect(store.find('GPU-1', 'ddcolor-tiny')?.sizePx).toBe(512);
    const again = createCalibrationStore(file);
    expect(again.list()).toHaveLength(3);
    expect(again.find('GPU-1', 'starter')?.sizePx).toBe(1024);
  });

  test('a damaged file is nothing measured; a damaged entry leaves the others', async () => {
    const store = createCalibrationStore(file);
    await store.save(entry());
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    kept.entries.push({ uuid: 'GPU-9', sizePx: 'large' });
    writeFileSync(file, JSON.stringify(kept));
    expect(createCalibrationStore(file).list()).toHaveLength(1);
    writeFileSync(file, '{"version": 1, "entr');
    expect(createCalibrationStore(file).list()).toEqual([]);
    await createCalibrationStore(file).save(entry());
    expect(createCalibrationStore(file).list()).toHaveLength(1);
  });
});
