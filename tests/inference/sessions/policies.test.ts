import fc from 'fast-check';
import { matchContract } from '../../../src/inference/sessions/contract.js';
import { chooseInputSize } from '../../../src/inference/sessions/index.js';
import { saysOutOfMemory } from '../../../src/inference/sessions/memory-errors.js';
import {
  type Attempt,
  createMemoryCaution,
  FIRST_ATTEMPT,
  nextAttempt,
  sizeOf,
} from '../../../src/inference/sessions/memory-plan.js';
import {
  providerFault,
  providerOrder,
  sessionOptions,
} from '../../../src/inference/sessions/providers.js';
import { resizePlanes } from '../../../src/inference/sessions/resample.js';
import { usableCores } from '../../../src/inference/sessions/threads.js';

const square = { widthPx: 512, heightPx: 512 };

describe('input size', () => {
  const photo = { widthPx: 3000, heightPx: 2000 };
  test.each([
    [{}, 512, 512],
    [{ sizePx: 256 }, 256, 256],
    [{ sizePx: 460 }, 448, 448],
    [{ sizePx: 680 }, 672, 672],
    [{ sizePx: 512, fit: 'letterbox' as const }, 512, 512],
    [{ sizePx: 768, fit: 'aspect' as const }, 768, 512],
    [{ sizePx: 10 }, 64, 64],
    [{ sizePx: 99_999 }, 2048, 2048],
  ])('%j -> %i x %i', (wanted, widthPx, heightPx) => {
    expect(chooseInputSize({}, photo, wanted)).toMatchObject({ widthPx, heightPx });
  });

  test('says so when the size is not the wanted one', () => {
    expect(chooseInputSize({}, photo, { sizePx: 460 }).notes).toEqual([
      { key: 'inference.sizeRounded', params: { asked: 460, used: 448 } },
    ]);
    expect(chooseInputSize({}, photo, { sizePx: 512 }).notes).toEqual([]);
    const fixed = { widthPx: 256, heightPx: 256 };
    expect(chooseInputSize({ fixed }, photo, { sizePx: 512 })).toEqual({
      ...fixed,
      notes: [{ key: 'inference.sizeFixed', params: { asked: 512, used: '256x256' } }],
    });
    expect(chooseInputSize({ fixed }, photo).notes).toEqual([]);
  });

  test('is always possible, whatever the photo', () => {
    const edge = fc.integer({ min: 1, max: 65_500 });
    fc.assert(
      fc.property(edge, edge, fc.integer({ min: 1, max: 5000 }), (widthPx, heightPx, sizePx) => {
        const size = chooseInputSize({}, { widthPx, heightPx }, { sizePx, fit: 'aspect' });
        for (const px of [size.widthPx, size.heightPx]) {
          expect(px % 32).toBe(0);
          expect(px).toBeGreaterThanOrEqual(64);
          expect(px).toBeLessThanOrEqual(2048);
        }
      }),
    );
  });
});

