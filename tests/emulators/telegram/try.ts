import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { TelegramEmulator } from './emulator.js';
import { addTryPage } from './try-page.js';

/** `npm run try:telegram`: a studio, a Bot API emulator, and a page to chat with the bot. */
async function main(): Promise<void> {
  const language = /^zh/.test(process.env['LANG'] ?? '') ? 'zh-hans' : 'en';
  const emulator = await TelegramEmulator.start({ port: Number(process.env['TRY_PORT'] ?? 8088) });
  addTryPage(emulator, process.env['TRY_LANGUAGE'] ?? language);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-try-'));
  const main = path.resolve(__dirname, '../../../dist/cli/main.js');
  const studio = spawn(process.execPath, [main, 'serve'], {
    env: {
      ...process.env,
      HUANCAI_DATA_DIR: dir,
      PORT: '0',
      TELEGRAM_BOT_TOKEN: emulator.token,
      TELEGRAM_API_ROOT: emulator.url,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log(`Chat with the bot: ${emulator.url}/try   (Ctrl-C ends it; nothing is kept)`);
  const end = () => studio.kill('SIGTERM');
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  studio.once('exit', async (code) => {
    await emulator.close();
    rmSync(dir, { recursive: true, force: true });
    process.exit(code ?? 0);
  });
}

void main();
