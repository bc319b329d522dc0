import type { Migration } from './migration.js';

/**
 * What a look cost, for reports over a period: when it was made, on which card, with how much energy.
 * Looks that are there already keep what is known: the time they were asked for, a CPU or a card
 * without a name, energy not measured. Counting by state has an index of its own, so that watching
 * costs the database little.
 */
export const workFacts: Migration = {
  name: '005-work-facts',
  statements: () => [
    'alter table looks add column joules double precision',
    'alter table looks add column card text',
    'alter table looks add column card_id text',
    'alter table looks add column ready_ms bigint',
    `update looks set ready_ms = created_ms where state = 'ready'`,
    'create index looks_made on looks (ready_ms) where ready_ms is not null',
    'create index photos_state on photos (state)',
    'create index orders_state on orders (state, method)',
    'create index charges_state on charges (state, gateway)',
  ],
};
