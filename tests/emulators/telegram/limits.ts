import { ApiError } from './types.js';

/** Telegram's published sending limits. */
export interface SendLimits {
  readonly perChatPerSecond: number;
  readonly perGroupPerMinute: number;
  readonly allPerSecond: number;
}

export const telegramLimits: SendLimits = {
  perChatPerSecond: 1,
  perGroupPerMinute: 20,
  allPerSecond: 30,
};

/**
 * Counts what the bot sends. Short bursts in one chat are tolerated, as by the real one: a chat
 * may be three messages ahead of its rate before it is told to wait.
 */
export class SendMeter {
  private readonly chats = new Map<number, number[]>();
  private all: number[] = [];
  /** Refusals so far; a polite bot has none. */
  refusals = 0;

  constructor(
    private readonly limits: SendLimits | undefined,
    private readonly now: () => number,
  ) {}

  /** @throws {ApiError} 429 with retry_after, seconds. */
  count(chatId: number, isGroup: boolean): void {
    const { limits } = this;
    if (!limits) return;
    const at = this.now();
    this.all = this.all.filter((t) => t > at - 1_000);
    const chat = (this.chats.get(chatId) ?? []).filter((t) => t > at - 60_000);
    this.chats.set(chatId, chat);
    if (this.all.length >= limits.allPerSecond) this.refuse(1);
    const recent = chat.filter((t) => t > at - 5_000).length;
    if (recent >= limits.perChatPerSecond * 5 + 3) this.refuse(3);
    if (isGroup && chat.length >= limits.perGroupPerMinute) this.refuse(10);
    this.all.push(at);
    chat.push(at);
  }

  private refuse(seconds: number): never {
    this.refusals += 1;
    throw new ApiError(429, `Too Many Requests: retry after ${seconds}`, seconds);
  }
}
