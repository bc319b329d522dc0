import { startDuties } from '../../src/cli/serve/timers.js';
import { keepingLogger } from '../support/quiet.js';
import { until } from '../support/until.js';

test('a duty runs again and again, also after it failed, never twice at once', async () => {
  const logger = keepingLogger();
  let runs = 0;
  let running = 0;
  let most = 0;
  const run = async () => {
    runs++;
    running++;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 30));
    running--;
    if (runs === 2) throw new Error('away');
  };
  const timers = startDuties([{ name: 'due', everyMs: 5, run }], logger);
  await until(() => runs >= 5);
  await timers.stop();
  expect(most).toBe(1);
  expect(logger.lines.map(({ event }) => event)).toEqual(['duty.failed']);
  const after = runs;
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(runs).toBe(after);
  expect(running).toBe(0);
});

test('stopping waits for what runs', async () => {
  let finished = false;
  let started = false;
  const run = async () => {
    started = true;
    await new Promise((resolve) => setTimeout(resolve, 100));
    finished = true;
  };
  const timers = startDuties([{ name: 'stuck', everyMs: 1, run }], keepingLogger());
  await until(() => started);
  await timers.stop();
  expect(finished).toBe(true);
});
