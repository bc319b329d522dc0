import { Repeater } from '../../src/queue/repeater.js';
import { Gate } from '../contracts/queue.js';
import { until } from '../support/until.js';

/** Longer than a test: nothing but a wake-up brings another run. */
const neverMs = 3_600_000;

test('woken while it works it runs once more, never twice at once', async () => {
  const gate = new Gate();
  let runs = 0;
  let atOnce = 0;
  const repeater = new Repeater(
    async () => {
      runs += 1;
      atOnce += 1;
      expect(atOnce).toBe(1);
      if (runs === 1) await gate.opened;
      atOnce -= 1;
      return neverMs;
    },
    neverMs,
    () => {},
  );
  repeater.wake();
  repeater.wake();
  repeater.wake();
  expect(runs).toBe(1);
  gate.open();
  await until(() => runs === 2);
  await repeater.close();
  repeater.wake();
  expect(runs).toBe(2);
});

test('a fault is told, and the next run comes after its own pause', async () => {
  const faults: unknown[] = [];
  let runs = 0;
  const work = async () => {
    runs += 1;
    if (runs === 1) throw new Error('no');
    return neverMs;
  };
  const repeater = new Repeater(work, 1, (error) => faults.push(error));
  repeater.wake();
  await until(() => runs === 2);
  expect(faults).toMatchObject([{ message: 'no' }]);
  await repeater.close();
});

test('closing waits for the run under way', async () => {
  const gate = new Gate();
  let ended = false;
  const work = async () => {
    await gate.opened;
    ended = true;
    return 1;
  };
  const repeater = new Repeater(work, 1, () => {});
  repeater.wake();
  const closed = repeater.close();
  gate.open();
  await closed;
  expect(ended).toBe(true);
});
