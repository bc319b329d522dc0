import { setTimeout as wait } from 'node:timers/promises';
import { Telegram } from 'telegraf';
import { ChannelAway, CustomerUnreachable, StudioError } from '../../studio/errors/index.js';
import { RoomClosed } from '../room-closed.js';
import type { SendPace } from '../send-pace.js';
import { callWithin } from './telegram-deadline.js';
import { isHarmless, readFault, type TelegramFault, verdictOf } from './telegram-fault.js';
import type { TelegramMoves } from './telegram-moves.js';

/** Which bot, at which server. */
export interface TelegramAccess {
  readonly token: string;
  /** Default https://api.telegram.org; a self-hosted Bot API server lifts the file limits. */
  readonly apiRoot?: string;
}

const attemptsMax = 4;
const firstBackoffMs = 300;
/** Longer waits are not waited for in place: whoever called comes back. */
const waitInPlaceMs = 5_000;

/** What the Bot API refused; `edit` decides to send anew on some of them. */
export class TelegramRefused extends StudioError {
  constructor(
    readonly method: string,
    readonly status: number,
    readonly description: string,
  ) {
    const message = `${method}: ${status} ${description}`;
    super('TELEGRAM_REFUSED', 'channel.unreachable', 'never', message);
  }
}

/** One call's circumstances. */
export interface CallOptions {
  /** Paced as messages into it; absent: no message. */
  readonly chat?: { readonly id: string; readonly isGroup: boolean };
  /** Repeated although it may have arrived. */
  readonly repeatable?: boolean;
  /** Default: what the payload takes on a slow line. */
  readonly deadlineMs?: number;
  /** Default 4. */
  readonly attempts?: number;
}

/** The Bot API at its pace. */
export interface TelegramCalls {
  /**
   * Call with waiting for the pace, honouring retry_after, and repeating what surely did not
   * arrive. A lost connection may have delivered: those are repeated only with `repeatable`.
   * @throws {ChannelAway | CustomerUnreachable | RoomClosed | TelegramRefused}
   */
  call<T>(method: string, payload: object, options?: CallOptions): Promise<T>;
  readonly telegram: Telegram;
}

/** Bot API calls through telegraf, with what it leaves to its users. */
export function createTelegramCalls(
  access: TelegramAccess,
  pace: SendPace,
  moves?: Pick<TelegramMoves, 'learn'>,
): TelegramCalls {
  const telegram = new Telegram(access.token, {
    webhookReply: false,
    ...(access.apiRoot ? { apiRoot: access.apiRoot } : {}),
  });

  async function once<T>(method: string, payload: object, options: CallOptions): Promise<T> {
    const { deadlineMs: ms } = options;
    await turn(pace, options);
    const limit = ms === undefined ? {} : { ms };
    const result = await callWithin<T>(telegram, method, payload, limit);
    if (options.chat) pace.wentThrough();
    return result;
  }

  /** The group became a supergroup: what was to go there goes to its new id. */
  async function moved(payload: object, to: string): Promise<object> {
    const { chat_id: from } = payload as { chat_id?: number | string };
    if (from !== undefined) await moves?.learn(String(from), to);
    return { ...payload, chat_id: to };
  }

  return {
    telegram,
    async call<T>(method: string, payload: object, options: CallOptions = {}): Promise<T> {
      let content = payload;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once<T>(method, content, options);
        } catch (error) {
          if (error instanceof ChannelAway) throw error;
          const fault = readFault(error);
          if (isHarmless(fault)) return undefined as T;
          if (fault.movedTo && attempt < attemptsMax) content = await moved(content, fault.movedTo);
          else await wait(pauseAfter(pace, method, fault, attempt, options));
        }
      }
    },
  };
}

/** Wait for the pace, unless the chat was asked to rest for long. @throws {ChannelAway} */
async function turn(pace: SendPace, { chat }: CallOptions): Promise<void> {
  if (!chat) return;
  const restMs = pace.restMs(chat.id);
  if (restMs > waitInPlaceMs) throw new ChannelAway('telegram', restMs);
  await pace.turn(chat.id, chat.isGroup);
}

/**
 * What a fault means.
 * @returns how long to wait before the next attempt, ms.
 * @throws {ChannelAway | CustomerUnreachable | RoomClosed | TelegramRefused}
 */
function pauseAfter(
  pace: SendPace,
  method: string,
  fault: TelegramFault,
  attempt: number,
  { chat, repeatable, attempts = attemptsMax }: CallOptions,
): number {
  const { retryAfterMs, code = 0, description } = fault;
  const verdict = verdictOf(fault);
  if (verdict === 'gone') throw new CustomerUnreachable('telegram');
  if (verdict === 'closed' && chat?.isGroup) throw new RoomClosed('telegram');
  if (verdict === 'closed' || verdict === 'refused')
    throw new TelegramRefused(method, code, description);
  if (retryAfterMs !== undefined && chat) pace.pause(retryAfterMs, chat.id);
  const again = verdict === 'later' || repeatable === true;
  const isLong = (retryAfterMs ?? 0) > waitInPlaceMs;
  if (!again || isLong || attempt >= attempts) throw new ChannelAway('telegram', retryAfterMs);
  return retryAfterMs ?? firstBackoffMs * 2 ** (attempt - 1);
}
