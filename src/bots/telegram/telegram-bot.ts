import assert from 'node:assert';
import { timingSafeEqual } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger, Messages } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { Inward } from '../door.js';
import type { TelegramAccess, TelegramCalls } from './telegram-client.js';
import { callWithin } from './telegram-deadline.js';
import { Patience } from './telegram-patience.js';
import { followUpdates, type PollingConfig } from './telegram-polling.js';
import { answerPreCheckout } from './telegram-pre-checkout.js';
import { introduce } from './telegram-profile.js';
import type { TelegramUpdate } from './telegram-update.js';

const allowedUpdates = ['message', 'callback_query', 'pre_checkout_query', 'my_chat_member'];
const stopMs = 8_000;
const noop = () => {};
/** A poll is held as long as home routers keep a silent connection. */
const polling: PollingConfig = { holdMs: 25_000, graceMs: 15_000 };

/** The bot, and how its updates come. */
export interface TelegramBotConfig extends TelegramAccess {
  /** Where Telegram reaches us; absent: long polling, which needs no public address. */
  readonly webhook?: { readonly url: string; readonly secret: string };
}

/** What the operator should hear: the token is refused, is taken again, or another program has it. */
export type TelegramAlert = 'refused' | 'back' | 'conflict';

/** Who the bot is, and what it may see. */
export interface TelegramSelf {
  readonly id: number;
  readonly username?: string;
  /** Privacy mode is off: in groups it sees what is not addressed to it. */
  readonly can_read_all_group_messages?: boolean;
}

/** The inbound side of the Bot API. */
export interface TelegramBot {
  /** Connects in the background and stays connected, whatever Telegram answers. */
  start(inward: Inward): Promise<void>;
  /** Answers one webhook call. @returns HTTP status. */
  receiveWebhook(secret: string | undefined, body: unknown): Promise<number>;
  stop(): Promise<void>;
  /** @username without @, once connected. */
  readonly name: () => string;
  /** Known once connected. */
  readonly self: () => TelegramSelf | undefined;
  /** For /readyz. */
  readonly state: () => 'starting' | 'running' | 'away' | 'refused' | 'conflict' | 'stopped';
}

/** What a bot works with. */
export interface TelegramBotDeps {
  readonly calls: TelegramCalls;
  readonly studio: Pick<Studio, 'approvePreCheckout'>;
  readonly chatLog: ChatLog;
  readonly messages: Messages;
  readonly log: Logger;
  readonly alert: (what: TelegramAlert) => void;
  /** Chat within which updates are kept in order. */
  readonly chatKeyOf: (update: TelegramUpdate) => string;
}

/** Receives updates: each is written down before anything else happens. */
export function createTelegramBot(deps: TelegramBotDeps, config: TelegramBotConfig): TelegramBot {
  const { calls, log, alert, chatKeyOf } = deps;
  const { telegram } = calls;
  const stopping = new AbortController();
  const { signal } = stopping;
  const patience = new Patience();
  const offset = { next: 0 };
  let self: TelegramSelf | undefined;
  let state: ReturnType<TelegramBot['state']> = 'starting';
  let running: Promise<void> | undefined;
  let introducing: Promise<void> | undefined;
  let inward: Inward | undefined;
  let isFollowing = false;
  /** Told of trouble, and not yet of its end. */
  let alerted = false;
  let connectedMs = 0;
  /** Left by another run: polls are refused while there is one, which is soon noticed. */
  let mayHaveWebhook = true;

  async function receive(update: TelegramUpdate): Promise<void> {
    // Ten seconds, or Telegram cancels the sale: answered from the database, before anything else.
    if (update.pre_checkout_query) return answerPreCheckout(deps, update.pre_checkout_query);
    assert(inward);
    const key = String(update.update_id);
    await inward.receive({ key, chatKey: chatKeyOf(update), payload: update });
  }

  async function connect(into: Inward): Promise<void> {
    self ??= await callWithin<TelegramSelf>(telegram, 'getMe', {}, { signal });
    // Only now: what a group said before the crash is ours if it names us.
    if (!isFollowing) await into.open();
    isFollowing = true;
    introducing ??= introduce(deps, self.id, signal).catch((error) => {
      log.error('telegram.notIntroduced', { err: error });
    });
    if (config.webhook) await setWebhook(config.webhook);
    else if (mayHaveWebhook)
      await callWithin(telegram, 'deleteWebhook', {}, { signal }).catch(noop);
    mayHaveWebhook = false;
  }

  async function setWebhook({ url, secret }: { url: string; secret: string }): Promise<void> {
    const payload = { url, secret_token: secret, allowed_updates: allowedUpdates };
    await callWithin(telegram, 'setWebhook', payload, { signal });
  }

  function connected(): void {
    const now = performance.now();
    if (state !== 'running') {
      connectedMs = now;
      log.info('telegram.running', { mode: config.webhook ? 'webhook' : 'polling' });
      if (alerted) alert('back');
      alerted = false;
    }
    state = 'running';
    // Who takes turns with another program is let in for a moment each time.
    if (now - connectedMs > polling.holdMs) patience.reset();
  }

  async function live(into: Inward): Promise<void> {
    await connect(into);
    if (config.webhook) return connected();
    const follow = { ...polling, allowedUpdates };
    await followUpdates(telegram, offset, follow, { answered: connected, receive }, signal);
  }

  /** Stay connected: Telegram may be away for hours on a home line. */
  async function run(into: Inward): Promise<void> {
    while (!signal.aborted) {
      try {
        return await live(into);
      } catch (error) {
        if (signal.aborted) return;
        const { absence, code, pauseMs } = patience.after(error);
        state = absence;
        mayHaveWebhook = absence === 'conflict';
        if (absence === 'away') log.warn('telegram.away', { code: code ?? 'no answer' });
        else reportTrouble(absence, code);
        await wait(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  function reportTrouble(absence: 'refused' | 'conflict', code: number | undefined): void {
    if (absence === 'refused') log.error('telegram.tokenRefused', { code });
    else log.warn('telegram.away', { code });
    if (!alerted) alert(absence);
    alerted = true;
  }

  return {
    name: () => self?.username ?? '',
    self: () => self,
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
      const ended = Promise.all([running, introducing]);
      await Promise.race([ended, wait(stopMs, undefined, { ref: false })]);
    },
  };
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
