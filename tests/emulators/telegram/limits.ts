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
  /** What was refused, for failures. */
  readonly reasons: string[] = [];
  private lastTickMs: number;
  private heldUpUntilMs = 0;
  private readonly ticker: NodeJS.Timeout;

  constructor(
    private readonly limits: SendLimits | undefined,
    private readonly now: () => number,
  ) {
    this.lastTickMs = Date.now();
    this.ticker = setInterval(() => this.tick(), 20);
    this.ticker.unref();
  }

  /**
   * A process that was held up sees late arrivals all at once: for the next second it cannot tell
   * how fast they were sent.
   */
  private tick(): void {
    const at = Date.now();
    if (at - this.lastTickMs > 120) this.heldUpUntilMs = at + 1_200;
    this.lastTickMs = at;
  }

  /** @throws {ApiError} 429 with retry_after, seconds. */
  count(chatId: number, isGroup: boolean): void {
    const { limits } = this;
    if (!limits) return;
    const at = this.now();
    this.all = this.all.filter((t) => t > at - 1_000);
    const chat = (this.chats.get(chatId) ?? []).filter((t) => t > at - 60_000);
    this.chats.set(chatId, chat);
    if (this.all.length >= limits.allPerSecond && this.canTell())
      this.refuse(1, `all: ${this.all.length} in a second`);
    const recent = chat.filter((t) => t > at - 5_000).length;
    if (recent >= limits.perChatPerSecond * 5 + 3)
      this.refuse(3, `chat ${chatId}: ${recent} in five seconds`);
    if (isGroup && chat.length >= limits.perGroupPerMinute)
      this.refuse(10, `group ${chatId}: ${chat.length} in a minute`);
    this.all.push(at);
    chat.push(at);
  }

  private canTell(): boolean {
    this.tick();
    return Date.now() > this.heldUpUntilMs;
  }

  private refuse(seconds: number, reason: string): never {
    this.reasons.push(reason);
    this.refusals += 1;
    throw new ApiError(429, `Too Many Requests: retry after ${seconds}`, seconds);
  }
}
