import { createOutboxRelay } from '../../src/queue/outbox-relay.js';
import { QueueAway } from '../../src/studio/errors/index.js';
import type { NewJob } from '../../src/studio/jobs.js';
import { notify } from '../contracts/queue.js';
import { keepingLogger } from '../support/quiet.js';
import { until } from '../support/until.js';

/** An outbox and a queue in memory, either of which can fail. */
function outboxOf(keys: readonly string[]) {
  const rows = new Map(keys.map((key) => [key, notify(key) as NewJob]));
  const marked: string[] = [];
  const added: string[] = [];
  const faults = { add: 0, mark: 0 };
  return {
    ...{ rows, marked, added, faults },
    outbox: {
      pending: async (limit: number) =>
        [...rows.values()].slice(0, limit).map((job) => ({ id: job.key, job })),
      markRelayed: async (ids: readonly string[]) => {
        if (faults.mark-- > 0) throw new Error('crash between add and mark');
        for (const id of ids) rows.delete(id);
        marked.push(...ids);
      },
    },
    queue: {
      add: async (job: NewJob) => {
        if (faults.add-- > 0) throw new QueueAway();
        const known = added.includes(job.key);
        if (!known) added.push(job.key);
        return known ? ('exists' as const) : ('added' as const);
      },
    },
  };
}

const keys = Array.from({ length: 25 }, (_, i) => `k${i}`);

test('hands over in order, more than a batch, and marks', async () => {
  const parts = outboxOf(keys);
  const relay = createOutboxRelay({ ...parts, logger: keepingLogger() }, { batch: 10, pollMs: 20 });
  await until(() => parts.rows.size === 0);
  expect(parts.added).toEqual(keys);
  expect(parts.marked).toEqual(keys);
  await relay.close();
});

test('a queue that is away and a mark that is lost cost nothing but time', async () => {
  const parts = outboxOf(keys);
  parts.faults.add = 3;
  parts.faults.mark = 2;
  const logger = keepingLogger();
  const relay = createOutboxRelay({ ...parts, logger }, { batch: 10, pollMs: 10 });
  await until(() => parts.rows.size === 0);
  expect(parts.added).toEqual(keys);
  expect(logger.lines.every(({ event }) => event === 'outbox.stuck')).toBe(true);
  expect(logger.lines.length).toBeGreaterThanOrEqual(3);
  await relay.close();
});

test('wakes at once, and does nothing after it was closed', async () => {
  const parts = outboxOf([]);
  const relay = createOutboxRelay({ ...parts, logger: keepingLogger() }, { pollMs: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 30));
  parts.rows.set('late', notify('late'));
  relay.wake();
  await until(() => parts.added.includes('late'), 2_000);
  await relay.close();
  parts.rows.set('never', notify('never'));
  relay.wake();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(parts.added).toEqual(['late']);
});
