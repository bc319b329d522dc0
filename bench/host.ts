/**
 * What the child process costs: the same tensor through a bare onnxruntime session in this process
 * and through the inference host, in turns. Two networks: the starter model, and one with as much
 * arithmetic as DDColor-tiny (25 GMAC at 256 px), random weights.
 *
 *   node scripts/bench.mjs host [--sizes 256,512] [--runs 5] [--network starter]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createInferenceHost } from '../src/inference/index.js';
import { colourNet } from '../tests/support/onnx-builder.js';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '256,512' },
    runs: { type: 'string', default: '5' },
    network: { type: 'string', default: 'starter,ddcolor-tiny-sized' },
  },
});

const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-bench-'));
const networks: Record<string, () => string> = {
  starter: () => 'models/starter/starter.onnx',
  'ddcolor-tiny-sized': () => colourNet(path.join(dir, 'net.onnx'), { layers: 12, channels: 64 }),
};

function greyTensor(sizePx: number): Float32Array {
  const pixels = sizePx * sizePx;
  return Float32Array.from({ length: 3 * pixels }, (_, i) => ((i % pixels) % 251) / 250);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const format = (ms: number) => `${ms.toFixed(1)} ms`.padStart(11);

async function compare(name: string, modelFile: string, sizes: readonly number[], runs: number) {
  const bare = await InferenceSession.create(modelFile);
  const host = createInferenceHost(
    {},
    { providers: ['cpu'], idleUnloadMs: 0, runTimeoutMs: 600_000 },
  );
  for (const sizePx of sizes) {
    const tensor = greyTensor(sizePx);
    const feeds = { input: new Tensor('float32', tensor, [1, 3, sizePx, sizePx]) };
    const request = { modelFile, modelId: name, tensor, widthPx: sizePx, heightPx: sizePx };
    let bareMs = Number.POSITIVE_INFINITY;
    let hostMs = Number.POSITIVE_INFINITY;
    for (let run = 0; run <= runs; run += 1) {
      const both = [await timed(() => bare.run(feeds)), await timed(() => host.predict(request))];
      // The first run fills caches.
      if (run === 0) continue;
      bareMs = Math.min(bareMs, both[0]!);
      hostMs = Math.min(hostMs, both[1]!);
    }
    const peak = Math.round((host.status().peakRssBytes ?? 0) / 1e6);
    console.log(
      `${name.padEnd(20)} ${String(sizePx).padStart(4)} px  bare session.run ${format(bareMs)}  host.predict ${format(hostMs)}  ratio ${(hostMs / bareMs).toFixed(3)}  child peak ${peak} MB`,
    );
  }
  await host.close();
  await bare.release();
}

async function main(): Promise<void> {
  const sizes = options.sizes.split(',').map(Number);
  for (const name of options.network.split(',')) {
    const make = networks[name];
    if (!make) throw new Error(`--network: ${Object.keys(networks).join(', ')}`);
    await compare(name, make(), sizes, Number(options.runs));
  }
}

main().finally(() => rmSync(dir, { recursive: true, force: true }));
