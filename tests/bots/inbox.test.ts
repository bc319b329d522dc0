import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInbox, type Inbox } from '../../src/bots/inbox.js';
import { createChatLog } from '../../src/storage/chat-store.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import { ChannelAway } from '../../src/studio/errors/index.js';
import type { ChatLog, ChatUpdate } from '../../src/studio/ports/chat-log.js';
import { Gate } from '../contracts/queue.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { until } from '../support/until.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-inbox-'));
const log = keepingLogger();
let files = 0;
let database: Database;
let chatLog: ChatLog;
let inbox: Inbox;
/** What was handled, in this order. */
let handled: string[];
/** What a chat's updates meet. */
let fault: (key: string) => Error | Promise<Error | undefined> | undefined;

/** Longer than the inbox is ready to wait with a chat's turn in hand. */
const away = () => new ChannelAway('telegram', 60_000);

beforeEach(async () => {
  files += 1;
  database = await openMigratedDatabase({ file: path.join(dir, `${files}.sqlite`) }, wallClock);
  chatLog = createChatLog(database);
  handled = [];
  log.lines.length = 0;
  fault = () => undefined;
  inbox = open();
});
afterEach(async () => {
  await inbox.stop();
  await database.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function open(memory = chatLog, ready = () => true): Inbox {
  const handle = async ({ key }: ChatUpdate) => {
    const error = await fault(key);
    if (error) throw error;
    handled.push(key);
  };
  return createInbox({ chatLog: memory, clock: wallClock, log }, 'telegram', handle, ready);
}

const update = (key: string, chatKey = 'anna'): ChatUpdate => ({
  ...{ channel: 'telegram', key, chatKey, payload: { key }, receivedMs: 1 },
});
const receive = (...updates: ChatUpdate[]) => Promise.all(updates.map((u) => inbox.receive(u)));
const openKeys = async () => (await chatLog.open('telegram', 100)).map(({ key }) => key);

test('repeats are handled once, and what was handled is not open any more', async () => {
  await inbox.start();
  await receive(update('1'), update('1'), update('2'));
  await receive(update('2'));
  await until(async () => (await openKeys()).length === 0);
  expect(handled).toEqual(['1', '2']);
});

test('what a crash left is handled by the next process, in order, before what is new', async () => {
  await chatLog.record([update('1'), update('2')]);
  await inbox.start();
  await receive(update('3'));
  await until(() => handled.length === 3);
  expect(handled).toEqual(['1', '2', '3']);
});

test('a chat whose update must wait waits with all that follows; others go on', async () => {
  await inbox.start();
  const gate = new Gate();
  fault = async (key) => {
    if (key !== '1') return undefined;
    await gate.opened;
    return away();
  };
  await receive(update('1'), update('2'), update('b', 'ben'), update('3'));
  await until(() => handled.includes('b'));
  gate.open();
  await until(() => log.lines.some(({ event }) => event === 'chat.notHandled'));
  await receive(update('4'), update('c', 'ben'));
  await until(() => handled.includes('c'));
  expect(handled).toEqual(['b', 'c']);
  fault = () => undefined;
  await inbox.catchUp();
  await until(() => handled.length === 6);
  expect(handled).toEqual(['b', 'c', '1', '2', '3', '4']);
  await until(async () => (await openKeys()).length === 0);
});

test('what arrives for a waiting chat while it is looked up is not left behind', async () => {
  let arriving: ChatUpdate | undefined;
  const memory: ChatLog = {
    ...chatLog,
    open: async (...asked) => {
      const found = await chatLog.open(...asked);
      const late = arriving;
      arriving = undefined;
      if (late) await inbox.receive(late);
      return found;
    },
  };
  inbox = open(memory);
  await inbox.start();
  fault = away;
  await receive(update('1'));
  await until(() => log.lines.some(({ event }) => event === 'chat.notHandled'));
  fault = () => undefined;
  arriving = update('2');
  await inbox.catchUp();
  await until(() => handled.length === 2);
  expect(handled).toEqual(['1', '2']);
});

test('while trying makes no sense nothing is tried', async () => {
  let ready = false;
  inbox = open(chatLog, () => ready);
  await inbox.start();
  fault = away;
  await receive(update('1'));
  await until(() => log.lines.some(({ event }) => event === 'chat.notHandled'));
  fault = () => undefined;
  await inbox.catchUp();
  await receive(update('2', 'ben'));
  await until(() => handled.includes('2'));
  expect(handled).toEqual(['2']);
  ready = true;
  await inbox.catchUp();
  await until(() => handled.includes('1'));
});

test('told to wait for long, the turn is given up at once, and nothing more is tried', async () => {
  await inbox.start();
  fault = () => {
    fault = () => undefined;
    return away();
  };
  await receive(update('1'), update('2'));
  await until(() => log.lines.some(({ event }) => event === 'chat.notHandled'));
  // Resolves when every turn is through: a second try would have been one.
  await inbox.stop();
  expect(handled).toEqual([]);
  expect(await openKeys()).toEqual(['1', '2']);
});

test('a catch-up leaves alone what is being handled', async () => {
  await inbox.start();
  const gate = new Gate();
  fault = async (key) => {
    if (key === 'b') await gate.opened;
    return key === '1' ? away() : undefined;
  };
  await receive(update('1'), update('b', 'ben'));
  await until(() => log.lines.some(({ event }) => event === 'chat.notHandled'));
  fault = () => undefined;
  await inbox.catchUp();
  await until(() => handled.includes('1'));
  gate.open();
  await inbox.stop();
  expect(handled).toEqual(['1', 'b']);
});

test('what fails for a moment is tried again in its turn', async () => {
  await inbox.start();
  let faults = 1;
  fault = () => (faults-- > 0 ? new ChannelAway('telegram') : undefined);
  await receive(update('1'), update('2'));
  await until(() => handled.length === 2);
  expect(handled).toEqual(['1', '2']);
});

test('an update that no attempt can handle is closed, and its chat goes on', async () => {
  await inbox.start();
  fault = (key) => (key === 'poison' ? new TypeError('x is undefined') : undefined);
  await receive(update('poison'), update('2'));
  await until(() => handled.includes('2'));
  await until(async () => (await openKeys()).length === 0);
  const told = log.lines.filter(({ event }) => event === 'chat.notHandled');
  expect(told).toMatchObject([{ level: 'error' }]);
  await inbox.stop();
  inbox = open();
  fault = () => undefined;
  await inbox.start();
  await receive(update('3'));
  await until(() => handled.includes('3'));
  expect(handled).toEqual(['2', '3']);
});

test('while the database is away nothing is confirmed, and nothing is lost', async () => {
  let faults = 2;
  const memory: ChatLog = {
    ...chatLog,
    record: async (updates) => {
      if (faults-- > 0) throw new Error('away');
      return chatLog.record(updates);
    },
  };
  inbox = open(memory);
  await inbox.start();
  await receive(update('1'));
  expect(faults).toBeLessThan(0);
  await until(() => handled.includes('1'));
});

test('one waiting chat is tried alone, after what runs in it; others go on waiting', async () => {
  await inbox.start();
  const gate = new Gate();
  fault = async (key) => {
    if (key === '1') await gate.opened;
    return away();
  };
  await receive(update('1'), update('b', 'ben'));
  await until(() => log.lines.some(({ event }) => event === 'chat.notHandled'));
  // Asked while it still runs: it must not be forgotten when it fails a moment later.
  const asked = inbox.catchUp('anna');
  gate.open();
  fault = () => undefined;
  await asked;
  await until(() => handled.length > 0);
  expect(handled).toEqual(['1']);
  await inbox.catchUp();
  await until(() => handled.length === 2);
  expect(handled).toEqual(['1', 'b']);
});

test('a message received right after another is not left lying', async () => {
  await inbox.start();
  for (const key of ['1', '2', '3']) await inbox.receive(update(key));
  await until(() => handled.length === 3);
  expect(handled).toEqual(['1', '2', '3']);
});
