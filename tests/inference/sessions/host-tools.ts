import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  createInferenceHost,
  type HostConfig,
  type HostEvent,
  type InferenceHost,
} from '../../../src/inference/sessions/index.js';

/** Hosts and files of one test file, cleared away by `close`. */
export function hostBench() {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-host-'));
  const hosts: InferenceHost[] = [];
  return {
    file: (name: string) => path.join(dir, name),
    host(config: Partial<HostConfig> = {}, onEvent?: (event: HostEvent) => void) {
      const events: HostEvent[] = [];
      const host = createInferenceHost(
        {
          onEvent: (event) => {
            events.push(event);
            onEvent?.(event);
          },
        },
        {
          providers: ['cpu'],
          threads: 1,
          idleUnloadMs: 0,
          runTimeoutMs: 60_000,
          restartBackoffMs: 10,
          ...config,
        },
      );
      hosts.push(host);
      return { host, events };
    },
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A grey ramp as the model wants it. */
export function ramp(modelFile: string, widthPx: number, heightPx = widthPx) {
  const tensor = new Float32Array(3 * widthPx * heightPx);
  const pixels = widthPx * heightPx;
  for (let i = 0; i < tensor.length; i += 1) tensor[i] = (i % pixels) / pixels;
  return { modelFile, modelId: 'net', tensor, widthPx, heightPx };
}

/** Largest deviation from what `colourNet` must answer. */
export function deviation(
  { ab }: { ab: Float32Array },
  grey: ArrayLike<number>,
  gain = 40,
): number {
  let worst = 0;
  const pixels = ab.length / 2;
  for (let i = 0; i < pixels; i += 1) {
    worst = Math.max(worst, Math.abs(ab[i]! - (gain * grey[i]! + 5)));
    worst = Math.max(worst, Math.abs(ab[pixels + i]! + gain * grey[i]!));
  }
  return worst;
}
