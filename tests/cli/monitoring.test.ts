import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { parse } from 'yaml';
import { addCardFigures, noCards } from '../../src/cli/metrics/card-figures.js';
import { createRecorder } from '../../src/cli/metrics/recorder.js';
import { addStudioFigures, type StudioFigureDeps } from '../../src/cli/metrics/studio-figures.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { jobNames } from '../../src/studio/jobs.js';
import { chargeMoves, orderMoves, refundMoves } from '../../src/studio/order.js';
import { photoMoves } from '../../src/studio/photo.js';
import { ServerProcess } from '../crash/server-process.js';
import { type CliRun, runCli, startCli } from '../support/cli.js';
import { createHttpClient } from '../support/http-client.js';
import { exposedBy, sampleOf, selectorsOf } from '../support/promql.js';
import { wallClock } from '../support/quiet.js';
import { freePort, startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

// Real processes, which load a real model.
jest.setTimeout(300_000);
const patientMs = 120_000;
const token = 'a-token-for-prometheus-alone';

let dir: string;
const running: (CliRun | ServerProcess)[] = [];
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-monitoring-'));
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    if (one instanceof ServerProcess) await one.kill();
    else one.child.kill('SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true });
});

async function serve(env: Record<string, string>): Promise<ServerProcess> {
  const all = { HOME: dir, HUANCAI_DATA_DIR: path.join(dir, 'data'), ...env };
  const server = new ServerProcess(all, await freePort(), path.join(dir, 'log'));
  running.push(server);
  server.start();
  await server.ready();
  return server;
}

async function colourOne(url: string): Promise<string> {
  const client = createHttpClient(url);
  const photo = sharp({ create: { width: 240, height: 160, channels: 3, background: '#888' } });
  const { id } = await client.upload(await photo.jpeg().toBuffer());
  await until(
    async () => (await client.json('GET', `/photos/${id}`)).status === 'ready',
    patientMs,
  );
  await client.json('POST', '/me/topups', { pack: 'five', method: 'sandbox' });
  return id;
}

async function scrape(url: string, bearer = token): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${bearer}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain');
  return response.text();
}

test('a studio tells what it did, and everything that rules and dashboard ask for', async () => {
  const server = await serve({ METRICS_TOKEN: token });
  await colourOne(server.url);
  let text = '';
  const told = (metric: string, labels = {}) => sampleOf(text, metric, labels);
  await until(async () => {
    text = await scrape(`${server.url}/metrics`);
    const done = (stage: string) =>
      (told('huancai_stage_seconds_count', { stage, result: 'done' }) ?? 0) > 0;
    // Standing figures are read anew every five seconds; a handler ends after what it wrote.
    return (
      told('huancai_charges', { state: 'open' }) === 1 &&
      told('huancai_photos') === 1 &&
      ['restore', 'deliver', 'notify', 'checkout'].every(done)
    );
  }, patientMs);
  expect(told('huancai_photo_runs_total', { code: 'ok' })).toBe(1);
  expect(told('huancai_inference_seconds_count', { model: 'starter', provider: 'cpu' })).toBe(1);
  expect(told('huancai_job_wait_seconds_count', { stage: 'restore', priority: '5' })).toBe(1);
  expect(told('huancai_orders', { state: 'pending', method: 'sandbox' })).toBe(1);
  expect(told('huancai_disk_free_bytes', { place: 'blobs' })).toBeGreaterThan(0);
  expect(told('huancai_scrape_faults_total', { part: 'orders' })).toBe(0);
  expect(told('process_resident_memory_bytes')).toBeGreaterThan(1e6);

  const exposed = exposedBy(text);
  const missing = allExpressions().flatMap((one) =>
    selectorsOf(one).filter(({ metric }) => metric !== 'up' && !exposed.has(metric)),
  );
  expect(missing).toEqual([]);
});

test('nobody reads them without the token; without any setting there is no such page', async () => {
  const server = await serve({ METRICS_TOKEN: token });
  for (const headers of [{}, { authorization: 'Bearer another' }, { authorization: token }]) {
    const refused = await fetch(`${server.url}/metrics`, { headers: headers as never });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await refused.json()).toMatchObject({ code: 'METRICS_REFUSED' });
  }
  // A scraper with yesterday's token uses up nobody's guesses of a code.
  const headers = { authorization: 'Bearer yesterday' };
  const statuses: number[] = [];
  for (let i = 0; i < 12; i += 1)
    statuses.push((await fetch(`${server.url}/metrics`, { headers })).status);
  expect(statuses.at(-1)).toBe(429);
  const typed = await createHttpClient(server.url).json('POST', '/me/redeem', {
    code: 'NONE-SUCH',
  });
  expect(typed.status).not.toBe(429);
  const closed = await serve({ HUANCAI_DATA_DIR: path.join(dir, 'other') });
  const asked = { headers: { authorization: `Bearer ${token}` } };
  expect((await fetch(`${closed.url}/metrics`, asked)).status).toBe(404);
});

