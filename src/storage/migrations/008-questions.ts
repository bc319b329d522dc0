import type { Migration } from './migration.js';

/** What customers ask the operator, where there is no operator's chat; and an order's language. */
export const questions: Migration = {
  name: '008-questions',
  statements: () => [
    `create table questions (
      key text primary key, customer_id text not null references customers, subject text not null,
      text text not null, order_id text, created_ms bigint not null, answered_ms bigint)`,
    'create index questions_waiting on questions (created_ms) where answered_ms is null',
    'create index questions_of_customer on questions (customer_id)',
    'alter table orders add column language text',
  ],
};
