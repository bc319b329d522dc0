import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createOfferedChoices } from '../../src/bots/offered-choices.js';
import { createChatLog } from '../../src/storage/chat-store.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';

const hour = 3_600_000;
let dir: string;
let nowMs = 1_000_000;
let database: Database;
const clock = { now: () => nowMs };

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-choices-'));
  database = await openMigratedDatabase({ file: path.join(dir, 'chats.sqlite') }, clock);
});
afterAll(async () => {
  await database.close();
  rmSync(dir, { recursive: true, force: true });
});

const offered = [
  [{ label: '高清', intent: { kind: 'hd', photoId: 'ph_1' } as const }],
  [{ label: '付款页', url: 'https://pay.example/x' }],
  [{ label: '删除', intent: { kind: 'delete', photoId: 'ph_1' } as const }],
];

test('a number means what it stood for in the last offer, for a day', async () => {
  const choices = createOfferedChoices({ chatLog: createChatLog(database), clock }, 'wechat');
  expect(await choices.chosen('anna', 1)).toBeUndefined();
  await choices.offer('anna', offered);
  expect(await choices.chosen('anna', 1)).toMatchObject({ kind: 'hd', photoId: 'ph_1' });
  expect(await choices.chosen('anna', 2)).toEqual({ kind: 'delete', photoId: 'ph_1' });
  for (const number of [0, 3, -1]) expect(await choices.chosen('anna', number)).toBeUndefined();
  expect(await choices.chosen('ben', 1)).toBeUndefined();
  await choices.offer('anna', [[{ label: '帮助', intent: { kind: 'help' } }]]);
  await choices.offer('anna', []);
  expect(await choices.chosen('anna', 1)).toEqual({ kind: 'help' });
  nowMs += 24 * hour;
  expect(await choices.chosen('anna', 1)).toEqual({ kind: 'help' });
  nowMs += 1;
  expect(await choices.chosen('anna', 1)).toBeUndefined();
});