describe('out of memory', () => {
  const chain = (provider: (attempt: Attempt) => string, fixed = false, size = square) => {
    const tried: string[] = [];
    for (let attempt: Attempt | undefined = FIRST_ATTEMPT; attempt; ) {
      const at = provider(attempt);
      tried.push(`${at} ${sizeOf(size, attempt.stepsDown).widthPx}`);
      attempt = nextAttempt(attempt, at, size, fixed);
    }
    return tried;
  };

  test('a card: one size down, then the CPU, which may step down too', () => {
    const tried = chain((attempt) => (attempt.cpuOnly ? 'cpu' : 'cuda'));
    expect(tried).toEqual(['cuda 512', 'cuda 384', 'cpu 512', 'cpu 384', 'cpu 288']);
  });
  test('the CPU: two sizes down', () => {
    expect(chain(() => 'cpu')).toEqual(['cpu 512', 'cpu 384', 'cpu 288']);
  });
  test('a fixed size: the CPU only', () => {
    expect(chain((attempt) => (attempt.cpuOnly ? 'cpu' : 'cuda'), true)).toEqual([
      'cuda 512',
      'cpu 512',
    ]);
  });
  test('the smallest input does not get smaller', () => {
    expect(chain(() => 'cpu', false, { widthPx: 64, heightPx: 64 })).toEqual(['cpu 64']);
  });

  test('is remembered for sizes as big, for a while', () => {
    let nowMs = 0;
    const caution = createMemoryCaution(1000, () => nowMs);
    caution.remember('m', 500, { stepsDown: 1, cpuOnly: false });
    expect(caution.startAt('m', 500).stepsDown).toBe(1);
    expect(caution.startAt('m', 499)).toEqual(FIRST_ATTEMPT);
    expect(caution.startAt('other', 500)).toEqual(FIRST_ATTEMPT);
    nowMs = 1000;
    expect(caution.startAt('m', 500)).toEqual(FIRST_ATTEMPT);
  });

  test.each([
    'std::bad_alloc',
    'CUDA failure 2: out of memory ; GPU=0',
    'BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 268435456',
    'Available memory of 0 is smaller than requested bytes of 134217728',
    'CUDNN_STATUS_ALLOC_FAILED',
    'FATAL ERROR: invalid array length Allocation failed - JavaScript heap out of memory',
  ])('is recognised: %s', (text) => expect(saysOutOfMemory(text)).toBe(true));

  test('other faults are not taken for it', () => {
    expect(saysOutOfMemory('Non-zero status code returned while running Conv node')).toBe(false);
  });
});

describe('providers', () => {
  test('order is kept, names are forgiven, the CPU is the last resort', () => {
    expect(providerOrder(['CUDA', 'DirectML', 'cuda'])).toEqual(['cuda', 'dml', 'cpu']);
    expect(providerOrder([])).toEqual(['cpu']);
    expect(providerOrder(['cpu', 'cuda'])).toEqual(['cpu', 'cuda']);
  });
  test('CUDA gets its card; no pattern cache that grows', () => {
    expect(sessionOptions('cuda', 2, 1)).toMatchObject({
      executionProviders: [{ name: 'cuda', deviceId: 1 }, 'cpu'],
      enableMemPattern: false,
    });
  });
  test.each([
    ['cuda', 'Failed to load shared library', 'cudaLibraries'],
    ['cuda', 'CUDA error: no kernel image is available for execution on the device', 'cudaKernels'],
    ['cuda', 'CUDA driver version is insufficient for CUDA runtime version', 'cudaDriver'],
    ['webgpu', 'Failed to get a WebGPU adapter: No supported adapters', 'webgpuAdapter'],
    ['dml', 'not in this build of onnxruntime', 'notBuiltIn'],
    ['dml', 'something new', 'other'],
  ])('%s: %s -> %s', (provider, reason, cause) => {
    expect(providerFault(provider, reason).cause).toBe(cause);
  });
  test('at least one thread', () => expect(usableCores()).toBeGreaterThanOrEqual(1));
});

test('a*b* output channels may be symbolic, the input may not', () => {
  const tensor = (name: string, shape: (number | string)[]) => ({
    name,
    isTensor: true,
    type: 'float32',
    shape,
  });
  const input = tensor('in', ['N', 3, 'H', 'W']);
  expect(matchContract([input], [tensor('out', ['N', 'C', 'H', 'W'])]).outputName).toBe('out');
  expect(() => matchContract([tensor('in', ['N', 'C', 'H', 'W'])], [input])).toThrow(/found in/);
});

test('one size down keeps a ramp a ramp', () => {
  const from = { widthPx: 64, heightPx: 32 };
  const ramp = Float32Array.from({ length: 64 * 32 }, (_, i) => ((i % 64) + 0.5) / 64);
  const to = { widthPx: 48, heightPx: 24 };
  const small = resizePlanes(ramp, from, to);
  expect(small).toHaveLength(48 * 24);
  for (let x = 1; x < 47; x += 1) expect(small[x]).toBeCloseTo((x + 0.5) / 48, 5);
});
