import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../studio/ports/basics.js';

export interface PaceLimits {
  /** Messages per second in all. */
  readonly allPerSecond: number;
  /** Milliseconds between two messages into one chat, after a small burst. */
  readonly chatIntervalMs: number;
  /** Messages that one chat may get ahead of its pace. */
  readonly chatBurst: number;
  readonly groupPerMinute: number;
}

/** Telegram: about 1 message a second per chat, 30 a second in all, 20 a minute per group. */
export const telegramPace: PaceLimits = {
  allPerSecond: 28,
  chatIntervalMs: 1_050,
  chatBurst: 2,
  groupPerMinute: 18,
};

/** Virtual-scheduling token buckets (GCRA): one number per chat, the theoretical arrival time. */
export class SendPace {
  private readonly chats = new Map<string, number>();
  private readonly groups = new Map<string, number>();
  private allAtMs = 0;
  private pausedUntilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: PaceLimits,
  ) {}

  /** Wait for this chat's and everybody's turn. */
  async turn(chatId: string, isGroup: boolean): Promise<void> {
    const { limits } = this;
    const now = this.clock.now();
    const all = 1_000 / limits.allPerSecond;
    // Half a second's worth may go at once; then evenly.
    const allAt = reserve(this.allAtMs, now, all, Math.floor(limits.allPerSecond / 2));
    this.allAtMs = allAt.next;
    const chat = reserve(this.chats.get(chatId) ?? 0, now, limits.chatIntervalMs, limits.chatBurst);
    this.chats.set(chatId, chat.next);
    let at = Math.max(allAt.at, chat.at, this.pausedUntilMs);
    if (isGroup) {
      const interval = 60_000 / limits.groupPerMinute;
      const group = reserve(this.groups.get(chatId) ?? 0, now, interval, 4);
      this.groups.set(chatId, group.next);
      at = Math.max(at, group.at);
    }
    if (this.chats.size > 10_000) this.forget(now);
    if (at > now) await wait(at - now);
  }

  /** The server said how long to wait: nobody sends before. */
  pause(ms: number): void {
    this.pausedUntilMs = Math.max(this.pausedUntilMs, this.clock.now() + ms);
  }

  private forget(now: number): void {
    for (const buckets of [this.chats, this.groups])
      for (const [chat, next] of buckets) if (next < now) buckets.delete(chat);
  }
}

/** @returns when the next may go, and the bucket's new theoretical arrival time. */
function reserve(tat: number, now: number, interval: number, burst: number) {
  const base = Math.max(tat, now);
  return { at: base - interval * burst, next: base + interval };
}
