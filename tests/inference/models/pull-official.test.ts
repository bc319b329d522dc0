import { readFileSync } from 'node:fs';
import path from 'node:path';
import { convertCheckpoint } from '../../../src/inference/convert/index.js';
import type { ConvertCheckpoint } from '../../../src/inference/models/index.js';
import { createInferenceHost } from '../../../src/inference/sessions/index.js';
import { maxDifference, readNpy } from '../../support/npy.js';
import { startHostileServer } from './hostile-server.js';
import { sha256, storeBench } from './store-tools.js';

const mini = path.resolve(__dirname, '../../fixtures/ddcolor-mini');
const bench = storeBench();
afterAll(() => bench.close());

/** As the shell does it; the miniature has two attention heads instead of eight. */
const convert: ConvertCheckpoint = async (input, output, { signal }) => {
  await convertCheckpoint(input, output, { signal, heads: 2 });
};

test('a checkpoint pulled over a bad line answers as the reference network does', async () => {
  const server = await startHostileServer();
  const host = createInferenceHost(
    {},
    { providers: ['cpu'], threads: 1, idleUnloadMs: 0, runTimeoutMs: 60_000 },
  );
  try {
    const pth = readFileSync(path.join(mini, 'mini.pth'));
    const half = Math.floor(pth.length / 2);
    const url = server.put('/mini.pth', pth, [{ kind: 'cut', afterBytes: half }, 'serve']);
    const entry = bench.entry({
      id: 'mini',
      file: 'mini.pth',
      format: 'pytorch',
      sha256: sha256(pth),
      bytes: pth.length,
      sources: [url],
    });
    const { store } = bench.store([entry], {}, { convert });
    const { record } = await store.pull('mini');
    expect(record?.sourceSha256).toBe(sha256(pth));
    const { file } = await store.resolve('mini');
    expect((await host.describe(file, 'mini')).fixed).toBeUndefined();
    const input = readNpy(path.join(mini, 'input_b_96x160.npy'));
    const expected = readNpy(path.join(mini, 'output_b_96x160.npy'));
    const [, , heightPx, widthPx] = input.shape as [number, number, number, number];
    const request = { modelFile: file, modelId: 'mini', tensor: input.data, widthPx, heightPx };
    const { ab } = await host.predict(request);
    expect(maxDifference(ab, expected.data)).toBeLessThan(1e-3);
  } finally {
    await host.close();
    await server.close();
  }
});
