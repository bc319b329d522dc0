import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createWechatPace } from '../../src/bots/wechat/wechat-pace.js';
import { createWechatSpool } from '../../src/bots/wechat/wechat-spool.js';
import { createChatLog } from '../../src/storage/chat-store.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import { limits } from '../../src/studio/limits.js';

const hour = 3_600_000;
/** Five minutes to midnight in Shanghai. */
const lateMs = Date.parse('2026-03-01T15:55:00Z');
let dir: string;
let nowMs: number;
let database: Database;
const clock = { now: () => nowMs };

beforeEach(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-wechat-'));
  nowMs = lateMs;
  database = await openMigratedDatabase({ file: path.join(dir, 'chats.sqlite') }, clock);
});
afterEach(async () => {
  await database.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('the account’s pace', () => {
  const open = (messagesPerDay: number, told: string[] = []) =>
    createWechatPace(
      { clock, chatLog: createChatLog(database), limitReached: (date) => told.push(date) },
      { minPauseMs: 0, maxPauseMs: 0, messagesPerDay, timeZone: 'Asia/Shanghai' },
    );

  test('a day has so many messages and no more, also after a restart; midnight is local', async () => {
    const told: string[] = [];
    const pace = open(3, told);
    for (let i = 0; i < 3; i += 1) await pace.turn();
    const used = { code: 'CHANNEL_AWAY', retryAfterMs: 5 * 60_000 };
    for (let i = 0; i < 2; i += 1) await expect(pace.turn()).rejects.toMatchObject(used);
    expect(told).toEqual(['2026-03-01']);
    await expect(open(3).turn()).rejects.toMatchObject(used);
    nowMs += 5 * 60_000;
    for (let i = 0; i < 3; i += 1) await pace.turn();
    await expect(pace.turn()).rejects.toMatchObject({ retryAfterMs: 24 * hour });
    expect(told).toEqual(['2026-03-01', '2026-03-02']);
  });

  test('without a limit nothing is counted out', async () => {
    const pace = open(0);
    for (let i = 0; i < 5; i += 1) await pace.turn();
  });
});

describe('pictures between a message and the intake', () => {
  const spool = () => createWechatSpool({ clock }, path.join(dir, 'spool'));
  const bytesOf = (text: string) => Readable.from([Buffer.from(text)]);

  test('what was saved can be taken, twice too, until its time is over', async () => {
    nowMs = Date.now();
    const { fileRef, bytes } = await spool().save('message 1', bytesOf('old photo'));
    expect(bytes).toBe(9);
    const file = path.join(dir, 'taken.jpg');
    for (let i = 0; i < 2; i += 1) {
      await spool().take(fileRef, file);
      expect(readFileSync(file, 'utf8')).toBe('old photo');
    }
    await spool().clean();
    await spool().take(fileRef, file);
    nowMs += hour + 1_000;
    await spool().clean();
    await expect(spool().take(fileRef, file)).rejects.toMatchObject({
      ...{ code: 'PHOTO_UNREADABLE', params: { reason: 'gone' } },
    });
  });

  test('what nobody has come for yet is kept for two days', async () => {
    nowMs = Date.now();
    const { fileRef } = await spool().save('message 1', bytesOf('old photo'));
    nowMs += 47 * hour;
    await spool().clean();
    await spool().take(fileRef, path.join(dir, 'taken.jpg'));
    await spool().save('message 2', bytesOf('refused'));
    nowMs += 49 * hour;
    await spool().clean();
    expect(readdirSync(path.join(dir, 'spool'))).toEqual([]);
  });

  test('a picture larger than any photo may be is refused and leaves nothing', async () => {
    const part = Buffer.alloc(8 << 20);
    const count = Math.ceil(limits.photo.uploadBytes / part.length) + 1;
    const endless = Readable.from(Array.from({ length: count }, () => part));
    await expect(spool().save('message 1', endless)).rejects.toMatchObject({
      code: 'PHOTO_FILE_TOO_LARGE',
    });
    expect(readdirSync(path.join(dir, 'spool'))).toEqual([]);
  });

  test.each(['../secret', 'a/../../secret', '', 'A'.repeat(32)])(
    'a reference like %j is nobody’s picture',
    async (fileRef) => {
      await spool().save('message 1', bytesOf('old photo'));
      writeFileSync(path.join(dir, 'secret'), 'secret');
      const file = path.join(dir, 'taken.jpg');
      await expect(spool().take(fileRef, file)).rejects.toMatchObject({
        message: expect.stringContaining('not a file of ours'),
      });
      expect(existsSync(file)).toBe(false);
      expect(readFileSync(path.join(dir, 'secret'), 'utf8')).toBe('secret');
    },
  );
});
