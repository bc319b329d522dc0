/** Where somebody is talked to: alone, or in a room, where everybody keeps their own thread. */
export interface WechatPlace {
  /** Stable name of the person; see `wechat-people.ts`. */
  readonly personId: string;
  readonly roomId?: string;
}

/** The chat id that the studio knows. */
export function chatIdOf({ personId, roomId }: WechatPlace): string {
  return roomId ? `room:${encodeURIComponent(roomId)}:${personId}` : personId;
}

/** Where a chat id of ours leads; the inverse of `chatIdOf`. */
export function placeOf(chatId: string): WechatPlace {
  const [, roomId, personId] = /^room:([^:]+):(.+)$/s.exec(chatId) ?? [];
  return roomId && personId
    ? { personId, roomId: decodeURIComponent(roomId) }
    : { personId: chatId };
}
