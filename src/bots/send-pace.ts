import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../studio/ports/basics.js';

/** How fast a channel takes messages. */
export interface PaceLimits {
  /** Messages per second in all. */
  readonly allPerSecond: number;
  /** How many may go at once. */
  readonly allBurst: number;
  /** Milliseconds between two messages into one chat, after a small burst. */
  readonly chatIntervalMs: number;
  /** Messages that one chat may get ahead of its pace. */
  readonly chatBurst: number;
  readonly groupPerMinute: number;
  readonly groupBurst: number;
}

/**
 * Telegram: about 1 message a second per chat, 30 a second in all, 20 a minute per group. A burst
 * and the even flow after it must fit into one such window together, with room for late timers.
 */
export const telegramPace: PaceLimits = {
  allPerSecond: 23,
  allBurst: 3,
  chatIntervalMs: 1_050,
  chatBurst: 2,
  groupPerMinute: 14,
  groupBurst: 4,
};

/** A second, with room for the way to the server. */
const windowMs = 1_050;
/** So many chats refused with no success between them: the limit is everybody's. */
const refusedInARow = 3;

/** Virtual-scheduling token buckets (GCRA): one number per chat, the theoretical arrival time. */
export class SendPace {
  private readonly chats = new Map<string, number>();
  private readonly groups = new Map<string, number>();
  private readonly sentMs: number[] = [];
  private allAtMs = 0;
  private pausedUntilMs = 0;
  private readonly chatPaused = new Map<string, number>();
  /** Chats refused since something last went through. */
  private readonly refused = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: PaceLimits,
  ) {}

  /** Wait for this chat's and everybody's turn. */
  async turn(chatId: string, isGroup: boolean): Promise<void> {
    const { limits } = this;
    const now = this.clock.now();
    const all = 1_000 / limits.allPerSecond;
    const allAt = reserve(this.allAtMs, now, all, limits.allBurst);
    this.allAtMs = allAt.next;
    const chat = reserve(this.chats.get(chatId) ?? 0, now, limits.chatIntervalMs, limits.chatBurst);
    this.chats.set(chatId, chat.next);
    let at = Math.max(allAt.at, chat.at, this.pausedUntilMs);
    if (isGroup) {
      const interval = 60_000 / limits.groupPerMinute;
      const group = reserve(this.groups.get(chatId) ?? 0, now, interval, limits.groupBurst);
      this.groups.set(chatId, group.next);
      at = Math.max(at, group.at);
    }
    if (this.chats.size > 10_000) this.forget(now);
    if (at > now) await wait(at - now);
    await this.untilRested(chatId);
    await this.untilRoom();
  }

  /** Pauses that began while this chat waited for its turn count as well. */
  private async untilRested(chatId: string): Promise<void> {
    for (;;) {
      const now = this.clock.now();
      const until = Math.max(this.pausedUntilMs, this.chatPaused.get(chatId) ?? 0);
      if (until <= now) return;
      await wait(until - now);
    }
  }

  /** Timers that were held up fire together: count what was really sent in the last second. */
  private async untilRoom(): Promise<void> {
    const most = this.limits.allPerSecond + this.limits.allBurst;
    for (;;) {
      const now = this.clock.now();
      while ((this.sentMs[0] ?? now) <= now - windowMs) this.sentMs.shift();
      if (this.sentMs.length < most) break;
      await wait((this.sentMs[0] ?? now) + windowMs - now);
    }
    this.sentMs.push(this.clock.now());
  }

  /** How long this chat, by the server's word, gets nothing yet, ms. */
  restMs(chatId: string): number {
    return Math.max(0, (this.chatPaused.get(chatId) ?? 0) - this.clock.now());
  }

  /**
   * The server said how long to wait, but not whose limit it is: at first it is this chat's own,
   * and others go on. Several chats refused in a row share one limit: then nobody sends before.
   * @param chatId absent: the limit is everybody's.
   */
  pause(ms: number, chatId?: string): void {
    const until = this.clock.now() + ms;
    if (chatId !== undefined) {
      this.chatPaused.set(chatId, Math.max(this.chatPaused.get(chatId) ?? 0, until));
      this.refused.add(chatId);
      if (this.refused.size < refusedInARow) return;
    }
    this.pausedUntilMs = Math.max(this.pausedUntilMs, until);
  }

  /** A message went through: there is no limit of everybody's. */
  wentThrough(): void {
    this.refused.clear();
  }

  private forget(now: number): void {
    for (const buckets of [this.chats, this.groups, this.chatPaused])
      for (const [chat, next] of buckets) if (next < now) buckets.delete(chat);
  }
}

/** @returns when the next may go, and the bucket's new theoretical arrival time. */
function reserve(tat: number, now: number, interval: number, burst: number) {
  const base = Math.max(tat, now);
  return { at: base - interval * burst, next: base + interval };
}
