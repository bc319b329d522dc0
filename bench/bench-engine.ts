import {
  type Colorizer,
  createColorizer,
  createInferenceHost,
  createRenderer,
  type HostStatus,
} from '../src/inference/index.js';
import { limits } from '../src/studio/limits.js';

export const starterModel = 'models/starter/starter.onnx';

/** The engine with its default settings, models named by file. */
export function openBenchEngine(): Colorizer & { status(): HostStatus } {
  const host = createInferenceHost(
    {},
    { providers: ['cpu'], idleUnloadMs: 600_000, runTimeoutMs: 600_000 },
  );
  const renderer = createRenderer({ limits: limits.photo, threads: 2 });
  const resolveModel = async (model: string) => ({ id: model, file: model });
  const colorizer = createColorizer({ host, renderer, resolveModel }, { limits: limits.photo });
  return { ...colorizer, status: () => host.status() };
}
