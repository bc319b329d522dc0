import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../../studio/ports/metrics.js';

/** From a database write to a photo on an old CPU, seconds. */
const stageBuckets = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 180, 600];
const waitBuckets = [0.05, 0.5, 2, 10, 30, 60, 300, 900, 3_600, 14_400];

export interface Recorder {
  readonly metrics: Metrics;
  /** Where figures that are read on asking are added. */
  readonly registry: Registry;
}

/** Count what the studio tells, in the names of docs/operations.md; with figures of this process. */
export function createRecorder(): Recorder {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `huancai_${name}`, help, labelNames, registers: [registry] });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], b: number[]) =>
    new Histogram({
      ...{ name: `huancai_${name}`, help, labelNames, buckets: b },
      registers: [registry],
    });

  const stages = histogram(
    'stage_seconds',
    'Running time of stage handlers in this process',
    ['stage', 'result'],
    stageBuckets,
  );
  const waits = histogram(
    'job_wait_seconds',
    'How long jobs lay ready before this process took them up',
    ['stage', 'priority'],
    waitBuckets,
  );
  const dead = counter('jobs_dead_total', 'Jobs the queue gave up on', ['stage', 'code']);
  const photos = counter('photo_runs_total', 'Ended runs of photos; code is "ok" or the error', [
    'code',
  ]);
  const inference = histogram(
    'inference_seconds',
    'The network alone, of the whole fleet, told on delivery',
    ['model', 'size', 'provider'],
    stageBuckets,
  );
  const joules = counter(
    'inference_joules_total',
    'Energy measured at the card during inferences, of the whole fleet',
    ['model', 'provider'],
  );
  const memory = counter('out_of_memory_total', 'Runs made smaller because memory ran out', [
    'model',
  ]);
  const deliveries = counter('delivery_failures_total', 'Customers who could not be told', [
    'channel',
    'code',
  ]);

  const differences = new Gauge({
    name: 'huancai_reconciliation_differences',
    help: 'Differences between the last compared bill and the books',
    labelNames: ['gateway'],
    registers: [registry],
  });

  const metrics: Metrics = {
    stageEnded: (stage, seconds, result) => stages.observe({ stage, result }, seconds),
    jobWaited: (stage, priority, seconds) => waits.observe({ stage, priority }, seconds),
    jobDead: (stage, code) => dead.inc({ stage, code }),
    photoEnded: (code) => photos.inc({ code }),
    inferred: (facts) => {
      const { model, provider } = facts;
      inference.observe({ model, size: facts.sizePx, provider }, facts.seconds);
      if (facts.joules !== undefined) joules.inc({ model, provider }, facts.joules);
    },
    outOfMemory: (model) => memory.inc({ model }),
    deliveryFailed: (channel, code) => deliveries.inc({ channel, code }),
    reconciled: (gateway, found) => differences.set({ gateway }, found),
  };
  return { metrics, registry };
}
