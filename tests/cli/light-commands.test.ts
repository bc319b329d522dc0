import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadedModules } from '../support/loaded-modules.js';
import { startRedis, type TestRedis } from '../support/redis.js';

/**
 * What the built commands really load. A box that only colours holds no shop: no page, no chat, no
 * payment SDK, no database; and a command for one photo holds no queue either.
 */
const root = path.resolve(__dirname, '../..');
const photo = path.join(root, 'assets/demo/photographer.jpg');

/** Packages of the shop alone. */
const shopPackages =
  /^(@?fastify|telegraf|wechaty|alipay-sdk|wechatpay|better-sqlite3|kysely|pg$|qrcode|swagger)/;
/** What storage lends to a box: photos and files, no rows. */
const boxStorage =
  /^storage\/(remote\/|file-blobs|blob-keys|list-blob-files|on-disk|scratch-files|without-location|png-text)/;

interface Loaded {
  /** Our own modules, relative to dist, without `.js`. */
  readonly ours: readonly string[];
  /** Names of packages. */
  readonly packages: readonly string[];
}

async function loadedBy(
  args: readonly string[],
  env: Record<string, string> = {},
  opensWith?: string,
): Promise<Loaded> {
  const { files, code } = await loadedModules({
    root,
    args,
    env,
    ...(opensWith ? { opensWith } : {}),
  });
  // Also of a worker that is told to stop as soon as it has opened.
  expect(code).toBe(0);
  const dist = path.join(root, 'dist') + path.sep;
  const ours = files
    .filter((file) => file.startsWith(dist))
    .map((file) => file.slice(dist.length).split(path.sep).join('/').replace(/\.js$/, ''));
  const packages = files.flatMap((file) => {
    const inside = file.split(`${path.sep}node_modules${path.sep}`).at(-1)!.split(path.sep);
    if (!file.includes(`${path.sep}node_modules${path.sep}`)) return [];
    return [inside[0]!.startsWith('@') ? inside.slice(0, 2).join('/') : inside[0]!];
  });
  return { ours, packages: [...new Set(packages)] };
}

/** Modules of the shop among those loaded; descriptions of commands are everybody's. */
function shopOf({ ours, packages }: Loaded): string[] {
  const foreign = ours.filter(
    (name) => /^(web|bots|payments|cli\/(serve|payments|studio))\//.test(name) && !isCommand(name),
  );
  return [...foreign, ...packages.filter((name) => shopPackages.test(name))];
}

const isCommand = (name: string) => name.endsWith('/command');
const below = (folder: string, { ours }: Loaded) =>
  ours.filter((name) => name.startsWith(`${folder}/`));

describe('a worker', () => {
  let redis: TestRedis;
  const opens = '"type":"worker"';
  beforeAll(async () => {
    redis = await startRedis({ own: true });
  });
  afterAll(() => redis.stop());

  test('of a fleet loads queue and photos, nothing of the shop and no database', async () => {
    const env = {
      ...{ REDIS_URL: redis.url, HUANCAI_STUDIO_URL: 'http://127.0.0.1:9' },
      HUANCAI_WORKER_TOKEN: 'w'.repeat(32),
    };
    const loaded = await loadedBy(['worker', '--json'], env, opens);
    expect(loaded.ours).toContain('queue/bull-queue');
    expect(loaded.ours).toContain('storage/remote/http-store');
    expect(shopOf(loaded)).toEqual([]);
    expect(below('storage', loaded).filter((name) => !boxStorage.test(name))).toEqual([]);
    expect(loaded.ours).not.toContain('queue/database-queue');
    expect(loaded.packages.filter((name) => name.startsWith('@aws-sdk'))).toEqual([]);
  });

  test('beside a studio adds the database of the queue, and still nothing of the shop', async () => {
    const loaded = await loadedBy(['worker', '--json'], {}, opens);
    expect(loaded.ours).toContain('queue/database-queue');
    const databases = /^(better-sqlite3|kysely|pg)$/;
    expect(shopOf(loaded).filter((name) => !databases.test(name))).toEqual([]);
    expect(loaded.packages).not.toContain('bull');
  });
});

test('the studio loads the shop: the lists above would show it', async () => {
  const loaded = await loadedBy(['serve', '--json'], { PORT: '0' }, '"type":"open"');
  const shop = shopOf(loaded);
  for (const name of ['web/server', 'cli/serve/run', 'fastify', 'telegraf', 'better-sqlite3'])
    expect(shop).toContain(name);
  expect(below('payments', loaded)).not.toEqual([]);
  expect(below('bots', loaded)).not.toEqual([]);
});

test.each([
  ['colorize', ['colorize', photo, '-o', '.']],
  ['models', ['models', 'list']],
  ['doctor --help', ['doctor', '--help']],
  ['serve --help', ['serve', '--help']],
])('%s loads no shop, no queue and no storage', async (_, args) => {
  const loaded = await loadedBy(args);
  expect(shopOf(loaded)).toEqual([]);
  for (const folder of ['queue', 'storage']) expect(below(folder, loaded)).toEqual([]);
  expect(loaded.packages.filter((name) => /^(bull|ioredis|@aws-sdk)/.test(name))).toEqual([]);
});

test('help loads neither settings nor engine', async () => {
  const loaded = await loadedBy(['--help']);
  // Faults that the command line can name.
  expect(below('inference', loaded)).toEqual(['inference/workflow/errors']);
  expect(loaded.packages).toEqual(['commander']);
});

test('only the command line imports from serve, and only its command', () => {
  const cli = path.join(root, 'src/cli');
  const files = readdirSync(cli, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('serve/'));
  const borrowed = files.flatMap((file) => {
    const text = readFileSync(path.join(cli, file), 'utf8');
    const specs = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((found) => found[1]!);
    const from = specs.filter((spec) => /(^|\/)serve\//.test(spec));
    return from.map((spec) => `${file}: ${spec}`);
  });
  expect(borrowed).toEqual(['program.ts: ./serve/command.js']);
});
