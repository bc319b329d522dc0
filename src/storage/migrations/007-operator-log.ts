import type { Migration } from './migration.js';

/** What operators changed, and by which door; nothing in it is changed or deleted. */
export const operatorLog: Migration = {
  name: '007-operator-log',
  statements: (dialect) => [
    `create table operator_log (
      key text primary key, at_ms bigint not null, door text not null, actor text not null,
      action text not null, subject text not null, details text not null)`,
    'create index operator_log_age on operator_log (at_ms)',
    ...(dialect === 'sqlite' ? sqliteAppendOnly : postgresAppendOnly),
  ],
};

const sqliteAppendOnly = ['update', 'delete'].map(
  (verb) => `create trigger operator_log_no_${verb} before ${verb} on operator_log
    begin select raise(abort, 'operator_log is append-only'); end`,
);

const postgresAppendOnly = [
  `create function operator_log_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'operator_log is append-only'; end $$`,
  `create trigger operator_log_append_only before update or delete or truncate on operator_log
    for each statement execute function operator_log_append_only()`,
];
