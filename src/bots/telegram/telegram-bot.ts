import assert from 'node:assert';
import { timingSafeEqual } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Telegraf } from 'telegraf';
import type { Logger, Messages } from '../../studio/ports/basics.js';
import type { PreCheckout, Studio } from '../../studio/ports/studio.js';
import type { Inward } from '../door.js';
import { type TelegramAccess, type TelegramCalls, TelegramRefused } from './telegram-client.js';
import { introduce } from './telegram-profile.js';
import { chatOf, type TelegramUpdate } from './telegram-update.js';

const allowedUpdates = ['message', 'callback_query', 'pre_checkout_query', 'my_chat_member'];
const reconnectMs = 5_000;
const reconnectMaxMs = 60_000;
const stopMs = 8_000;

/** The bot, and how its updates come. */
export interface TelegramBotConfig extends TelegramAccess {
  /** Where Telegram reaches us; absent: long polling, which needs no public address. */
  readonly webhook?: { readonly url: string; readonly secret: string };
}

/** The inbound side of the Bot API. */
export interface TelegramBot {
  /** Connects in the background and stays connected; a wrong token is reported and given up. */
  start(inward: Inward): Promise<void>;
  /** Answers one webhook call. @returns HTTP status. */
  receiveWebhook(secret: string | undefined, body: unknown): Promise<number>;
  stop(): Promise<void>;
  /** @username without @, once connected. */
  readonly name: () => string;
  /** For /readyz and the console. */
  readonly state: () => 'starting' | 'running' | 'away' | 'refused' | 'stopped';
}

/** Receives updates through telegraf: each is written down before anything else happens. */
export function createTelegramBot(
  deps: {
    calls: TelegramCalls;
    studio: Pick<Studio, 'approvePreCheckout'>;
    messages: Messages;
    log: Logger;
  },
  config: TelegramBotConfig,
): TelegramBot {
  const { calls, studio, log } = deps;
  const bot = new Telegraf(config.token, {
    handlerTimeout: Number.POSITIVE_INFINITY,
    telegram: { webhookReply: false, ...(config.apiRoot ? { apiRoot: config.apiRoot } : {}) },
  });
  // Without it a thrown handler ends polling, and the update is lost.
  bot.catch((error) => log.error('telegram.unexpected', { err: error }));
  bot.use((context) => receive(context.update as unknown as TelegramUpdate));
  let state: ReturnType<TelegramBot['state']> = 'starting';
  let running: Promise<void> | undefined;
  let isFollowing = false;
  let inward: Inward | undefined;
  const stopping = new AbortController();

  async function receive(update: TelegramUpdate): Promise<void> {
    // Ten seconds, or Telegram cancels the sale: answered from the database, before anything else.
    if (update.pre_checkout_query) return answerPreCheckout(update.pre_checkout_query);
    assert(inward);
    const key = String(update.update_id);
    await inward.receive({ key, chatKey: chatOf(update), payload: update });
  }

  async function answerPreCheckout(
    query: NonNullable<TelegramUpdate['pre_checkout_query']>,
  ): Promise<void> {
    const { id, invoice_payload, total_amount, currency } = query;
    let found: PreCheckout = 'over';
    try {
      found = await studio.approvePreCheckout(invoice_payload, total_amount, currency);
    } catch (error) {
      // A plain no at once is better than a sale that Telegram lets hang.
      log.error('telegram.preCheckoutNotKnown', { err: error });
    }
    const ok = found === 'approved';
    try {
      const language = query.from.language_code?.startsWith('zh') ? 'zh-CN' : 'en';
      const why = found === 'bought' ? 'bought' : 'closed';
      const error_message = deps.messages.text(`bots.order.${why}`, language);
      const answer = { pre_checkout_query_id: id, ok, ...(ok ? {} : { error_message }) };
      await calls.call('answerPreCheckoutQuery', answer, { repeatable: true });
    } catch (error) {
      log.error('telegram.preCheckoutNotAnswered', { ok, err: error });
    }
  }

  /** Stay connected: Telegram may be away for hours on a home line. */
  async function run(into: Inward): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      try {
        bot.botInfo ??= await bot.telegram.getMe();
        // Only now: what a group said before the crash is ours if it names us.
        if (!isFollowing) await into.open();
        isFollowing = true;
        await introduceQuietly();
        state = 'running';
        attempt = 0;
        log.info('telegram.running', { mode: config.webhook ? 'webhook' : 'polling' });
        if (config.webhook) return await openWebhook(config.webhook);
        await bot.launch({ allowedUpdates: allowedUpdates as never });
        if (stopping.signal.aborted) return;
      } catch (error) {
        const code = (error as { response?: { error_code?: number } }).response?.error_code;
        if (code === 401 || code === 404) {
          state = 'refused';
          log.error('telegram.tokenRefused', { code });
          return;
        }
        state = 'away';
        log.warn('telegram.away', { code: code ?? 'no answer' });
      }
      const pause = Math.min(reconnectMaxMs, reconnectMs * 2 ** attempt);
      await wait(pause, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** A refused description is no reason to stay away. */
  async function introduceQuietly(): Promise<void> {
    try {
      await introduce(calls, deps.messages);
    } catch (error) {
      if (!(error instanceof TelegramRefused)) throw error;
      log.warn('telegram.notIntroduced', { why: error.message });
    }
  }

  async function openWebhook({ url, secret }: { url: string; secret: string }): Promise<void> {
    const payload = { url, secret_token: secret, allowed_updates: allowedUpdates };
    await calls.call('setWebhook', payload, { repeatable: true });
  }

  return {
    name: () => bot.botInfo?.username ?? '',
    state: () => state,
    async start(into) {
      inward = into;
      running = run(into);
    },
    async receiveWebhook(secret, body) {
      if (!config.webhook || !isEqual(secret ?? '', config.webhook.secret)) return 403;
      const update = body as TelegramUpdate | null;
      // Not started yet: Telegram tells it again.
      if (!inward) return 503;
      if (!update || !Number.isSafeInteger(update.update_id)) return 400;
      await receive(update);
      return 200;
    },
    async stop() {
      state = 'stopped';
      stopping.abort();
      try {
        bot.stop('stop');
      } catch {
        // Not polling: nothing to end.
      }
      // telegraf's stop() returns at once; the launch promise resolves when the loop has ended.
      await Promise.race([running, wait(stopMs, undefined, { ref: false })]);
    },
  };
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
