import { SendPace, telegramPace } from '../../src/bots/send-pace.js';
import { Patience } from '../../src/bots/telegram/telegram-patience.js';

const answer = (error_code: number, parameters = {}) => ({ response: { error_code, parameters } });

describe('pauses between tries to connect', () => {
  test.each([401, 404, 409])('%i: longer each time, to five minutes', (code) => {
    const patience = new Patience();
    const pauses = Array.from({ length: 9 }, () => patience.after(answer(code)).pauseMs);
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300].map((s) => s * 1_000));
    patience.reset();
    expect(patience.after(answer(code)).pauseMs).toBe(5_000);
  });

  test('a line that is away is looked for often, and a server that asks to wait is heard', () => {
    const patience = new Patience();
    const pauses = Array.from({ length: 5 }, () => patience.after(new Error('reset')).pauseMs);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    const told = patience.after(answer(429, { retry_after: 17 }));
    expect(told).toEqual({ absence: 'away', code: 429, pauseMs: 17_000 });
  });
});

describe('told to wait', () => {
  const at = 1_000_000;
  const paceAt = () => new SendPace({ now: () => at }, telegramPace);

  test('the limit is the chat\u2019s own, until several in a row have it', async () => {
    const pace = paceAt();
    pace.pause(30_000, 'a');
    expect([pace.restMs('a'), pace.restMs('b')]).toEqual([30_000, 0]);
    await pace.turn('b', false);
    pace.pause(30_000, 'b');
    pace.wentThrough();
    pace.pause(30_000, 'c');
    pace.pause(30_000, 'd');
    await pace.turn('e', false);
  });

  test('three refused with no success between share one limit', async () => {
    let now = at;
    const pace = new SendPace({ now: () => now }, telegramPace);
    for (const chat of ['a', 'b', 'c']) pace.pause(200, chat);
    let isThrough = false;
    const turn = pace.turn('other', false).then(() => {
      isThrough = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isThrough).toBe(false);
    now += 200;
    await turn;
    expect(isThrough).toBe(true);
  });
});
