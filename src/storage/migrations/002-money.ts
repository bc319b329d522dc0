import type { Migration } from './migration.js';

/** Orders, charges, refunds, holds and the ledger. Amounts are integers of the smallest unit. */
export const moneyTables: Migration = {
  name: '002-money',
  statements: (dialect) => [
    `create table orders (
      id text primary key, customer_id text not null references customers (id),
      state text not null, kind text not null, pack text,
      credits bigint not null check (credits > 0),
      amount_minor bigint not null check (amount_minor > 0), currency text not null,
      method text not null, chat text not null, pay_token text not null unique,
      created_ms bigint not null, expires_ms bigint not null, paid_ms bigint,
      refunded_minor bigint not null,
      check (refunded_minor >= 0 and refunded_minor <= amount_minor))`,
    'create index orders_customer on orders (customer_id, created_ms)',
    `create table order_photos (
      order_id text not null references orders (id), photo_id text not null, position bigint not null,
      primary key (order_id, photo_id))`,
    `create table wishes (
      customer_id text not null, key text not null, request text not null, order_id text,
      primary key (customer_id, key))`,
    `create table charges (
      id text primary key, order_id text not null unique references orders (id),
      gateway text not null, state text not null, amount_minor bigint not null,
      currency text not null, merchant_id text not null, app_id text not null,
      expires_ms bigint not null, offer text, provider_id text, paid_ms bigint,
      created_ms bigint not null, next_poll_ms bigint, polls bigint not null,
      unique (gateway, provider_id))`,
    'create index charges_due on charges (next_poll_ms) where next_poll_ms is not null',
    `create table refunds (
      id text primary key, order_id text not null references orders (id),
      charge_id text not null references charges (id), key text not null, state text not null,
      amount_minor bigint not null check (amount_minor > 0),
      credits bigint not null check (credits >= 0), reason text not null,
      created_ms bigint not null, next_poll_ms bigint, polls bigint not null,
      unique (order_id, key))`,
    'create index refunds_due on refunds (next_poll_ms) where next_poll_ms is not null',
    `create table holds (
      id text primary key, customer_id text not null references customers (id),
      photo_id text not null references photos (id), order_id text references orders (id),
      credits bigint not null check (credits > 0), state text not null,
      created_ms bigint not null, settled_ms bigint, delivered_key text,
      check (state <> 'posted' or delivered_key is not null))`,
    `create unique index holds_once on holds (photo_id) where state in ('held', 'posted')`,
    'create index holds_order on holds (order_id)',
    `create table accounts (
      id text primary key, asset text not null, side text not null,
      balance bigint not null default 0 check (balance >= 0), unique (id, asset))`,
    `create table transfers (
      id text primary key, key text not null unique, "from" text not null, "to" text not null,
      amount bigint not null check (amount > 0), asset text not null, at_ms bigint not null,
      check ("from" <> "to"),
      foreign key ("from", asset) references accounts (id, asset) deferrable initially deferred,
      foreign key ("to", asset) references accounts (id, asset) deferrable initially deferred)`,
    'create index transfers_from on transfers ("from", at_ms)',
    'create index transfers_to on transfers ("to", at_ms)',
    ...(dialect === 'sqlite' ? sqliteAppendOnly : postgresAppendOnly),
    `create table notifications (
      gateway text not null, key text not null, out_trade_no text, out_refund_no text,
      status text not null, received_ms bigint not null, handled_ms bigint,
      primary key (gateway, key))`,
    'create index notifications_open on notifications (received_ms) where handled_ms is null',
    `create table quarantine (
      id text primary key, gateway text not null, key text not null, out_trade_no text not null,
      reason text not null, status text not null, at_ms bigint not null, resolved_ms bigint,
      unique (gateway, key))`,
    `create table outbox (
      key text primary key, name text not null, payload text not null, priority bigint not null,
      "group" text not null, not_before_ms bigint, created_ms bigint not null, relayed_ms bigint)`,
    'create index outbox_pending on outbox (created_ms) where relayed_ms is null',
    'create index outbox_relayed on outbox (relayed_ms) where relayed_ms is not null',
  ],
};

const sqliteAppendOnly = ['update', 'delete'].map(
  (verb) => `create trigger transfers_no_${verb} before ${verb} on transfers
    begin select raise(abort, 'transfers are append-only'); end`,
);

const postgresAppendOnly = [
  `create function transfers_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'transfers are append-only'; end $$`,
  `create trigger transfers_append_only before update or delete or truncate on transfers
    for each statement execute function transfers_append_only()`,
];
