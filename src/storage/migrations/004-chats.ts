import type { Migration } from './migration.js';

/** What came in from chats, what went out, and the small state of each chat. */
export const chatTables: Migration = {
  name: '004-chats',
  statements: (dialect) => [
    `create table chat_updates (
      seq ${dialect === 'sqlite' ? 'integer primary key autoincrement' : 'bigserial primary key'},
      channel text not null, key text not null, chat_key text not null, payload text not null,
      received_ms bigint not null, handled_ms bigint,
      unique (channel, key))`,
    'create index chat_updates_open on chat_updates (channel, seq) where handled_ms is null',
    'create index chat_updates_handled on chat_updates (handled_ms) where handled_ms is not null',
    `create table chat_messages (
      channel text not null, key text not null, chat_key text not null, ref text not null,
      sent_ms bigint not null, primary key (channel, key))`,
    'create index chat_messages_ref on chat_messages (channel, chat_key, ref)',
    'create index chat_messages_age on chat_messages (sent_ms)',
    `create table chat_states (
      channel text not null, chat_key text not null, name text not null, value text not null,
      primary key (channel, chat_key, name))`,
    'create index chat_states_name on chat_states (channel, name)',
  ],
};
