import type { Migration } from './migration.js';

/**
 * The HD file as large as a screen, whether a customer wants the visible label on it, and who was given
 * files without one (kept six months, as Article 9 of the labelling measures asks).
 */
export const labels: Migration = {
  name: '010-labels',
  statements: () => [
    'alter table photos add column screen_key text',
    'create index photos_screen on photos (screen_key)',
    'alter table photos add column label_choice text',
    'alter table photos add column label_chosen_ms bigint',
    `create table label_waivers (
      key text primary key, customer_id text not null, photo_id text not null, asked text not null,
      language text not null, at_ms bigint not null)`,
    'create index label_waivers_age on label_waivers (at_ms)',
    'create index label_waivers_of_customer on label_waivers (customer_id, at_ms)',
  ],
};
