import type { Context } from './context.js';
import { accounts, transfer } from './ledger.js';
import { holdMoves } from './order.js';
import { want } from './outbox.js';
import type { Tables } from './ports/store.js';
import type { HoldRecord, PhotoRecord } from './records.js';
import { assertMove } from './state-machine.js';
import { chronicle, line } from './timeline.js';

/**
 * Set credits aside for a photo's master and queue its making.
 * @param photo locked and ready, without an active hold.
 * @throws {CreditsInsufficient}
 */
export async function holdCredits(
  tables: Tables,
  context: Context,
  photo: PhotoRecord,
  credits: number,
  orderId: string | null,
): Promise<HoldRecord> {
  const { customerId } = photo;
  const hold: HoldRecord = {
    id: context.ids.next('hold'),
    ...{ customerId, photoId: photo.id, orderId, credits },
    state: 'held',
    createdMs: context.clock.now(),
    settledMs: null,
    deliveredKey: null,
  };
  await tables.holds.insert(hold);
  await transfer(tables, context, {
    key: `hold:${hold.id}`,
    from: accounts.credits(customerId),
    to: accounts.held(customerId),
    amount: credits,
  });
  await want(tables, context, unlockJob(hold, photo));
  await chronicle(tables, photo.id, `held:${hold.id}`, [line(context, 'photo.held', { credits })]);
  return hold;
}

/** The job that renders what a hold pays for; another look chosen is another job. */
export function unlockJob(hold: HoldRecord, photo: PhotoRecord) {
  return {
    name: 'unlock' as const,
    key: `unlock:${hold.id}:${photo.selectedLookId}`,
    payload: { photoId: photo.id, holdId: hold.id },
    group: hold.customerId,
  };
}

/** Another look was chosen, or the master's time is over: make it again, for nothing. */
export function masterAgain(context: Context, hold: HoldRecord, photo: PhotoRecord) {
  return { ...unlockJob(hold, photo), key: `unlock:${hold.id}:${context.clock.now()}` };
}

/** The master was made: the credits are spent. */
export async function postHold(
  tables: Tables,
  context: Context,
  hold: HoldRecord,
  deliveredKey: string,
): Promise<void> {
  assertMove(holdMoves, hold.state, 'posted', hold.id);
  await transfer(tables, context, {
    key: `post:${hold.id}`,
    from: accounts.held(hold.customerId),
    to: accounts.spent(),
    amount: hold.credits,
  });
  const settledMs = context.clock.now();
  await tables.holds.update(hold.id, { state: 'posted', settledMs, deliveredKey });
}

/** It cannot be made: the credits go back. */
export async function voidHold(
  tables: Tables,
  context: Context,
  hold: HoldRecord,
  reason: string,
): Promise<void> {
  assertMove(holdMoves, hold.state, 'voided', hold.id);
  await transfer(tables, context, {
    key: `void:${hold.id}`,
    from: accounts.held(hold.customerId),
    to: accounts.credits(hold.customerId),
    amount: hold.credits,
  });
  await tables.holds.update(hold.id, { state: 'voided', settledMs: context.clock.now() });
  const entry = line(context, 'photo.holdVoided', { credits: hold.credits, reason });
  await chronicle(tables, hold.photoId, `voided:${hold.id}`, [entry]);
}