test('a worker has a port of its own, for this machine; the studio counts what it made', async () => {
  const redis = await startRedis();
  try {
    const shared = { REDIS_URL: redis.url, HUANCAI_DATA_DIR: path.join(dir, 'data') };
    const server = await serve({
      ...{ ...shared, METRICS_TOKEN: token },
      HUANCAI_WORK_PHOTOS_AT_ONCE: '0',
    });
    const port = await freePort();
    const env = { ...shared, METRICS_PORT: String(port) };
    const worker = startCli(['worker'], { cwd: dir, env });
    running.push(worker);
    await worker.shows('metrics.open');
    await colourOne(server.url);
    const open = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await open.text();
    expect(sampleOf(text, 'huancai_stage_seconds_count', { stage: 'restore' })).toBe(1);
    const studio = await scrape(`${server.url}/metrics`);
    expect(sampleOf(studio, 'huancai_inference_seconds_count', { model: 'starter' })).toBe(1);
    expect(sampleOf(text, 'huancai_inference_seconds_count')).toBeUndefined();
    // A page in the operator's browser that names itself into this machine.
    const out = execFileSync('curl', [
      ...['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', 'Host: evil.example'],
      `http://127.0.0.1:${port}/metrics`,
    ]);
    expect(String(out)).toBe('403');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(405);
  } finally {
    await redis.stop();
  }
});

test('a port for other machines without a token is a fault of the settings', async () => {
  const env = { METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0' };
  const run = startCli(['worker'], { cwd: dir, env });
  const { code, err } = await run.ended;
  expect(code).toBe(3);
  expect(err).toContain('METRICS_TOKEN');
});

test('promtool, where there is one, takes the rules', () => {
  const { status, error, stdout, stderr } = spawnSync('promtool', [
    ...['check', 'rules', path.join(packageRoot, 'config/monitoring/alerts.yaml')],
  ]);
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
  expect({ status, out: `${stdout}${stderr}` }).toMatchObject({ status: 0 });
});

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
}

function alertRules() {
  const file = path.join(packageRoot, 'config/monitoring/alerts.yaml');
  return (parse(readFileSync(file, 'utf8')) as Rules).groups.flatMap(({ rules }) => rules);
}

/** Every query of the dashboard, its variables filled in. */
function allExpressions(): string[] {
  const file = path.join(packageRoot, 'config/monitoring/grafana-dashboard.json');
  const dashboard = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const shown = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(shown.length).toBeGreaterThan(20);
  return [...alertRules().map(({ expr }) => expr), ...shown];
}

test('rules and dashboard ask for labels that their figures have, by values that they can have', () => {
  const { registry } = createRecorder();
  // Declared only: nobody asks for their values.
  addStudioFigures(registry, { clock: wallClock, monitor: {} } as unknown as StudioFigureDeps);
  addCardFigures(registry, noCards);
  const declared = new Map(
    registry.getMetricsAsArray().map((one) => [
      one.name,
      // Prometheus adds the first two itself, `le` belongs to the buckets of a histogram.
      ['instance', 'job', 'le', ...(one as unknown as { labelNames: string[] }).labelNames],
    ]),
  );
  const labelsOf = (metric: string) =>
    declared.get(metric) ?? declared.get(metric.replace(/_(bucket|sum|count)$/, '')) ?? [];
  const strange = allExpressions().flatMap((one) =>
    selectorsOf(one)
      .filter(({ metric }) => metric !== 'up')
      .flatMap(({ metric, labels }) =>
        labels
          .filter((label) => !labelsOf(metric).includes(label))
          .map((label) => `${metric}{${label}} in ${one}`),
      ),
  );
  expect(strange).toEqual([]);

  const states: Record<string, readonly string[]> = {
    huancai_card_state: ['working', 'paused', 'stopped', 'unknown'],
    huancai_queue_jobs: ['waiting', 'active', 'delayed', 'done', 'dead', 'cancelled'],
    huancai_photos: Object.keys(photoMoves),
    huancai_orders: Object.keys(orderMoves),
    huancai_charges: Object.keys(chargeMoves),
    huancai_refunds: Object.keys(refundMoves),
  };
  const asked = allExpressions().flatMap((one) => [
    ...one.matchAll(/(huancai_\w+)\{[^}]*\b(state|stage)=~?"([^"]*)"/g),
  ]);
  expect(asked.length).toBeGreaterThan(4);
  for (const [, metric, label, values] of asked)
    for (const value of values!.split('|'))
      expect(label === 'stage' ? jobNames : states[metric!]).toContain(value);
});

test('what an alert tells an operator to run is there', async () => {
  const commands = new Set(
    alertRules().flatMap(({ annotations }) =>
      [
        ...annotations['description']!.matchAll(/huancai ((?:jobs|photo|orders) \w+|reconcile)/g),
      ].map((one) => one[1]!),
    ),
  );
  expect(commands.size).toBeGreaterThan(3);
  for (const command of commands) {
    const { out } = await runCli([...command.split(' '), '--help'], { cwd: dir });
    expect(out).toContain(`Usage: huancai ${command}`);
  }
});

test('every figure of the product is on the dashboard or in a rule', () => {
  const used = new Set(
    allExpressions()
      .flatMap(selectorsOf)
      .map(({ metric }) => metric),
  );
  for (const must of [
    'huancai_card_temperature_celsius',
    'huancai_backlog_oldest_seconds',
    'huancai_quarantined_payments',
    'huancai_disk_free_bytes',
    'huancai_delivery_failures_total',
    'huancai_card_pauses_total',
    'huancai_out_of_memory_total',
    'huancai_inference_joules_total',
    'up',
  ])
    expect(used).toContain(must);
  const names = alertRules().map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
});
