import type { Migration } from './migration.js';

/** `sweep` asks for what was handed over, or became due, before a moment: the later of the two. */
const overdueSince = `case when not_before_ms > relayed_ms then not_before_ms else relayed_ms end`;

const underWay = `state in ('received', 'queued', 'restoring')`;

/**
 * What a question costs follows from its answer, not from how much there is: an index for every
 * question that read a whole table or sorted it. `tests/storage/plans.test.ts` holds every statement to
 * it. Where a new index answers what an old one did, the old one goes.
 */
export const growth: Migration = {
  name: '009-growth',
  inSteps: true,
  statements: () => [
    ...added.map((index) => `create index if not exists ${index}`),
    ...replaced.map((name) => `drop index if exists ${name}`),
  ],
};

const added = [
  'customers_age on customers (created_ms)',
  'identities_of on identities (customer_id, seen_ms)',
  'identities_seen on identities (channel, seen_ms)',
  'photos_age on photos (created_ms)',
  'photos_made on photos (state, created_ms)',
  'photos_newest on photos (customer_id, id)',
  'photos_same on photos (original_key, created_ms)',
  `photos_waiting_of on photos (customer_id, created_ms) where ${underWay}`,
  'photos_originals_kept on photos (updated_ms, id) where original_key is not null',
  'photos_masters_kept on photos (updated_ms, id) where master_key is not null',
  'looks_chroma_kept on looks (created_ms, id) where chroma_key is not null',
  'looks_preview_kept on looks (created_ms, id) where preview_key is not null',
  'timeline_of on timeline (photo_id, at_ms, id)',
  'orders_newest on orders (customer_id, id)',
  `orders_open on orders (customer_id, id) where state in ('created', 'pending')`,
  'orders_bought on orders (customer_id) where paid_ms is not null',
  'orders_paid on orders (paid_ms, currency, amount_minor) where paid_ms is not null',
  `charges_paid on charges (gateway, paid_ms) where state = 'paid'`,
  'refunds_of on refunds (order_id, id)',
  'holds_of_order on holds (order_id, id)',
  'holds_of_customer on holds (customer_id)',
  `holds_held on holds (created_ms) where state = 'held'`,
  'notifications_of on notifications (out_trade_no, received_ms) where handled_ms is null',
  'quarantine_open on quarantine (at_ms) where resolved_ms is null',
  'quarantine_open_of on quarantine (gateway) where resolved_ms is null',
  'outbox_waiting on outbox (created_ms, key) where relayed_ms is null',
  `outbox_overdue on outbox (priority, (${overdueSince})) where relayed_ms is not null`,
  'chat_updates_of on chat_updates (channel, chat_key)',
  'chat_states_of on chat_states (channel, name, chat_key)',
  'questions_open on questions (created_ms, key) where answered_ms is null',
  'operator_log_newest on operator_log (at_ms, key)',
  `queue_jobs_next on queue_jobs (name, state, priority, turn, added_ms, run_at_ms)
    where state = 'waiting'`,
  `queue_jobs_turns on queue_jobs (priority, turn) where state = 'waiting'`,
  `queue_jobs_begun on queue_jobs (name, started_ms)
    where state = 'waiting' and started_ms is not null`,
  'queue_jobs_listed on queue_jobs (state, added_ms)',
];

const replaced = [
  'identities_customer',
  'photos_original',
  'photos_state',
  'timeline_photo',
  'holds_order',
  'outbox_pending',
  'outbox_relayed',
  'chat_states_name',
  'operator_log_age',
  'questions_waiting',
  'queue_jobs_order',
];
