import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AlbumRules, IncomingAlbum } from '../../src/bots/album-rules.js';
import { createIncomingAlbums } from '../../src/bots/incoming-albums.js';
import { createChatLog } from '../../src/storage/chat-store.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import { ChannelAway } from '../../src/studio/errors/index.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { until } from '../support/until.js';

const rules: AlbumRules = {
  ...{ quietMs: 60, gatherMaxMs: 5_000, betweenMs: 200 },
  ...{ batchPhotos: 10, marksGroups: true },
};
let dir: string;
let database: Database;
let chats = 0;

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-albums-'));
  database = await openMigratedDatabase({ file: path.join(dir, 'studio.db') }, wallClock);
});
afterAll(async () => {
  await database.close();
  rmSync(dir, { recursive: true, force: true });
});

/** One life of a process: what it was handed, and the faults it meets while handing over. */
function life(faults: unknown[] = []) {
  const handed: string[][] = [];
  const follows: boolean[] = [];
  const closed: string[] = [];
  const log = keepingLogger();
  const chatLog = createChatLog(database);
  const albums = createIncomingAlbums(
    { chatLog, clock: wallClock, log },
    { channel: 'telegram', ...rules },
    {
      async photos(album: IncomingAlbum) {
        const fault = faults.shift();
        if (fault) throw fault;
        handed.push(album.photos.map((one) => one.key));
        follows.push(album.follows);
      },
      closed: async ({ albumId }) => void closed.push(albumId),
    },
  );
  return { albums, handed, follows, closed, log };
}
const sender = (chatId: string, userId = chatId, isGroup = false) => ({ chatId, userId, isGroup });
const chat = () => sender(`chat-${++chats}`);
const arrival = (key: string, groupId?: string, sentMs = 1_000) => ({
  ...{ photo: { fileRef: key, key, compressed: true }, sentMs },
  ...(groupId ? { groupId } : {}),
});

test('what was collected before a crash is handed over by the next process, once', async () => {
  const who = chat();
  // The first process never gets as far as handing over.
  const first = life(Array.from({ length: 50 }, () => new ChannelAway('telegram')));
  for (const key of ['a', 'b', 'c']) await first.albums.add(who, arrival(key, 'g'));
  const second = life();
  await second.albums.start();
  await until(() => second.handed.length > 0);
  // The last update is told again: it is part of what was handed over.
  await second.albums.add(who, arrival('c', 'g'));
  await until(() => first.closed.length + second.closed.length > 0);
  expect(second.handed).toEqual([['a', 'b', 'c']]);
  await Promise.all([first.albums.stop(), second.albums.stop()]);
});

test('what could not be handed over is tried again, and says why', async () => {
  const who = chat();
  const { albums, handed, log } = life([new ChannelAway('telegram')]);
  for (const key of ['a', 'b']) await albums.add(who, arrival(key, 'g'));
  await until(() => handed.length > 0);
  expect(handed).toEqual([['a', 'b']]);
  expect(log.lines.map((line) => line.event)).toEqual(['chat.albumNotHandled']);
  await albums.stop();
});

test('a photo on its own is handed over before anything is waited for', async () => {
  const who = chat();
  const { albums, handed } = life();
  await albums.add(who, arrival('alone'));
  expect(handed).toEqual([['alone']]);
  await albums.stop();
});

test('the photo after a full album begins the next one, and is called that', async () => {
  const who = chat();
  const { albums, handed, follows, closed } = life();
  for (let i = 0; i < 55; i++)
    await albums.add(who, arrival(`p${i}`, `g${Math.floor(i / 10)}`, 1_000 + i));
  await albums.stop();
  expect(handed.map((keys) => keys.length)).toEqual([50, 5]);
  expect(follows).toEqual([false, true]);
  expect(closed).toHaveLength(1);
  expect(new Set(handed.flat()).size).toBe(55);
});

test('in a group everybody has an album of their own', async () => {
  const group = `group-${++chats}`;
  const { albums, handed } = life();
  for (const key of ['1', '2', '3'])
    for (const person of ['anna', 'ben'])
      await albums.add(sender(group, person, true), arrival(`${person}${key}`, `g-${person}`));
  await until(() => handed.length === 2);
  expect(handed.map((keys) => keys.join(' ')).sort()).toEqual([
    'anna1 anna2 anna3',
    'ben1 ben2 ben3',
  ]);
  await albums.stop();
});

test('a photo that is told twice before it is handed over is one photo', async () => {
  const who = chat();
  const { albums, handed } = life();
  for (const key of ['a', 'b', 'a']) await albums.add(who, arrival(key, 'g'));
  await albums.stop();
  expect(handed).toEqual([['a', 'b']]);
});

test('stopping hands over what waits', async () => {
  const who = chat();
  const { albums, handed } = life();
  await albums.add(who, arrival('a', 'g'));
  await albums.stop();
  expect(handed).toEqual([['a']]);
  expect(await albums.current(who)).toMatchObject({ taken: ['a'], photos: [] });
});
