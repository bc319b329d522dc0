import type { Context } from '../context.js';
import { UnexpectedFault } from '../errors/index.js';
import { unlockJob } from '../holds.js';
import { limits } from '../limits.js';
import { want } from '../outbox.js';
import { queueRestore, restoreKey } from '../photo-runs.js';
import type { PhotoRecord } from '../records.js';
import { unlockFailed } from '../stages/unlock.js';

/** A photo or hold without any job for this long has fallen through, ms. */
const stuckMs = 120_000;

/**
 * The second net: photos that wait, holds that are held and notifications that nobody looked at,
 * with no job in outbox or queue. There should be none; each is put right and logged.
 * @returns how many.
 */
export async function sweepStuck(context: Context): Promise<number> {
  const found =
    (await stuckPhotos(context)) + (await stuckHolds(context)) + (await forgottenNews(context));
  if (found > 0) context.log.error('stuck.mended', { found });
  return found;
}

async function stuckPhotos(context: Context): Promise<number> {
  const { store, clock, queue } = context;
  const idle = await store.read.photos.idle(clock.now() - stuckMs, limits.studio.sweepRows);
  let mended = 0;
  for (const seen of idle) {
    const key = seen.runs === 0 ? `intake:${seen.id}` : restoreKey(seen.id, seen.runs);
    if (await queue.find(`deliver:${key}`)) continue;
    const done = await store.transaction(async (tables) => {
      const photo = await tables.photos.lock(seen.id);
      const same = photo?.runs === seen.runs && photo.state === seen.state;
      if (!same || (await tables.outbox.find(key))) return false;
      await tables.photos.update(photo.id, { updatedMs: clock.now() });
      await runAgain(tables, context, photo, key);
      return true;
    });
    if (done) mended += 1;
  }
  return mended;
}

async function runAgain(
  tables: Parameters<typeof queueRestore>[0],
  context: Context,
  photo: PhotoRecord,
  key: string,
): Promise<void> {
  if (photo.runs > 0) {
    const looks = (await tables.looks.ofPhoto(photo.id)).filter((look) => look.state !== 'ready');
    return void (await queueRestore(tables, context, photo, looks));
  }
  const group = photo.customerId;
  await want(tables, context, { name: 'intake', key, payload: { photoId: photo.id }, group });
}

async function stuckHolds(context: Context): Promise<number> {
  const { store, clock, queue } = context;
  const held = await store.read.holds.held(clock.now() - stuckMs, limits.studio.sweepRows);
  let mended = 0;
  for (const hold of held) {
    const photo = await store.read.photos.find(hold.photoId);
    if (!photo) continue;
    const job = unlockJob(hold, photo);
    if (await store.read.outbox.find(job.key)) continue;
    const known = await queue.find(job.key);
    if (known?.state === 'dead' || known?.state === 'cancelled') {
      const reason = new UnexpectedFault(new Error(known.lastError ?? known.state));
      await unlockFailed(context, hold.id, reason);
    } else if (!known || known.state === 'done') {
      const again = { ...job, key: `${job.key}:${clock.now()}` };
      await store.transaction((tables) => want(tables, context, known ? again : job));
    } else continue;
    mended += 1;
  }
  return mended;
}

async function forgottenNews(context: Context): Promise<number> {
  const { store, clock } = context;
  const nowMs = clock.now();
  const waiting = await store.read.inbox.unhandled({ limit: limits.studio.sweepRows });
  const forgotten = waiting.filter((one) => nowMs - one.receivedMs > stuckMs);
  for (const { gateway, key, outTradeNo } of forgotten) {
    const chargeId = outTradeNo ?? '';
    await store.transaction((tables) =>
      want(tables, context, {
        name: 'settle',
        key: `settle:${gateway}:${key}`.slice(0, 200) + Math.floor(nowMs / stuckMs),
        payload: { chargeId },
        group: chargeId,
      }),
    );
  }
  return forgotten.length;
}
