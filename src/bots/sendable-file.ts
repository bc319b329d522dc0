import type { Blobs } from '../studio/ports/blobs.js';
import type { Media } from './conversation/reply.js';
import { extensionOf } from './picture-extension.js';

/** A picture or file under the name that the customer sees: bytes, or a file of this machine. */
export type SendableFile = { readonly name: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly file: string }
);

/** What a channel sends of a reply's media. Blobs have no extension: their first bytes tell. */
export async function sendableFile(
  media: Media,
  blobs: Pick<Blobs, 'localFile'>,
): Promise<SendableFile> {
  if ('bytes' in media) return media;
  const file = await blobs.localFile(media.blobKey);
  const extension = await extensionOf(file);
  const name = media.name.endsWith(extension) ? media.name : media.name + extension;
  return { name, file };
}
