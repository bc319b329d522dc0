import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { InferenceFailed } from '../../studio/errors/index.js';
import { guardCard } from './guarded-card.js';
import { createHostQueue } from './host-queue.js';
import { createMemoryCaution } from './memory-plan.js';
import { describePersistently, predictPersistently } from './persistent-run.js';
import type { HostConfig, HostDeps, HostStatus, InferenceHost, PredictRequest } from './types.js';
import { createWarmSession, type WarmSession } from './warm-session.js';

/** @see InferenceHost */
export function createInferenceHost(deps: HostDeps, config: HostConfig): InferenceHost {
  const emit = deps.onEvent ?? (() => {});
  const session = createWarmSession(config, emit);
  const caution = createMemoryCaution(config.memoryCautionMs ?? 600_000, () => performance.now());
  const queue = createHostQueue(config.maxQueued ?? 256, abandoned);
  const card = guardCard(deps.card, session, config.providers, emit);
  const tools = { session, caution, emit, card };
  let idleTimer: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;

  /** Most runs end sooner than a model loads: drop the answer, keep the warm model. */
  function abandoned(stillRuns: () => boolean): void {
    const endIt = () => {
      if (stillRuns()) void session.recycle();
    };
    setTimeout(endIt, config.cancelGraceMs ?? 5_000).unref();
  }

  function enqueue<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return queue.add(async () => {
      clearTimeout(idleTimer);
      try {
        return await task();
      } finally {
        if (config.idleUnloadMs > 0) idleTimer = setTimeout(unload, config.idleUnloadMs).unref();
      }
    }, signal);
  }

  function unload(): void {
    if (queue.running || !session.child) return;
    emit({ name: 'idleUnload' });
    void session.recycle();
  }

  async function close(): Promise<void> {
    const bound = new AbortController();
    card.letGo();
    await Promise.race([queue.drain(), delay(config.closeTimeoutMs ?? 10_000, bound.signal)]);
    bound.abort();
    card.close();
    queue.refuse(new InferenceFailed('the inference host is closed'));
    await session.recycle();
    clearTimeout(idleTimer);
  }

  return {
    predict(request, context) {
      const planes = inputPlanes(request);
      return enqueue(async () => {
        const prediction = await predictPersistently(tools, request, planes, context?.signal);
        context?.onProgress?.(1);
        return prediction;
      }, context?.signal);
    },
    // A proven contract needs no child and no turn: photos are prepared while others are coloured.
    describe: async (modelFile, modelId) =>
      session.known(modelFile, modelId) ??
      enqueue(() => describePersistently(tools, modelFile, modelId)),
    status: () => ({ ...statusOf(session), queued: queue.queued, running: queue.running }),
    fellBack: () => card.fellBack(),
    mayTakeWork: () => card.mayTakeWork(),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** A copy, so that the caller may reuse its buffer; one plane where all three are the same. */
function inputPlanes({ tensor, widthPx, heightPx }: PredictRequest): Float32Array {
  const pixels = widthPx * heightPx;
  assert.equal(tensor.length, 3 * pixels, 'tensor is [1, 3, heightPx, widthPx]');
  const bytes = Buffer.from(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  const plane = pixels * Float32Array.BYTES_PER_ELEMENT;
  const grey =
    bytes.compare(bytes, plane, 2 * plane, 0, plane) === 0 &&
    bytes.compare(bytes, 2 * plane, 3 * plane, 0, plane) === 0;
  return tensor.slice(0, grey ? pixels : 3 * pixels);
}

function statusOf(session: WarmSession): Omit<HostStatus, 'queued' | 'running'> {
  const pid = session.child?.pid;
  const vitals = session.child?.vitals();
  return {
    pid,
    restarts: session.restarts,
    pausing: session.pausing,
    loadedModel: session.loaded?.modelId,
    provider: session.loaded?.result.contract.provider,
    rssBytes: (pid && residentBytes(pid)) || vitals?.rssBytes,
    peakRssBytes: vitals?.peakRssBytes,
  };
}

/** Linux: the child cannot answer while it computes, the kernel can. */
function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes ? Number(kilobytes) * 1024 : undefined;
  } catch {
    return undefined;
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
