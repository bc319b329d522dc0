import { createHmac } from 'node:crypto';
import { openTelegram } from '../../bots/telegram/index.js';
import type { Webhook } from '../../web/dependencies.js';
import { readOrCreateKey } from '../key-file.js';
import type { Shell } from '../shell.js';
import type { Shop } from './shop.js';

/** Telegram's own servers: downloads by bots, uploads by bots, bytes. */
const telegramLimits = { downloadLimitBytes: 20_000_000, uploadLimitBytes: 50_000_000 };
/** A self-hosted Bot API server. */
const localLimits = { downloadLimitBytes: 2_000_000_000, uploadLimitBytes: 2_000_000_000 };
const webhookPath = '/webhook/telegram';

/** The bot whose token is set; polling, or a webhook where we have a public address. */
export function openTelegramBot({ config }: Shell, shop: Shop) {
  const { botToken: token, apiRoot } = config.telegram;
  if (!token) return undefined;
  const { chatLog } = shop;
  const { blobs, clock, places } = shop.parts;
  const { publicUrl } = config.web;
  const opened = openTelegram(
    { chatLog, blobs, clock },
    {
      token,
      ...(apiRoot ? { apiRoot } : {}),
      ...(publicUrl && isReachable(publicUrl, apiRoot)
        ? { webhook: webhookOf(publicUrl, places.key('webhook'), token) }
        : {}),
    },
  );
  return { ...opened, limits: apiRoot ? localLimits : telegramLimits };
}

/** Telegram calls https only; a Bot API server of one's own takes http as well. Else: polling. */
function isReachable(publicUrl: string, apiRoot: string | null): boolean {
  return publicUrl.startsWith('https:') || apiRoot !== null;
}

export function webhookOfBot(bot: {
  receiveWebhook(secret: string | undefined, body: unknown): Promise<number>;
}): Webhook {
  return {
    path: webhookPath,
    secretHeader: 'x-telegram-bot-api-secret-token',
    receive: (secret, body) => bot.receiveWebhook(secret, body),
  };
}

/** The secret is ours alone: derived from a key in the data folder, the same after a restart. */
function webhookOf(publicUrl: string, keyFile: string, token: string) {
  const secret = createHmac('sha256', readOrCreateKey(keyFile)).update(token).digest('hex');
  return { url: new URL(webhookPath, publicUrl).href, secret };
}
