import { rm, stat } from 'node:fs/promises';
import { extensionOf } from '../../picture-extension.js';
import { albumPhotos } from '../albums.js';
import { namesTogether } from '../file-names.js';
import type { Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  speak,
  type Talk,
} from '../talk.js';

/** What a ZIP adds per file, and more: names are short, nothing is compressed. */
const overheadBytes = 1_000;

interface Packed {
  readonly file: string;
  readonly name: string;
  readonly bytes: number;
}

/** All HD files of an album in one file; in as few as the channel takes where one is too large. */
export async function zip(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  albumId: string,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const photos = (await albumPhotos(deps, talk, albumId)).filter((p) => p.masterKey);
  if (photos.length === 0) return [answer(talk, say('zip.none'))];
  const names = namesTogether(photos);
  const files: Packed[] = [];
  for (const [i, photo] of photos.entries()) {
    const file = await deps.blobs.localFile(photo.masterKey as string);
    const name = `${names[i]}${await extensionOf(file)}`;
    files.push({ file, name, bytes: (await stat(file)).size + overheadBytes });
  }
  const limit = config.abilities.uploadLimitBytes ?? Number.POSITIVE_INFINITY;
  const fitting = files.filter(({ bytes }) => bytes <= limit);
  if (fitting.length === 0) return [answer(talk, say('zip.tooLarge'))];
  const packs = inPacks(fitting, limit);
  const replies: Reply[] = [];
  for (const [i, pack] of packs.entries()) {
    const of = { number: i + 1, count: packs.length };
    const blobKey = await packed(deps, pack);
    const isOnly = packs.length === 1;
    replies.push({
      key: isOnly ? `re:${talk.key}` : `re:${talk.key}:${i}`,
      text: isOnly ? say('zip.done') : say('zip.part', of),
      file: { blobKey, name: isOnly ? 'huancai.zip' : `huancai-${of.number}.zip` },
    });
  }
  const left = files.length - fitting.length;
  if (left > 0)
    replies.push({ key: `re:${talk.key}:left`, text: say('zip.left', { count: left }) });
  return replies;
}

/** In their order, each pack within the limit. */
function inPacks(files: readonly Packed[], limitBytes: number): Packed[][] {
  const packs: Packed[][] = [];
  let room = 0;
  for (const one of files) {
    if (one.bytes > room) {
      packs.push([]);
      room = limitBytes;
    }
    packs.at(-1)?.push(one);
    room -= one.bytes;
  }
  return packs;
}

async function packed(deps: ConversationDeps, files: readonly Packed[]): Promise<string> {
  const made = await deps.zipFiles(files);
  try {
    return (await deps.blobs.putFile('zip', made)).key;
  } finally {
    await rm(made, { force: true });
  }
}
