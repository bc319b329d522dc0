import type { Context } from './context.js';
import { current } from './customers.js';
import { LabelUnconfirmed, NotPossibleNow } from './errors/index.js';
import { masterAgain } from './holds.js';
import { isLabelVisible } from './label-text.js';
import type { LabelWish } from './label-waiver.js';
import { limits } from './limits.js';
import { want } from './outbox.js';
import { ownPhoto, photoView } from './photo-views.js';
import type { Tables } from './ports/store.js';
import type { PhotoView } from './ports/studio.js';
import type { PhotoRecord } from './records.js';
import { chronicle, line } from './timeline.js';

/**
 * The paid file again, with or without its visible label, from the kept colours and for nothing. The
 * first time without one, a customer confirms in words that they label it themselves; who was given
 * what is kept as long as the law asks.
 * @throws {LabelUnconfirmed | NotPossibleNow | NotFound}
 */
export async function chooseLabel(
  context: Context,
  customerId: string,
  photoId: string,
  wish: LabelWish,
): Promise<PhotoView> {
  const { config, store, live } = context;
  if (config.label.texts === undefined || config.label.without !== 'ask')
    throw new NotPossibleNow('label', 'notOffered');
  const changed = await store.transaction(async (tables) => {
    const photo = await ownPhoto(tables, customerId, photoId, { lock: true });
    const hold = await tables.holds.active(photo.id);
    if (hold?.state !== 'posted') throw new NotPossibleNow('label', photo.state);
    if (isLabelVisible(context, photo) === wish.visible) return false;
    if (photo.originalKey === null) throw new NotPossibleNow('label', 'expired');
    if (!wish.visible) await confirm(tables, context, photo, wish.confirmed === true);
    const choice = {
      labelChoice: wish.visible ? ('with' as const) : ('without' as const),
      labelChosenMs: context.clock.now(),
      // The file that is there shows what is not wanted any more.
      masterLookId: null,
    };
    await tables.photos.update(photo.id, choice);
    const step = `label:${choice.labelChosenMs}`;
    await chronicle(tables, photo.id, step, [line(context, `photo.label_${choice.labelChoice}`)]);
    await want(tables, context, masterAgain(context, hold, photo));
    return true;
  });
  if (changed) live.emit({ customerId, photoId, kind: 'photo' });
  return photoView(context, await ownPhoto(store.read, customerId, photoId));
}

async function confirm(
  tables: Tables,
  context: Context,
  photo: PhotoRecord,
  confirmed: boolean,
): Promise<void> {
  const before = await tables.labelWaivers.ofCustomer(photo.customerId);
  if (!confirmed && !before.some(({ asked }) => asked === 'customer')) throw new LabelUnconfirmed();
  await noteWaiver(tables, context, photo, 'customer');
}

/** Who is given a file without a visible label. @param asked by whom: the customer, or always here. */
export async function noteWaiver(
  tables: Tables,
  { clock }: Pick<Context, 'clock'>,
  photo: PhotoRecord,
  asked: 'customer' | 'operator',
): Promise<void> {
  const atMs = clock.now();
  const { language } = await current(tables, photo.customerId);
  const key = asked === 'operator' ? `${photo.id}:always` : `${photo.id}:${atMs}`;
  const { id: photoId, customerId } = photo;
  await tables.labelWaivers.add({ key, customerId, photoId, asked, language, atMs });
}

/** What the law no longer asks to be kept. @returns lines dropped. */
export async function sweepWaivers({ store, sureTime, log }: Context): Promise<number> {
  const beforeMs = (await sureTime()) - limits.studio.labelWaiverDays * 86_400_000;
  const dropped = await store.transaction((tables) => tables.labelWaivers.drop(beforeMs));
  if (dropped > 0) log.info('labelWaivers.deleted', { lines: dropped });
  return dropped;
}
