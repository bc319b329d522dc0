import { DiskUnavailable, InferenceFailed } from '../../studio/errors/index.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { JobQueue } from '../../studio/ports/queue.js';
import type { Store } from '../../studio/ports/store.js';
import type { HealthCheck } from '../../web/dependencies.js';
import type { Engine } from '../engine.js';

/** Proves a model once and remembers how it went. */
export interface EngineProof {
  check(): Promise<string | undefined>;
}

/** Load the model now, so that the first customer does not wait for it. */
export function proveEngine(engine: Engine, model: string): EngineProof {
  let proof = engine.describe(model);
  proof.catch(() => {});
  return {
    check: async () => {
      try {
        await proof;
      } catch (error) {
        proof = engine.describe(model);
        proof.catch(() => {});
        throw error;
      }
      const { provider, restarts, pausing } = engine.status();
      if (pausing) throw new InferenceFailed('its process ends again and again');
      return `${model} on ${provider ?? 'idle'}, ${restarts} restarts`;
    },
  };
}

/** What /readyz asks. A process without photos of its own has no engine to prove. */
export function healthChecks(
  parts: { store: Store; queue: JobQueue; blobs: Blobs; proof?: EngineProof },
  minFreeBytes: number,
): HealthCheck[] {
  const { store, queue, blobs, proof } = parts;
  const checks: HealthCheck[] = [
    { name: 'database', check: async () => void (await store.ping()) },
    { name: 'queue', check: async () => void (await queue.ping()) },
    {
      name: 'disk',
      check: async () => {
        const free = await blobs.freeBytes();
        if (free === undefined) return undefined;
        if (free < minFreeBytes) throw new DiskUnavailable('blobs', `${free} bytes free`);
        return `${Math.floor(free / 1e6)} MB free`;
      },
    },
  ];
  if (proof) checks.push({ name: 'inference', check: () => proof.check() });
  return checks;
}
