import { setTimeout as wait } from 'node:timers/promises';
import { Telegram } from 'telegraf';
import { ChannelAway, CustomerUnreachable, StudioError } from '../../studio/errors/index.js';
import type { SendPace } from '../send-pace.js';

/** Which bot, at which server. */
export interface TelegramAccess {
  readonly token: string;
  /** Default https://api.telegram.org; a self-hosted Bot API server lifts the file limits. */
  readonly apiRoot?: string;
}

/** 400s that mean "already so", not "wrong". */
const harmless = ['message is not modified', 'query is too old', 'message to delete not found'];
/** 400s about chats that are no more: as good as a 403. */
const gone = ['chat not found', 'upgraded to a supergroup', 'PEER_ID_INVALID'];
const attempts = 4;
const firstBackoffMs = 300;

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

/** The Bot API at its pace. */
export interface TelegramCalls {
  /**
   * Call with waiting for the pace, honouring retry_after, and repeating what surely did not
   * arrive. A lost connection may have delivered: those are repeated only with `repeatable`.
   * @throws {ChannelAway | CustomerUnreachable | TelegramRefused}
   */
  call<T>(
    method: string,
    payload: object,
    options?: { chat?: { id: string; isGroup: boolean }; repeatable?: boolean },
  ): Promise<T>;
  readonly telegram: Telegram;
}

/** Bot API calls through telegraf, with what it leaves to its users. */
export function createTelegramCalls(access: TelegramAccess, pace: SendPace): TelegramCalls {
  const telegram = new Telegram(access.token, {
    webhookReply: false,
    ...(access.apiRoot ? { apiRoot: access.apiRoot } : {}),
  });
  return {
    telegram,
    async call<T>(
      method: string,
      payload: object,
      options: { chat?: { id: string; isGroup: boolean }; repeatable?: boolean } = {},
    ): Promise<T> {
      for (let attempt = 1; ; attempt += 1) {
        if (options.chat) await pace.turn(options.chat.id, options.chat.isGroup);
        try {
          return (await telegram.callApi(method as never, payload as never)) as T;
        } catch (error) {
          const fault = read(error);
          if (fault.code === 400 && harmless.some((text) => fault.description.includes(text)))
            return undefined as T;
          const isGone =
            fault.code === 403 || gone.some((text) => fault.description.includes(text));
          if (isGone) throw new CustomerUnreachable('telegram');
          if (fault.retryAfterMs !== undefined) pace.pause(fault.retryAfterMs);
          // No code: the connection broke, and the message may be there already.
          const surelyNot = fault.code === 429 || (fault.code ?? 0) >= 500;
          const again = surelyNot || (fault.code === undefined && options.repeatable === true);
          if (fault.code !== undefined && !surelyNot)
            throw new TelegramRefused(method, fault.code, fault.description);
          if (!again || attempt >= attempts) throw new ChannelAway('telegram', fault.retryAfterMs);
          await wait(fault.retryAfterMs ?? firstBackoffMs * 2 ** (attempt - 1));
        }
      }
    },
  };
}

/** telegraf's errors hold the request's address, and with it the token: only this gets out. */
function read(error: unknown): { code?: number; description: string; retryAfterMs?: number } {
  const answer = (
    error as {
      response?: {
        error_code?: number;
        description?: string;
        parameters?: { retry_after?: number };
      };
    }
  ).response;
  const retryAfter = answer?.parameters?.retry_after;
  return {
    code: answer?.error_code,
    description: answer?.description ?? '',
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter * 1_000 }),
  };
}
