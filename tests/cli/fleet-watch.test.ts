import { createFleetWatch, type FleetWatch } from '../../src/cli/colorize/fleet-watch.js';
import { BlobMissing, BlobsAway, QueueAway } from '../../src/studio/errors/index.js';
import type { SeenBox } from '../../src/studio/ports/fleet.js';
import { until } from '../support/until.js';

/** What a run over a fleet says while things it needs come and go; the things are played here. */
jest.setTimeout(60_000);

let boxes: SeenBox[];
let said: string[];
let watch: FleetWatch;
let end: AbortController;
beforeEach(() => {
  end = new AbortController();
  boxes = [];
  said = [];
  const output = { notice: (text: string) => void said.push(text) };
  watch = createFleetWatch({ list: async () => boxes }, {
    output,
    t: (key: string) => key,
  } as unknown as Parameters<typeof createFleetWatch>[1]);
});
afterEach(() => {
  end.abort();
  watch.close();
});

/** Ended with the test, also where that fails. */
function patiently<T>(work: () => Promise<T>): Promise<T> {
  const answer = watch.patiently(work, end.signal);
  answer.catch(() => {});
  return answer;
}

const box = (state: SeenBox['state'], without: string[] = []) =>
  ({ worker: 'box:1', state, without }) as unknown as SeenBox;

test('an absence is said once, however many meet it and whatever else still answers', async () => {
  let bucket = false;
  let tries = 0;
  const upload = async () => {
    tries += 1;
    if (!bucket) throw new BlobsAway('bucket', 'refused');
    return 'uploaded';
  };
  const photos = [1, 2, 3].map(() => patiently(upload));
  // Photos that wait in the queue ask it all the time, and get their answers.
  const queue = setInterval(() => void patiently(async () => 'waiting'), 50);
  try {
    await until(() => tries >= 9, 30_000);
    expect(said).toEqual(['storage.blobsAway']);
    bucket = true;
    expect(await Promise.all(photos)).toEqual(['uploaded', 'uploaded', 'uploaded']);
    expect(said).toHaveLength(1);
    // Another absence is said again, and so is one of something else.
    bucket = false;
    const again = patiently(upload);
    let redis = false;
    const ask = patiently(async () => {
      if (!redis) throw new QueueAway();
    });
    await until(() => said.length === 3);
    expect(said.slice(1).sort()).toEqual(['fleet.queueGone', 'storage.blobsAway']);
    bucket = true;
    redis = true;
    await Promise.all([again, ask]);
  } finally {
    clearInterval(queue);
  }
});

test('an answer that is no absence comes through, and ends one', async () => {
  const answers = [new BlobsAway('b', 'x'), new BlobMissing('k'), new BlobsAway('b', 'x')];
  const work = async () => {
    const error = answers.shift();
    if (error) throw error;
  };
  await expect(patiently(work)).rejects.toThrow(BlobMissing);
  await patiently(work);
  expect(said).toEqual(['storage.blobsAway', 'storage.blobsAway']);
});

test('a wait ends at once when the run is interrupted', async () => {
  const stop = new AbortController();
  const work = watch.patiently(() => Promise.reject(new QueueAway()), stop.signal);
  await until(() => said.length === 1);
  stop.abort();
  await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('boxes that are gone, cut off, or cannot get a model', async () => {
  const model = 'ddcolor-tiny';
  boxes = [box('away')];
  const done = watch.waits();
  await until(() => said.includes('fleet.boxesAway'), 20_000);
  expect(watch.nobodyHas(model)).toBe(false);
  boxes = [box('idle', [model]), box('idle', [model])];
  await until(() => watch.nobodyHas(model), 20_000);
  boxes = [box('idle', [model]), box('idle')];
  await until(() => !watch.nobodyHas(model), 20_000);
  boxes = [];
  await until(() => said.includes('fleet.nobodyLeft'), 30_000);
  expect(said).toEqual(['fleet.boxesAway', 'fleet.nobodyLeft']);
  done();
});
