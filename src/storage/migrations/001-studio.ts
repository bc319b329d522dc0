import type { Migration } from './migration.js';

/**
 * Customers, photos, money. Times are ms since 1970 in 8-byte integers, flags do not exist, JSON is
 * text: the same statements run on SQLite and PostgreSQL.
 */
export const studioTables: Migration = {
  name: '001-studio',
  statements: () => [
    `create table customers (
      id text primary key, code text not null unique, language text not null, preset text not null,
      finishing text not null, created_ms bigint not null, erased_ms bigint, merged_into text)`,
    `create table identities (
      channel text not null, user_id text not null, chat_id text not null,
      customer_id text not null references customers (id), seen_ms bigint not null,
      primary key (channel, user_id))`,
    'create index identities_customer on identities (customer_id)',
    `create table link_codes (
      hash text primary key, customer_id text not null, expires_ms bigint not null, used_ms bigint)`,
    `create table credit_codes (
      hash text primary key, batch text not null, credits bigint not null check (credits > 0),
      expires_ms bigint, used_ms bigint, customer_id text)`,
    `create table photos (
      id text primary key, customer_id text not null references customers (id),
      state text not null, key text not null, chat text not null, file_ref text, album_id text,
      preset text not null, original_key text, width_px bigint, height_px bigint, sheet_key text,
      selected_look_id text, master_key text, master_look_id text, error text,
      runs bigint not null, created_ms bigint not null, updated_ms bigint not null,
      unique (customer_id, key))`,
    'create index photos_customer on photos (customer_id, created_ms)',
    'create index photos_original on photos (original_key)',
    'create index photos_master on photos (master_key)',
    'create index photos_sheet on photos (sheet_key)',
    `create index photos_waiting on photos (updated_ms)
      where state in ('received', 'queued', 'restoring')`,
    `create table looks (
      id text primary key, photo_id text not null references photos (id), "index" bigint not null,
      state text not null, model text not null, size_px bigint, finishing text not null,
      chroma_key text, preview_key text, comparison_key text, provider text,
      input_width_px bigint, input_height_px bigint, seconds double precision,
      notes text not null, created_ms bigint not null, unique (photo_id, "index"))`,
    'create index looks_chroma on looks (chroma_key)',
    'create index looks_preview on looks (preview_key)',
    'create index looks_comparison on looks (comparison_key)',
    `create table timeline (
      id text primary key, photo_id text not null, at_ms bigint not null, event text not null,
      details text not null)`,
    'create index timeline_photo on timeline (photo_id, at_ms)',
    'create table settings (name text primary key, value text not null)',
  ],
};
