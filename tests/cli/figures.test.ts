import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { addCardFigures } from '../../src/cli/metrics/card-figures.js';
import { createRecorder } from '../../src/cli/metrics/recorder.js';
import { addStudioFigures } from '../../src/cli/metrics/studio-figures.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { createEnergyMeter } from '../../src/inference/gpu/energy-meter.js';
import { createMonitor } from '../../src/storage/monitor-store.js';
import { cardStatus, emulateCards } from '../support/emulated-cards.js';
import { sampleOf, selectorsOf } from '../support/promql.js';
import { openShop } from '../support/shop.js';

const noCounts = { waiting: 0, active: 0, delayed: 0, done: 0, dead: 0, cancelled: 0 };

test('cards tell what their driver tells, and nothing else', async () => {
  const registry = new Registry();
  const cards = emulateCards();
  const meter = createEnergyMeter(cards);
  const refresh = addCardFigures(registry, { cards, meter });
  const old = { uuid: 'GPU-2', index: 1, name: 'NVIDIA GeForce GTX 1050 Ti' };
  const cool = { temperatureC: 61, powerW: 100, memoryUsedMiB: 512, memoryTotalMiB: 6144 };
  cards.tell(cardStatus({ ...cool, utilizationPercent: 50, atMs: 0 }), cardStatus(old));
  cards.tell(
    cardStatus({ ...cool, temperatureC: 86, atMs: 15_000 }, { state: 'paused', reason: 'hot' }),
    cardStatus({ ...old, atMs: 15_000 }),
  );
  refresh();
  const text = await registry.metrics();
  const told = (metric: string, labels = {}) => sampleOf(text, `huancai_card_${metric}`, labels);
  expect(told('temperature_celsius', { uuid: 'GPU-1' })).toBe(86);
  expect(told('temperature_celsius', { uuid: 'GPU-2' })).toBeUndefined();
  expect(told('power_watts', { uuid: 'GPU-2' })).toBeUndefined();
  // The driver said nothing of its work the second time.
  expect(told('utilization_ratio', { uuid: 'GPU-1' })).toBeUndefined();
  expect(told('memory_used_bytes', { uuid: 'GPU-1' })).toBe(512 * 1024 * 1024);
  expect(told('state', { uuid: 'GPU-1', state: 'paused' })).toBe(1);
  expect(told('state', { uuid: 'GPU-1', state: 'working' })).toBe(0);
  expect(told('state', { uuid: 'GPU-2', state: 'working' })).toBe(1);
  expect(told('pauses_total', { uuid: 'GPU-1', reason: 'hot' })).toBe(1);
  expect(told('energy_joules_total', { uuid: 'GPU-1' })).toBe(1500);
  refresh();
  expect(sampleOf(await registry.metrics(), 'huancai_card_energy_joules_total')).toBe(1500);
});

test('a part that cannot be read has no figures, and says so', async () => {
  const shop = await openShop();
  try {
    const registry = new Registry();
    let nowMs = 1_000;
    let away = false;
    const refresh = addStudioFigures(registry, {
      monitor: createMonitor(shop.database),
      queue: { counts: async () => ({ ...noCounts, waiting: 3 }) },
      blobs: {
        freeBytes: async () => {
          if (away) throw new Error('gone');
          return 5e9;
        },
      },
      clock: { now: () => nowMs },
    });
    await refresh();
    expect(sampleOf(await registry.metrics(), 'huancai_disk_free_bytes')).toBe(5e9);
    away = true;
    // Asked again at once nothing is read again.
    await Promise.all([refresh(), refresh()]);
    expect(sampleOf(await registry.metrics(), 'huancai_disk_free_bytes')).toBe(5e9);
    nowMs += 60_000;
    await refresh();
    const text = await registry.metrics();
    expect(sampleOf(text, 'huancai_disk_free_bytes')).toBeUndefined();
    expect(sampleOf(text, 'huancai_scrape_faults_total', { part: 'disk' })).toBe(1);
    expect(sampleOf(text, 'huancai_queue_jobs', { state: 'waiting' })).toBe(3);
  } finally {
    await shop.close();
  }
});

test('labels that rules and dashboard match or group by exist', async () => {
  const { registry } = createRecorder();
  const cards = emulateCards();
  addCardFigures(registry, { cards, meter: createEnergyMeter(cards) });
  const never = async () => [];
  addStudioFigures(registry, {
    monitor: {
      ...{ backlog: never, photos: never, orders: never },
      ...{ charges: never, refunds: never, quarantined: never },
    },
    queue: { counts: async () => noCounts },
    blobs: { freeBytes: async () => undefined },
    clock: { now: () => 0 },
  });
  type Made = { name: string; labelNames: string[] };
  const labels = new Map<string, string[]>();
  for (const { name, labelNames } of registry.getMetricsAsArray() as unknown as Made[])
    for (const part of ['', '_bucket', '_sum', '_count']) labels.set(name + part, labelNames);
  // Prometheus adds these itself.
  const given = ['instance', 'job', 'le'];
  const wrong = expressions().flatMap((expression) =>
    selectorsOf(expression)
      .filter(({ metric }) => metric !== 'up')
      .flatMap(({ metric, labels: used }) =>
        used
          .filter((label) => !given.includes(label) && !labels.get(metric)?.includes(label))
          .map((label) => `${metric}{${label}}`),
      ),
  );
  expect(wrong).toEqual([]);
});

function expressions(): string[] {
  const read = (name: string) =>
    readFileSync(path.join(packageRoot, 'config/monitoring', name), 'utf8');
  const rules = parse(read('alerts.yaml')) as { groups: { rules: { expr: string }[] }[] };
  const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return [
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ];
}
