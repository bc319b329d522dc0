import type { ChannelId } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';

/** What an album is made of; written by who receives photos. */
export interface AlbumContent {
  /** In the order they were sent. */
  readonly photoIds: readonly string[];
  /** Numbers of those that could not be taken, by the natural keys of their messages. */
  readonly refused?: Readonly<Record<string, number>>;
  /** Named under one photo, meant for all. */
  readonly preset?: string;
}

/** What of an album was told; written by who tells. */
export interface AlbumTold {
  /** Previews that went together, as places in the album: [from, to). */
  readonly batches: readonly (readonly [number, number])[];
  /** Photos shown one by one before others joined. */
  readonly single: readonly string[];
  /** Photos whose HD file was told. */
  readonly files: readonly string[];
  /** How many photos the price that was said last is for; 0: none was. */
  readonly priced: number;
}

const untold: AlbumTold = { batches: [], single: [], files: [], priced: 0 };
/** An album may be asked for in another chat than the one it came from: its own name is the key. */
const names = { content: 'album', open: 'albumOpen', told: 'albumTold' } as const;

/** The photos of an album; none when there is no such album. */
export async function albumContent(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
): Promise<AlbumContent> {
  const known = await chatLog.state<AlbumContent>(channel, albumId, names.content);
  return known ?? { photoIds: [] };
}

/** Write down what an album is made of now. */
export async function setAlbumContent(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
  content: AlbumContent,
): Promise<void> {
  await chatLog.setState(channel, albumId, names.content, content);
}

/** While an album is open more photos are expected, and no price is said. */
export async function setAlbumOpen(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
  open: boolean,
): Promise<void> {
  await chatLog.setState(channel, albumId, names.open, open || undefined);
}

/** Whether more photos are expected. */
export async function isAlbumOpen(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
): Promise<boolean> {
  return (await chatLog.state<boolean>(channel, albumId, names.open)) === true;
}

/** What of an album was told so far. */
export async function albumTold(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
): Promise<AlbumTold> {
  return (await chatLog.state<AlbumTold>(channel, albumId, names.told)) ?? untold;
}

/** Write down what of an album is told, before it is said: saying has keys, and may repeat. */
export async function setAlbumTold(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
  told: AlbumTold,
): Promise<void> {
  await chatLog.setState(channel, albumId, names.told, told);
}

/** Whether the price for all was said. */
export async function isAlbumTold(
  chatLog: ChatLog,
  channel: ChannelId,
  albumId: string,
): Promise<boolean> {
  return (await albumTold(chatLog, channel, albumId)).priced > 0;
}
