import type { CustomerEvent } from '../studio/jobs.js';

/** News that others in a group need not see: files that were paid for, and money. */
export const personalNews: ReadonlySet<CustomerEvent['kind']> = new Set<CustomerEvent['kind']>([
  'photo.master',
  'order.offer',
  'order.paid',
  'order.closed',
  'order.credited',
  'order.refunded',
  'support.answer',
]);
