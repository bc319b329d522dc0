import { idealSeconds } from './ideal.js';
import { type FleetPlan, runFleet } from './run-fleet.js';

/**
 * A simulated fleet: real studio, Redis and worker processes, emulated cards, a delay instead of a
 * network. A short one here; `npm run test:fleet` runs it at full length and prints how close to the
 * ideal it came.
 */
const long = process.env.FLEET_PHOTOS !== undefined;
const seed = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 2 ** 31));
const scale = Number(process.env.FLEET_SCALE ?? 1);
jest.setTimeout(long ? 2_400_000 : 900_000);

/** As in old office machines: a 1060 here, a 1050 Ti there, two that run hot, four short of memory. */
const fleet = [
  { seconds: 0.35, memoryPx: 1536, hotC: 78 },
  { seconds: 0.4, memoryPx: 1536, hotC: 74 },
  { seconds: 0.5, memoryPx: 1024, hotC: 80 },
  { seconds: 0.6, memoryPx: 1024, hotC: 95 },
  { seconds: 0.8, memoryPx: 768, hotC: 70 },
  { seconds: 1.0, memoryPx: 768, hotC: 72 },
  { seconds: 1.4, memoryPx: 768, hotC: 96 },
  { seconds: 2.0, memoryPx: 512, hotC: 76 },
].map((box) => ({ ...box, seconds: box.seconds * scale }));
const cool = fleet.map((box) => ({ ...box, hotC: Math.min(box.hotC, 80) }));

async function play(plan: Omit<FleetPlan, 'seed' | 'timeoutMs'>) {
  const timeoutMs = long ? 1_500_000 : 500_000;
  const { faults, ...numbers } = await runFleet({ ...plan, seed, timeoutMs });
  process.stdout.write(`fleet: ${JSON.stringify({ seed, ...numbers })}\n`);
  expect({ seed, faults }).toEqual({ seed, faults: [] });
  return numbers;
}

test('the ideal is a bound of each size and of all boxes that take it', () => {
  const boxes = [
    { seconds: 1, memoryPx: 1024, hotC: 0 },
    { seconds: 1, memoryPx: 512, hotC: 0 },
  ];
  expect(idealSeconds(boxes, [512, 512, 512, 512])).toBe(2);
  expect(idealSeconds(boxes, [1024, 512])).toBe(4);
});

test('undisturbed: all photos, each where it fits', async () => {
  const photos = Number(process.env.FLEET_PHOTOS ?? 40);
  const boxes = long ? cool : cool.filter((_, i) => i % 3 === 0);
  const { ready } = await play({ photos, boxes, largeShare: 0.05 });
  expect(ready).toBe(photos);
});

test('kills, Redis restarts, pulled cables, hot cards, poison: nothing lost, nothing twice', async () => {
  const photos = Number(process.env.FLEET_CHAOS_PHOTOS ?? 40);
  const boxes = long ? fleet : fleet.filter((_, i) => i % 3 === 0);
  const { setAside } = await play({
    ...{ photos, boxes, largeShare: 0.05, poisoned: long ? 3 : 1 },
    ...{ chaosEveryMs: long ? 6_000 : 2_000, blows: long ? 24 : 4, overHttp: true },
  });
  expect(setAside).toBeGreaterThan(0);
});
