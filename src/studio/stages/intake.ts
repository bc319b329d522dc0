import type { Context } from '../context.js';
import { ChannelAway, StudioError } from '../errors/index.js';
import type { Job } from '../jobs.js';
import { queueRestore } from '../photo-runs.js';
import type { PhotoInfo } from '../ports/colorizer.js';
import type { PhotoRecord } from '../records.js';
import { chronicle, inspected } from '../timeline.js';
import { failPhoto } from './fail-photo.js';

/** Fetch the bytes of a recorded photo, check them, queue `restore`. */
export async function intake(context: Context, job: Job<'intake'>): Promise<void> {
  const { photoId } = job.payload;
  const photo = await context.store.read.photos.find(photoId);
  if (photo?.state !== 'received') return;
  try {
    const { key, info } = await fetched(context, photo, job.signal);
    await accept(context, photoId, key, info);
    context.live.emit({ customerId: photo.customerId, photoId, kind: 'photo' });
  } catch (error) {
    if (!(error instanceof StudioError) || error.retry !== 'never') throw error;
    await failPhoto(context, photoId, `intake:${photoId}`, error);
  }
}

async function fetched(context: Context, photo: PhotoRecord, signal: AbortSignal) {
  const { blobs, colorizer, files } = context;
  if (photo.originalKey !== null) {
    const file = await blobs.localFile(photo.originalKey);
    return { key: photo.originalKey, info: await colorizer.inspect(file) };
  }
  const channel = context.channels.get(photo.chat.channel);
  if (!channel || photo.fileRef === null) throw new ChannelAway(photo.chat.channel);
  const { fileRef } = photo;
  return files.scratch(async (dir) => {
    const file = `${dir}/original`;
    await channel.fetchFile(fileRef, file, signal);
    const info = await colorizer.inspect(file);
    await files.removeLocation(file);
    return { key: (await blobs.putFile('original', file)).key, info };
  });
}

async function accept(context: Context, photoId: string, originalKey: string, info: PhotoInfo) {
  await context.store.transaction(async (tables) => {
    const photo = await tables.photos.lock(photoId);
    if (photo?.state !== 'received') return;
    const { widthPx, heightPx } = info;
    await tables.photos.update(photoId, { originalKey, widthPx, heightPx });
    await chronicle(tables, photoId, 'inspected', [inspected(context, info)]);
    const looks = await tables.looks.ofPhoto(photoId);
    await queueRestore(tables, context, { ...photo, originalKey }, looks);
    await tables.outbox.done([`intake:${photoId}`]);
  });
}
