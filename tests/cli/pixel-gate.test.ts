import { createPixelGate } from '../../src/cli/colorize/pixel-gate.js';

/** Work that runs until it is told to end. */
function job() {
  let end = () => {};
  let started = false;
  const work = () => {
    started = true;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  return { work, end: () => end(), started: () => started };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('small photos run side by side, large ones wait, in order', async () => {
  const gate = createPixelGate(100);
  const [a, b, large, late] = [job(), job(), job(), job()];
  const all = [
    gate.run(40, a.work),
    gate.run(40, b.work),
    gate.run(90, large.work),
    // It would fit beside a and b, but may not overtake.
    gate.run(10, late.work),
  ];
  await turn();
  expect([a, b, large, late].map((one) => one.started())).toEqual([true, true, false, false]);
  a.end();
  await turn();
  expect(large.started()).toBe(false);
  b.end();
  await turn();
  expect([large.started(), late.started()]).toEqual([true, true]);
  large.end();
  late.end();
  await Promise.all(all);
});

test('work above the bound runs alone, and a failure makes room', async () => {
  const gate = createPixelGate(100);
  const huge = job();
  const failing = gate.run(120, () => Promise.reject(new Error('broken')));
  const next = gate.run(120, huge.work);
  await expect(failing).rejects.toThrow('broken');
  await turn();
  expect(huge.started()).toBe(true);
  huge.end();
  await next;
});
