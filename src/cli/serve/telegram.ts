import { createHmac } from 'node:crypto';
import type { Door } from '../../bots/door.js';
import type { TelegramAlert } from '../../bots/telegram/telegram-bot.js';
import { openTelegramDoor } from '../../bots/telegram/telegram-door.js';
import type { Messages } from '../../studio/ports/basics.js';
import type { Webhook } from '../../web/dependencies.js';
import { readOrCreateKey } from '../key-file.js';
import type { Shell } from '../shell.js';
import type { Shop } from './shop.js';

const webhookPath = '/webhook/telegram';

/** The bot whose token is set; polling, or a webhook where we have a public address. */
export function openTelegram(
  { config }: Shell,
  { studio, chatLog, parts, logger: log }: Shop,
  { messages, alert }: { messages: Messages; alert: (what: TelegramAlert) => void },
): { readonly door: Door; readonly webhook: Webhook } | undefined {
  const { botToken: token, apiRoot } = config.telegram;
  if (!token) return undefined;
  const { blobs, clock, places } = parts;
  const { publicUrl } = config.web;
  const door = openTelegramDoor(
    { studio, chatLog, blobs, messages, clock, log, alert },
    {
      token,
      ...(apiRoot ? { apiRoot } : {}),
      ...(publicUrl && isReachable(publicUrl, apiRoot)
        ? { webhook: webhookOf(publicUrl, places.key('webhook'), token) }
        : {}),
    },
  );
  const webhook: Webhook = {
    path: webhookPath,
    secretHeader: 'x-telegram-bot-api-secret-token',
    receive: (secret, body) => door.receiveWebhook(secret, body),
  };
  return { door, webhook };
}

/** Telegram calls https only; a Bot API server of one's own takes http as well. Else: polling. */
function isReachable(publicUrl: string, apiRoot: string | null): boolean {
  return publicUrl.startsWith('https:') || apiRoot !== null;
}

/** The secret is ours alone: derived from a key in the data folder, the same after a restart. */
function webhookOf(publicUrl: string, keyFile: string, token: string) {
  const secret = createHmac('sha256', readOrCreateKey(keyFile)).update(token).digest('hex');
  return { url: new URL(webhookPath, publicUrl).href, secret };
}
