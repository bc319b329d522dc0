import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openShell } from '../../../src/cli/open-shell.js';
import { openBots } from '../../../src/cli/serve/bots.js';
import { openShop, startWork } from '../../../src/cli/serve/shop.js';
import type { ChannelId } from '../../../src/studio/ports/basics.js';
import type { ChatChannel } from '../../../src/studio/ports/channel.js';
import { WorldPuppet } from '../../emulators/wechat/puppet.js';
import { WechatWorld } from '../../emulators/wechat/world.js';
import { wechatpayStand } from '../../payments/stands.js';
import { keepingLogger } from '../../support/quiet.js';

type Running = Awaited<ReturnType<typeof run>>;

/** What `huancai serve` runs, in this process, over an emulated WeChat and WeChat Pay. */
export async function openWechatShop(
  env: Record<string, string> = {},
  prepare: (world: WechatWorld) => void = () => {},
) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-wechat-'));
  const world = new WechatWorld();
  prepare(world);
  const notices: string[] = [];
  const { emulator: bank, merchant, apiV3Key, close: closeBank } = await wechatpayStand();
  const logger = keepingLogger();
  const settings = {
    HOME: dir,
    HUANCAI_DATA_DIR: dir,
    HUANCAI_TEMP_DIR: dir,
    WECHATY_PUPPET: 'wechaty-puppet-mock',
    HUANCAI_WECHAT_MIN_PAUSE_MS: '1',
    HUANCAI_WECHAT_MAX_PAUSE_MS: '5',
    HUANCAI_WECHAT_ALBUM_QUIET_MS: '800',
    WECHATPAY_MCH_ID: '1900000001',
    WECHATPAY_APP_ID: 'wx0000000000000001',
    WECHATPAY_SERIAL: merchant.serial,
    WECHATPAY_PRIVATE_KEY: merchant.privatePkcs8,
    WECHATPAY_CERT: merchant.certificate,
    WECHATPAY_API_V3_KEY: apiV3Key,
    WECHATPAY_BASE_URL: bank.url,
    ...env,
  };
  let running: Running | undefined = await run(settings, world, logger, notices);
  return {
    ...{ dir, world, bank, logger, notices },
    bots: () => running!.bots,
    shop: () => running!.shop,
    /** Wait until something is so. */
    async until(look: () => unknown, what: string, timeoutMs = 30_000): Promise<void> {
      for (const end = Date.now() + timeoutMs; !look(); ) {
        if (Date.now() > end) throw new Error(`never: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    },
    async start() {
      running = await run(settings, world, logger, notices);
    },
    async stop() {
      await running?.stop();
      running = undefined;
    },
    async close() {
      await running?.stop();
      await closeBank();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type WechatShop = Awaited<ReturnType<typeof openWechatShop>>;

async function run(
  env: Record<string, string>,
  world: WechatWorld,
  logger: ReturnType<typeof keepingLogger>,
  notices: string[],
) {
  const output = { ...silent, notice: (text: string) => void notices.push(text) };
  const shell = { ...openShell({ json: true, lang: 'zh-CN' }, env), output };
  const channels = new Map<ChannelId, ChatChannel>();
  const shop = await openShop(shell, { logger, channels, baseUrl: () => 'http://127.0.0.1' });
  const puppet = () => new WorldPuppet(world) as never;
  const wechat = { puppet, graceMs: 200, reconnectMs: 100 };
  const bots = openBots(shell, shop, channels, { wechat });
  const work = startWork(shop);
  await bots.start();
  // Whoever speaks to an account that is not there is not heard.
  while (world.mode === 'loggedIn' && bots.wechat?.().state !== 'running')
    await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    ...{ bots, shop },
    async stop() {
      await bots.stop();
      await work.drain(10_000);
      shop.studio.close();
      await shop.queue.close();
      await shop.store.close();
      await shop.parts.engine.close();
    },
  };
}

const silent = { json: true, terminal: false, line: () => {}, notice: () => {}, record: () => {} };
