import path from 'node:path';
import { presetNames, presetSizePx, readPreset } from '../../src/inference/presets.js';
import { planVariants, sizesAround } from '../../src/inference/variants.js';

const workflows = path.resolve(__dirname, '../../config/workflows');

describe('variants', () => {
  const source = { models: ['a', 'b'], sizesPx: [256, 384], finishing: { sharpen: 0.5 }, seed: 1 };

  test('every model at every size comes first, as asked for', () => {
    const plain = planVariants(4, source);
    expect(plain.map(({ model, sizePx }) => `${model} ${sizePx}`)).toEqual([
      'a 256',
      'b 256',
      'a 384',
      'b 384',
    ]);
    expect(planVariants(2, source).map(({ model }) => model)).toEqual(['a', 'b']);
    expect(plain.every(({ finishing }) => finishing === source.finishing)).toBe(true);
  });

  test('then finishings from the seed: all different, in range, the rest kept', () => {
    const many = planVariants(16, source);
    const texts = many.map((variant) => JSON.stringify(variant));
    expect(new Set(texts).size).toBe(16);
    for (const { finishing } of many.slice(4)) {
      expect(finishing.strength).toBeGreaterThanOrEqual(0.75);
      expect(finishing.strength).toBeLessThanOrEqual(1.25);
      expect(Math.abs(finishing.warmth!)).toBeLessThanOrEqual(0.35);
      expect(finishing.sharpen).toBe(0.5);
    }
    expect(planVariants(16, source)).toEqual(many);
    expect(planVariants(16, { ...source, seed: 2 })).not.toEqual(many);
  });

  test('strength and warmth never leave their ranges', () => {
    const finishing = { strength: 1.5, warmth: 1 };
    for (const variant of planVariants(16, { ...source, finishing })) {
      expect(variant.finishing.strength).toBeLessThanOrEqual(1.5);
      expect(variant.finishing.warmth).toBeLessThanOrEqual(1);
    }
  });

  test("sizes around a model's own are multiples of 32 within the limits", () => {
    expect(sizesAround(512)).toEqual([512, 384, 768]);
    expect(sizesAround(64)).toEqual([64, 96]);
    expect(sizesAround(2048)).toEqual([2048, 1536]);
  });
});

describe('presets', () => {
  const own = { sizePx: 512, fixed: false };
  const photo = (side: number) => ({ widthPx: side, heightPx: Math.round(side / 2) });

  test('each is a workflow; only auto leaves the size open', () => {
    expect(presetNames.map((name) => readPreset(workflows, name))).toEqual([
      { name: 'auto', sizePx: undefined },
      { name: 'portrait', sizePx: 512 },
      { name: 'building', sizePx: 960 },
    ]);
  });

  test("auto is the model's own size, no larger than the photo, no smaller than 256", () => {
    const auto = { name: 'auto' } as const;
    expect(presetSizePx(auto, photo(4000), own)).toBe(512);
    expect(presetSizePx(auto, photo(300), own)).toBe(320);
    expect(presetSizePx(auto, photo(40), own)).toBe(256);
    expect(presetSizePx(auto, photo(40), { sizePx: 128, fixed: false })).toBe(128);
  });

  test('a model of fixed size takes no other', () => {
    const building = readPreset(workflows, 'building');
    expect(presetSizePx(building, photo(4000), own)).toBe(960);
    expect(presetSizePx(building, photo(4000), { sizePx: 512, fixed: true })).toBe(512);
  });
});
