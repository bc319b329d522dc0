import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { Monitor } from '../../studio/ports/monitor.js';
import type { JobQueue } from '../../studio/ports/queue.js';

export interface StudioFigureDeps {
  readonly monitor: Monitor;
  readonly queue: Pick<JobQueue, 'counts'>;
  readonly blobs: Pick<Blobs, 'freeBytes'>;
  readonly clock: Clock;
}

type Row = readonly [labels: Readonly<Record<string, string | number>>, value: number];

/** Gauges that are read together; rows in the order of the gauges. */
interface Part {
  readonly name: string;
  readonly gauges: readonly (readonly [name: string, help: string, ...labels: string[]])[];
  readonly read: () => Promise<readonly (readonly Row[])[]>;
}

/** Several who ask at once, or ask all the time, read the database once. */
const freshMs = 5_000;

/**
 * Queue, photos, money and disk as they stand when somebody asks. A part that cannot be read has no
 * figures this time, and `huancai_scrape_faults_total` counts it: an old figure would look like a
 * healthy one.
 * @returns reads them all; never rejects.
 */
export function addStudioFigures(registry: Registry, deps: StudioFigureDeps): () => Promise<void> {
  const faults = new Counter({
    name: 'huancai_scrape_faults_total',
    help: 'Figures that could not be read',
    labelNames: ['part'],
    registers: [registry],
  });
  const parts = partsOf(deps).map(({ name, gauges, read }) => {
    faults.inc({ part: name }, 0);
    const made = gauges.map(
      ([gauge, help, ...labelNames]) =>
        new Gauge({ name: `huancai_${gauge}`, help, labelNames, registers: [registry] }),
    );
    return async () => {
      const rows = await read().catch(() => {
        faults.inc({ part: name });
        return [];
      });
      // Combinations that are gone must not stand for ever.
      for (const [i, gauge] of made.entries()) fill(gauge, rows[i] ?? []);
    };
  });
  return oncePer(freshMs, deps.clock, async () => {
    await Promise.all(parts.map((read) => read()));
  });
}

function partsOf({ monitor, queue, blobs, clock }: StudioFigureDeps): Part[] {
  const backlog: Part = {
    name: 'backlog',
    gauges: [
      ['backlog_jobs', 'Jobs wanted and not through', 'stage', 'priority'],
      ['backlog_oldest_seconds', 'How long the oldest of them is due', 'stage', 'priority'],
    ],
    read: async () => {
      const found = await monitor.backlog(clock.now());
      const rows = (value: (one: (typeof found)[number]) => number) =>
        found.map((one): Row => [{ stage: one.job, priority: one.priority }, value(one)]);
      return [rows(({ jobs }) => jobs), rows(({ oldestMs }) => oldestMs / 1000)];
    },
  };
  const jobs: Part = {
    name: 'queue',
    gauges: [['queue_jobs', 'Jobs in the queue by state', 'state']],
    read: async () => [
      Object.entries(await queue.counts()).map(([state, count]): Row => [{ state }, count]),
    ],
  };
  const disk: Part = {
    name: 'disk',
    gauges: [['disk_free_bytes', 'Free space, where the store tells it', 'place']],
    read: async () => {
      const bytes = await blobs.freeBytes();
      return [bytes === undefined ? [] : [[{ place: 'blobs' }, bytes]]];
    },
  };
  return [
    ...[backlog, jobs, disk],
    counted('photos', 'photos', 'Photos by state', ['state'], monitor.photos),
    counted('orders', 'orders', 'Orders by state', ['state', 'method'], monitor.orders),
    counted('charges', 'charges', 'Charges by state', ['state', 'gateway'], monitor.charges),
    counted('refunds', 'refunds', 'Refunds by state', ['state'], monitor.refunds),
    counted(
      'quarantine',
      'quarantined_payments',
      'Payments that match no order and wait for the operator',
      ['gateway'],
      monitor.quarantined,
    ),
  ];
}

function counted(
  name: string,
  gauge: string,
  help: string,
  labels: readonly string[],
  read: () => Promise<readonly { readonly count: number }[]>,
): Part {
  return {
    name,
    gauges: [[gauge, help, ...labels]],
    read: async () => [(await read()).map(({ count, ...one }): Row => [one, count])],
  };
}

function fill(gauge: Gauge, rows: readonly Row[]): void {
  gauge.reset();
  for (const [labels, value] of rows) gauge.set(labels, value);
}

function oncePer(ms: number, clock: Clock, work: () => Promise<void>): () => Promise<void> {
  let under: Promise<void> | undefined;
  let doneMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (under) return under;
    if (Math.abs(clock.now() - doneMs) < ms) return Promise.resolve();
    under = work().finally(() => {
      doneMs = clock.now();
      under = undefined;
    });
    return under;
  };
}
