import { Turns } from '../../src/bots/turns.js';
import { Gate } from '../contracts/queue.js';

test('one thing at a time per key, in order; other keys do not wait', async () => {
  const turns = new Turns();
  const gate = new Gate();
  const told: string[] = [];
  const say = (word: string, first?: Promise<void>) => async () => {
    told.push(`${word} begins`);
    await first;
    told.push(`${word} ends`);
  };
  const first = turns.take('anna', say('1', gate.opened));
  const second = turns.take('anna', say('2'));
  await turns.take('ben', say('b'));
  expect(told).toEqual(['1 begins', 'b begins', 'b ends']);
  gate.open();
  await first;
  // Asked for when one is through and another is not.
  await Promise.all([second, turns.take('anna', say('3'))]);
  expect(told.slice(3)).toEqual(['1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
  await turns.idle();
  expect(turns.busy).toBe(0);
});

test('who comes while the second one works waits for it', async () => {
  const turns = new Turns();
  const gate = new Gate();
  const told: string[] = [];
  await turns.take('anna', async () => {});
  const slow = turns.take('anna', async () => {
    told.push('slow begins');
    await gate.opened;
    told.push('slow ends');
  });
  // Whatever the first one's end tidied up, it must not have been this turn.
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
  const late = turns.take('anna', async () => void told.push('late'));
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
  expect(told).toEqual(['slow begins']);
  gate.open();
  await Promise.all([slow, late]);
  expect(told).toEqual(['slow begins', 'slow ends', 'late']);
});

test('a fault is its caller’s alone; the next one has its turn', async () => {
  const turns = new Turns();
  const fault = turns.take('anna', async () => {
    throw new Error('no');
  });
  const next = turns.take('anna', async () => 'yes');
  await expect(fault).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
