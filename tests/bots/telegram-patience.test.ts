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
