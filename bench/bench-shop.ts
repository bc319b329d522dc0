import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import sharp from 'sharp';
import { createHttpClient } from '../tests/support/http-client.js';

const main = path.resolve(__dirname, '../cli/main.js');

/** The built product as a process, without limits per customer. */
export async function openShop(dataDir: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [main, 'serve', '--json'], {
    env: {
      ...{ PATH: process.env['PATH'], HOME: dataDir, HUANCAI_DATA_DIR: dataDir, PORT: '0' },
      HUANCAI_PRICES_FREE_PREVIEWS_PER_DAY: '100000',
      HUANCAI_STUDIO_WAITING_PER_CUSTOMER: '100000',
      HUANCAI_WEB_REQUESTS_PER_MINUTE_PER_CUSTOMER: '0',
      HUANCAI_WEB_UPLOADS_PER_MINUTE_PER_CUSTOMER: '0',
      HUANCAI_LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await address(child);
  const client = createHttpClient(url);
  await client.json('GET', '/me');
  return {
    url,
    client,
    stop: async () => {
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exit;
    },
  };
}

function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout!.once('data', (line) => resolve(JSON.parse(String(line)).url));
  });
}

/** Another picture for each index. */
export async function smallPhoto(index: number): Promise<Buffer> {
  const background = { r: index % 256, g: index >> 8, b: 99 };
  return sharp({ create: { width: 640, height: 480, channels: 3, background } })
    .jpeg()
    .toBuffer();
}
