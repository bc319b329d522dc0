import { PassThrough } from 'node:stream';
import { createLogger } from '../../src/cli/logger.js';
import { QueueAway } from '../../src/studio/errors/index.js';

function logged(terminal: boolean, level?: 'debug' | 'info') {
  const stream = new PassThrough();
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const logger = createLogger({ terminal, destination: stream, ...(level ? { level } : {}) });
  return { logger, text: () => text };
}

test('one JSON line per event, with its name, level and time', () => {
  const { logger, text } = logged(false);
  logger.debug('not.shown', {});
  logger.info('photo.ready', { photoId: 'ph_1' });
  const lines = text().trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    event: 'photo.ready',
    level: 'info',
    photoId: 'ph_1',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
});

test('tokens, chats, signatures and pay links never reach a log, however deep', () => {
  const { logger, text } = logged(false);
  logger.warn('x', {
    token: 'hush-1',
    request: { headers: { cookie: 'hush-2' }, authorization: 'hush-3' },
    customer: { chat: { chatId: 'hush-4', openid: 'hush-5' } },
    order: { payToken: 'hush-6', qr: 'hush-7' },
  });
  expect(text()).not.toContain('hush');
  expect(text()).toContain('[removed]');
});

test('errors are code and text; passwords in addresses are cut out', () => {
  const { logger, text } = logged(false);
  const cause = new Error('connect redis://user:hush@10.0.0.1:6379 failed');
  logger.error('queue.away', { error: new QueueAway(cause), cause });
  expect(text()).toContain('QUEUE_AWAY: the queue cannot be reached');
  expect(text()).toContain('//[removed]@10.0.0.1');
  expect(text()).not.toContain('hush');
  expect(text()).not.toContain('    at ');
});

test('a bug is logged with its stack, without what a driver hangs on it', () => {
  const { logger, text } = logged(false);
  const bug = new Error('insert into identities at postgres://shop:hush-1@db/x failed');
  Object.assign(bug, { code: '23505', detail: 'Key (user_id)=(hush-2) already exists.' });
  logger.error('web.failed', { reference: 'r', err: bug });
  const line = JSON.parse(text());
  expect(line.err.error).toMatch(/^23505: insert into identities at postgres:\/\/\[removed\]@db/);
  expect(line.err.stack).toMatch(/logger\.test/);
  expect(text()).not.toContain('hush');
});

test('on a terminal: lines for eyes, and only what matters', () => {
  const { logger, text } = logged(true);
  logger.info('serve.open', {});
  logger.warn('queue.away', { tries: 2 });
  expect(text()).not.toContain('serve.open');
  expect(text()).toContain('queue.away');
  expect(() => JSON.parse(text())).toThrow();
});
