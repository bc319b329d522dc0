import sharp from 'sharp';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { until } from '../support/until.js';
import { startWebStack } from '../support/web-stack.js';

const wishes = 200;
const credits = 3;
let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres?.stop());

test.each(['sqlite', 'postgres'])(
  '200 unlocks at once with credits for 3 deliver exactly 3, over HTTP on %s',
  async (kind) => {
    const stack = await startWebStack({
      ...(kind === 'postgres' ? { databaseUrl: await postgres.createDatabase() } : {}),
      // The races are in the ledger, not in the network: a colouriser without one saves minutes.
      colorizer: createSepiaColorizer(),
      studio: { prices: pricesWith(credits), intake: roomy },
    });
    const client = createHttpClient(stack.url);
    expect((await client.json('GET', '/me')).credits).toBe(credits);
    const ids = await readyPhotos(client, 10);

    const answers = await Promise.all(
      Array.from({ length: wishes }, (_, i) =>
        client.send('POST', `/api/v1/photos/${ids[i % ids.length]}/unlock`, {
          headers: { 'idempotency-key': `wish-number-${i}`, 'content-type': 'application/json' },
          body: '{"method":"credits"}',
        }),
      ),
    );
    const statuses = new Map<number, number>();
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    // Wishes for a photo that is unlocked already cost nothing and say so as well.
    expect([...statuses.keys()].sort()).toEqual([200, 402]);

    const masters = async () => {
      const found = ids.map((id) => client.send('GET', `/api/v1/photos/${id}/master`));
      return (await Promise.all(found)).filter(({ status }) => status === 200).length;
    };
    await until(async () => (await masters()) === credits, 60_000);
    expect((await client.json('GET', '/me')).credits).toBe(0);
    const { photos } = await client.json('GET', '/photos?limit=50');
    expect(photos.filter((photo: { unlocked: boolean }) => photo.unlocked)).toHaveLength(credits);
    await stack.close();
  },
  180_000,
);

const roomy = { waitingPerCustomer: 1000, waitingTotal: 1000, minFreeBytes: 1 };

function pricesWith(welcomeCredits: number) {
  return {
    ...{ hdCredits: 1, hdAmountFen: 990, hdStars: 70, welcomeCredits, freePreviewsPerDay: 50 },
    packs: [],
  };
}

async function readyPhotos(client: HttpClient, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const background = { r: 20 * i, g: 90, b: 60 };
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background } });
    ids.push((await client.upload(await picture.png().toBuffer())).id);
  }
  await until(async () => {
    const { photos } = await client.json('GET', '/photos?limit=50');
    return photos.every((photo: { status: string }) => photo.status === 'ready');
  }, 60_000);
  return ids;
}
