import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { ServerProcess } from '../crash/server-process.js';
import { type S3Emulator, startS3 } from '../emulators/s3/server.js';
import { type CliRun, runCli, startCli } from '../support/cli.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

export const patientMs = 240_000;

/** One line of a manifest, as far as these tests read it. */
export interface Line {
  readonly photo: string;
  readonly sha256: string;
  readonly status: string;
  readonly provider: string;
  readonly worker: string | null;
  readonly inferenceSeconds: number;
  readonly error: string | null;
  readonly reason: string | null;
}

export const args = ['colorize', 'scans', '-o', 'colour', '--manifest', 'colour/archive'];
export const fleet = [...args, '--fleet', '--size', '512'];

/**
 * A folder, a Redis, a bucket and whatever a test starts, made before each test and ended after it.
 * @param ownRedis one that the test may kill.
 */
export function setUpArchives({ ownRedis = false } = {}) {
  let dir: string;
  let redis: TestRedis;
  let s3: S3Emulator;
  let databases = 0;
  const running: (ServerProcess | CliRun)[] = [];
  beforeAll(async () => {
    redis = await startRedis({ own: ownRedis });
    s3 = await startS3();
  });
  beforeEach(() => {
    databases += 1;
    dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-archive-fleet-'));
  });
  afterEach(async () => {
    for (const one of running.splice(0)) {
      if (one instanceof ServerProcess) await one.kill();
      else {
        one.child.kill('SIGKILL');
        await one.ended;
      }
    }
    rmSync(dir, { recursive: true, force: true });
  });
  afterAll(async () => {
    await s3?.close();
    await redis?.stop();
  });

  const at = (...names: string[]) => path.join(dir, ...names);

  /** What boxes and the command are told of each other; each test has a Redis database of its own. */
  const shared = () => ({
    REDIS_URL: `${redis.url}/${databases}`,
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucketName,
    S3_ACCESS_KEY_ID: s3.keys.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
    S3_PATH_STYLE: 'true',
    S3_PREFIX: `run${databases}`,
    HUANCAI_QUEUE_LEASE_MS: '2000',
    HUANCAI_INFERENCE_THREADS: '1',
  });

  const workers = async (env: Record<string, string> = shared()) =>
    (await runCli(['workers', '--json'], { cwd: dir, env })).records();

  return {
    at,
    shared,
    workers,
    redis: () => redis,
    s3: () => s3,
    dir: () => dir,

    /** Killed after the test. */
    keep: <T extends ServerProcess | CliRun>(one: T): T => {
      running.push(one);
      return one;
    },

    startBoxes: async (count: number, env: Record<string, string> = shared()) => {
      const boxes = Array.from({ length: count }, (_, i) => {
        const own = { HUANCAI_DATA_DIR: at(`box${i}`), HUANCAI_WORK_PHOTOS_AT_ONCE: '1' };
        return startCli(['worker', '--json'], { cwd: dir, env: { ...own, ...env } });
      });
      running.push(...boxes);
      const pids = boxes.map(({ child }) => child.pid);
      const there = async () =>
        (await workers(env)).filter(({ worker }) => pids.includes(pidIn(String(worker))));
      await until(async () => (await there()).length === count, patientMs);
      return boxes;
    },

    /** Small photographs, each with its own content. */
    scans: async (count: number): Promise<void> => {
      mkdirSync(at('scans'));
      for (let i = 0; i < count; i++)
        await sharp(path.join(__dirname, '../fixtures/photos/chelsea.jpg'))
          .rotate(i, { background: '#808080' })
          .resize(260)
          .toFile(at('scans', `${String(i).padStart(2, '0')}.jpg`));
    },

    manifest: (): Line[] => {
      const file = at('colour', 'archive.jsonl');
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line));
    },
  };
}

const pidIn = (worker: string) => Number(worker.split(':').at(-1));

export const pidsOf = (boxes: CliRun[]) => boxes.map(({ child }) => child.pid);
export const pidOf = ({ worker }: Pick<Line, 'worker'>) => pidIn(worker ?? '');
