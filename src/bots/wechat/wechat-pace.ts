import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ChannelAway } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import { Turns } from '../turns.js';

/** How fast and how much the account writes. */
export interface WechatPaceConfig {
  /** A random pause in these bounds lies between two messages of the account. */
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
  /** Messages the account sends in one day; 0: no limit. */
  readonly messagesPerDay: number;
  /** IANA name; the day begins at midnight here. */
  readonly timeZone: string;
}

/** The account's typing speed and day. */
export interface WechatPace {
  /**
   * Wait until the account may say one more thing, and count it.
   * @throws {ChannelAway} the day's messages are used up; `retryAfterMs` leads to midnight.
   */
  turn(): Promise<void>;
}

interface Day {
  readonly date: string;
  readonly sent: number;
}

/** One account types at a person's speed, and no more in a day than a person would. */
export function createWechatPace(
  deps: { clock: Clock; chatLog: ChatLog; limitReached: (date: string) => void },
  config: WechatPaceConfig,
): WechatPace {
  const { clock, chatLog } = deps;
  const turns = new Turns();
  let nextMs = 0;
  let toldDate = '';

  async function count(): Promise<void> {
    const { date, leftMs } = dayAt(clock.now(), config.timeZone);
    const known = await chatLog.state<Day>('wechat', 'account', 'day');
    const sent = known?.date === date ? known.sent : 0;
    if (config.messagesPerDay > 0 && sent >= config.messagesPerDay) {
      if (toldDate !== date) deps.limitReached(date);
      toldDate = date;
      throw new ChannelAway('wechat', leftMs);
    }
    await chatLog.setState('wechat', 'account', 'day', { date, sent: sent + 1 } satisfies Day);
  }

  return {
    turn: () =>
      turns.take('account', async () => {
        await count();
        const now = clock.now();
        const at = Math.max(now, nextMs);
        nextMs = at + randomInt(config.minPauseMs, config.maxPauseMs + 1);
        if (at > now) await wait(at - now);
      }),
  };
}

/** @returns the date there, and the time until it ends, ms. */
function dayAt(nowMs: number, timeZone: string): { date: string; leftMs: number } {
  const format = new Intl.DateTimeFormat('sv-SE', {
    ...{ timeZone, dateStyle: 'short', timeStyle: 'medium' },
  });
  const [date = '', time = '0:0:0'] = format.format(nowMs).split(' ');
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  const leftMs = 86_400_000 - ((hours * 60 + minutes) * 60 + seconds) * 1_000;
  return { date, leftMs };
}
