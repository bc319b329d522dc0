import type { Kysely } from 'kysely';
import type { ChatLog, ChatUpdate, SentMessage } from '../studio/ports/chat-log.js';
import type { Database } from './database.js';
import { translateDatabaseError } from './database-errors.js';

/** Tables of migration 004, in camelCase. */
interface ChatSchema {
  chatUpdates: {
    seq: number;
    channel: string;
    key: string;
    chatKey: string;
    payload: string;
    receivedMs: number;
    handledMs: number | null;
  };
  chatMessages: SentMessage & { sentMs: number };
  chatStates: { channel: string; chatKey: string; name: string; value: string };
}

type Db = Kysely<ChatSchema>;
type NewUpdate = Omit<ChatSchema['chatUpdates'], 'seq'>;

/** Memory of the chats over an open, migrated database. */
export function createChatLog(database: Database): ChatLog {
  const writer = database.writer as unknown as Db;
  const reader = database.reader as unknown as Db;
  const messages = reader.selectFrom('chatMessages').select(['channel', 'key', 'chatKey', 'ref']);
  return {
    record: (updates) => guarded(() => record(writer, updates)),
    open: (channel, limit) => guarded(() => open(reader, channel, limit)),
    handled: (channel, key, nowMs) =>
      guarded(async () => {
        await writer
          .updateTable('chatUpdates')
          .set({ handledMs: nowMs })
          .where('channel', '=', channel)
          .where('key', '=', key)
          .execute();
      }),
    sent: (channel, key) =>
      guarded(() =>
        messages.where('channel', '=', channel).where('key', '=', key).executeTakeFirst(),
      ),
    recordSent: (message, nowMs) =>
      guarded(async () => {
        await writer
          .insertInto('chatMessages')
          .values({ ...message, sentMs: nowMs })
          .onConflict((conflict) =>
            conflict.columns(['channel', 'key']).doUpdateSet({ ref: message.ref, sentMs: nowMs }),
          )
          .execute();
      }),
    byRef: (channel, chatKey, ref) =>
      guarded(() =>
        messages
          .where('channel', '=', channel)
          .where('chatKey', '=', chatKey)
          .where('ref', '=', ref)
          .executeTakeFirst(),
      ),
    ...stateMethods(writer, reader),
    forget: (beforeMs) =>
      guarded(async () => {
        await writer.deleteFrom('chatUpdates').where('handledMs', '<', beforeMs).execute();
        await writer.deleteFrom('chatMessages').where('sentMs', '<', beforeMs).execute();
      }),
  };
}

/** One statement, one commit: a whole batch of updates costs one sync of the disk. */
async function record(db: Db, updates: readonly ChatUpdate[]): Promise<readonly ChatUpdate[]> {
  if (updates.length === 0) return [];
  const rows = updates.map(
    ({ payload, ...update }): NewUpdate => ({
      ...update,
      payload: JSON.stringify(payload),
      handledMs: null,
    }),
  );
  const added = await db
    .insertInto('chatUpdates')
    .values(rows as never)
    .onConflict((conflict) => conflict.columns(['channel', 'key']).doNothing())
    .returning(['channel', 'key'])
    .execute();
  const fresh = new Set(added.map(({ channel, key }) => `${channel} ${key}`));
  // A batch may hold the same update twice: the first one counts.
  return updates.filter(({ channel, key }) => fresh.delete(`${channel} ${key}`));
}

async function open(db: Db, channel: string, limit: number): Promise<ChatUpdate[]> {
  const rows = await db
    .selectFrom('chatUpdates')
    .select(['channel', 'key', 'chatKey', 'payload', 'receivedMs'])
    .where('channel', '=', channel)
    .where('handledMs', 'is', null)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    ...row,
    channel: row.channel as ChatUpdate['channel'],
    payload: JSON.parse(row.payload),
    receivedMs: Number(row.receivedMs),
  }));
}

function stateMethods(writer: Db, reader: Db): Pick<ChatLog, 'state' | 'setState' | 'withState'> {
  return {
    state: <T>(channel: string, chatKey: string, name: string) =>
      guarded(async () => {
        const row = await reader
          .selectFrom('chatStates')
          .select('value')
          .where('channel', '=', channel)
          .where('chatKey', '=', chatKey)
          .where('name', '=', name)
          .executeTakeFirst();
        return row && (JSON.parse(row.value) as T);
      }),
    setState: (channel, chatKey, name, value) =>
      guarded(async () => {
        if (value === undefined) {
          await writer
            .deleteFrom('chatStates')
            .where('channel', '=', channel)
            .where('chatKey', '=', chatKey)
            .where('name', '=', name)
            .execute();
          return;
        }
        const text = JSON.stringify(value);
        await writer
          .insertInto('chatStates')
          .values({ channel, chatKey, name, value: text })
          .onConflict((conflict) =>
            conflict.columns(['channel', 'chatKey', 'name']).doUpdateSet({ value: text }),
          )
          .execute();
      }),
    withState: <T>(channel: string, name: string, limit: number) =>
      guarded(async () => {
        const rows = await reader
          .selectFrom('chatStates')
          .select(['chatKey', 'value'])
          .where('channel', '=', channel)
          .where('name', '=', name)
          .orderBy('chatKey')
          .limit(limit)
          .execute();
        return rows.map(({ chatKey, value }) => ({ chatKey, value: JSON.parse(value) as T }));
      }),
  };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
