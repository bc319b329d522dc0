import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  TelegramEmulator,
  type TelegramEmulatorOptions,
} from '../../emulators/telegram/emulator.js';

const root = path.resolve(__dirname, '../../..');

export interface TelegramShop {
  readonly emulator: TelegramEmulator;
  readonly dir: string;
  /** Address of the page. */
  readonly url: () => string;
  readonly logs: string[];
  readonly pid: () => number;
  /** Stop as an operator would. */
  stop(): Promise<number | null>;
  /** Stop as a power cut would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** `huancai serve` in its own process, its Telegram side connected to an emulator over a socket. */
export async function openTelegramShop(
  env: Record<string, string> = {},
  options: TelegramEmulatorOptions = {},
): Promise<TelegramShop> {
  const emulator = await TelegramEmulator.start(options);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-telegram-'));
  const logs: string[] = [];
  let child: ChildProcess | undefined;
  let url = '';

  async function start(): Promise<void> {
    const started = spawn(
      process.execPath,
      [path.join(root, 'dist/cli/main.js'), 'serve', '--json'],
      {
        cwd: root,
        env: {
          PATH: process.env.PATH,
          HOME: dir,
          HUANCAI_DATA_DIR: dir,
          PORT: '0',
          TELEGRAM_BOT_TOKEN: emulator.token,
          TELEGRAM_API_ROOT: emulator.url,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child = started;
    createInterface({ input: started.stderr! }).on('line', (line) => logs.push(line));
    url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: started.stdout! }).on('line', (line) => {
        const said = JSON.parse(line) as { type?: string; url?: string };
        if (said.type === 'open' && said.url) resolve(said.url);
      });
      started.once('exit', (code) =>
        reject(new Error(`serve ended with ${code}:\n${logs.join('\n')}`)),
      );
    });
  }

  async function ended(signal: NodeJS.Signals): Promise<number | null> {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return null;
    const gone = new Promise<number | null>((resolve) => running.once('exit', resolve));
    running.kill(signal);
    return gone;
  }

  await start();
  return {
    ...{ emulator, dir, logs, start },
    url: () => url,
    pid: () => child?.pid ?? 0,
    stop: () => ended('SIGTERM'),
    kill: async () => void (await ended('SIGKILL')),
    async close() {
      await ended('SIGTERM');
      await emulator.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
