import { statSync } from 'node:fs';
import { InferenceFailed, ModelMissing } from '../../studio/errors/index.js';
import { checkModelFile } from '../models/sniff.js';
import type { ModelContract } from './contract.js';
import { type FailurePlace, translateFailure } from './failures.js';
import type { LoadResult, RunResult } from './protocol.js';
import { type ChildExit, type SupervisedChild, startChild } from './supervised-child.js';
import { usableCores } from './threads.js';
import type { HostConfig, HostEvent } from './types.js';

/** The child with the model it holds, kept warm between requests. */
export interface WarmSession {
  /** Start the child if none runs, load the model if another is loaded. */
  load(modelFile: string, modelId: string, cpuOnly: boolean): Promise<LoadResult>;
  /** @throws {MemoryShort | NotFinite | ChildDied | StudioError} */
  run(planes: Float32Array, widthPx: number, heightPx: number): Promise<RunResult>;
  /** What this file was found to be, if it was loaded before with the same providers. */
  known(modelFile: string, modelId: string): ModelContract | undefined;
  /** Don't load on this provider again: its driver took the process down. */
  ban(provider: string): void;
  /** End the child; the next load starts a fresh one. */
  recycle(): Promise<void>;
  readonly child: SupervisedChild | undefined;
  readonly loaded:
    | {
        readonly modelId: string;
        readonly result: LoadResult;
        /** Only the CPU was asked for. */
        readonly cpuOnly: boolean;
      }
    | undefined;
  readonly restarts: number;
  /** Its child ended too often in a row: nothing is started for a while. */
  readonly pausing: boolean;
}

const LONGEST_BACKOFF_MS = 30_000;

/** The child and the model it holds: started on demand, restarted with growing pauses. */
export function createWarmSession(
  config: HostConfig,
  emit: (event: HostEvent) => void,
): WarmSession {
  const startTimeoutMs = config.startTimeoutMs ?? 60_000;
  const maxRestarts = config.maxRestarts ?? 5;
  const banned = new Set<string>();
  const contracts = new Map<string, ModelContract>();
  let child: SupervisedChild | undefined;
  let loaded: { key: string; modelId: string; result: LoadResult; cpuOnly: boolean } | undefined;
  let restarts = 0;
  let crashesInRow = 0;
  let refuseUntilMs = 0;

  function exited(exit: ChildExit): void {
    child = undefined;
    loaded = undefined;
    if (!exit.expected) {
      restarts += 1;
      crashesInRow += 1;
      if (crashesInRow >= maxRestarts) refuseUntilMs = performance.now() + LONGEST_BACKOFF_MS;
    }
    if (exit.reason === 'timeout') emit({ name: 'timedOut', pid: exit.pid });
    emit({ name: 'exited', ...exit });
  }

  async function running(): Promise<SupervisedChild> {
    if (child) return child;
    if (performance.now() < refuseUntilMs)
      throw new InferenceFailed(`its process ended ${crashesInRow} times in a row; pausing`);
    if (crashesInRow > 0) {
      const backoffMs = (config.restartBackoffMs ?? 200) * 2 ** (crashesInRow - 1);
      await pause(Math.min(LONGEST_BACKOFF_MS, backoffMs));
    }
    const onTrying = (pid: number, provider: string) => emit({ name: 'loading', pid, provider });
    const started = await startChild(startTimeoutMs, { onTrying, onExit: exited }, config.env);
    child = started;
    emit({ name: 'started', pid: started.pid });
    return started;
  }

  function identify(modelFile: string, modelId: string, cpuOnly: boolean) {
    const providers = (cpuOnly ? ['cpu'] : config.providers).filter((name) => !banned.has(name));
    return { providers, key: `${identity(modelFile, modelId)} ${providers.join(',')}` };
  }

  async function load(modelFile: string, modelId: string, cpuOnly: boolean): Promise<LoadResult> {
    const { key, providers } = identify(modelFile, modelId, cpuOnly);
    if (child && loaded?.key === key) return loaded.result;
    checkModelFile(modelFile, modelId);
    const place = { modelId, provider: 'cpu', fixed: false, timeoutMs: startTimeoutMs };
    const result = await translated(place, async () => {
      const ready = await running();
      loaded = undefined;
      const threads = config.threads || usableCores();
      const spec = { modelFile, modelId, providers, threads, deviceId: config.deviceId ?? 0 };
      return ready.load({ kind: 'load', spec }, startTimeoutMs);
    });
    for (const fallback of result.fallbacks) emit({ name: 'providerFallback', ...fallback });
    loaded = { key, modelId, result, cpuOnly };
    contracts.set(key, result.contract);
    emit({ name: 'loaded', modelId, provider: result.contract.provider });
    return result;
  }

  async function run(planes: Float32Array, widthPx: number, heightPx: number): Promise<RunResult> {
    if (!child || !loaded) throw new InferenceFailed('its process ended');
    const { provider, fixed } = loaded.result.contract;
    const place = {
      modelId: loaded.modelId,
      provider,
      fixed: fixed !== undefined,
      timeoutMs: config.runTimeoutMs,
    };
    const command = { kind: 'run', planes, widthPx, heightPx } as const;
    const active = child;
    const result = await translated(place, () => active.run(command, config.runTimeoutMs));
    crashesInRow = 0;
    return result;
  }

  return {
    load,
    run,
    known: (modelFile, modelId) => contracts.get(identify(modelFile, modelId, false).key),
    ban: (provider) => void banned.add(provider),
    recycle: async () => child?.end('cancelled'),
    get child() {
      return child;
    },
    get loaded() {
      return loaded;
    },
    get restarts() {
      return restarts;
    },
    get pausing() {
      return performance.now() < refuseUntilMs;
    },
  };
}

async function translated<T>(place: FailurePlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateFailure(error, place);
  }
}

/** A file that was replaced under the same name is another model. */
function identity(file: string, modelId: string): string {
  try {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  } catch {
    throw new ModelMissing(modelId, `${file} cannot be read`, 'model.missingFile', { file });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
