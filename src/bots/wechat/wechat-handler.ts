import type { Messages } from '../../studio/ports/basics.js';
import type { ChatLog, ChatUpdate } from '../../studio/ports/chat-log.js';
import type { Studio } from '../../studio/ports/studio.js';
import { type IncomingAlbum, photosIntent } from '../album-rules.js';
import type { Conversation } from '../conversation/conversation.js';
import type { IncomingPhoto, Intent } from '../conversation/intent.js';
import { parseText, presetOfCaption } from '../conversation/parse-text.js';
import type { Reply } from '../conversation/reply.js';
import { answer, type Talk } from '../conversation/talk.js';
import type { IncomingAlbums } from '../incoming-albums.js';
import type { OperatorDesk } from '../operator-desk.js';
import { personalNews } from '../personal-news.js';
import { Turns } from '../turns.js';
import { placeOf } from './wechat-chat.js';
import type { WechatChoices } from './wechat-choices.js';
import { invitedMs } from './wechat-intake.js';
import type { WechatPayload } from './wechat-payload.js';
import type { WechatSender } from './wechat-sender.js';

/** What may be answered where others read along; everything else is answered alone. */
const forTheRoom: ReadonlySet<Intent['kind']> = new Set<Intent['kind']>([
  ...(['photos', 'variants', 'pick', 'adjust', 'setFinishing', 'choice', 'text'] as const),
]);

type Received = Pick<ChatUpdate, 'key' | 'payload' | 'receivedMs'>;
type Of<K extends WechatPayload['kind']> = Extract<WechatPayload, { kind: K }>;

/** Handles what is written down already; one chat's in order. */
export function createWechatHandler(deps: {
  studio: Studio;
  conversation: Conversation;
  sender: WechatSender;
  choices: WechatChoices;
  chatLog: ChatLog;
  desk: OperatorDesk;
  messages: Messages;
  albums: () => IncomingAlbums;
}) {
  const { studio, conversation, sender, messages } = deps;
  /** News of one chat are told one after the other: a later one knows more. */
  const newsTurns = new Turns();

  async function handle({ key, payload, receivedMs }: Received): Promise<void> {
    const what = payload as WechatPayload;
    switch (what.kind) {
      case 'text':
        return text(what, key);
      case 'photo':
        return photo(what, key, receivedMs);
      case 'photoLost': {
        const talk = await talkOf(what.chatId, key);
        const words = messages.text(what.messageKey, talk.customer.language, what.params);
        return sender.say(what.chatId, answer(talk, words));
      }
      case 'friend':
        return wish(what.chatId, { kind: 'start' }, key);
      case 'news':
        return news(what);
    }
  }

  async function text({ chatId, personId, text: words }: Of<'text'>, key: string): Promise<void> {
    // What WECHAT_OPERATOR_ID is set to; nobody could read it elsewhere.
    if (words.trim() === '/id') return sender.say(chatId, { key: `id:${key}`, text: personId });
    if (deps.desk.isDesk('wechat', chatId)) {
      const handled = await deps.desk.handle({ text: words, key: `wx:${key}` });
      if (handled) return;
    }
    const said = parseText(words);
    // Words cannot be put under a picture in WeChat: a style named beside it counts.
    if (said.kind === 'text' && presetOfCaption(said.text)) {
      if (await deps.albums().describe(senderOf(chatId, personId), said.text)) return;
    }
    const chosen =
      said.kind === 'choice' ? await deps.choices.chosen(chatId, said.number) : undefined;
    if (said.kind === 'text' && placeOf(chatId).roomId) return inviteToSend(chatId, personId, key);
    return wish(chatId, chosen ?? said, key);
  }

  async function wish(chatId: string, intent: Intent, key: string): Promise<void> {
    const { personId } = placeOf(chatId);
    const answeredIn = forTheRoom.has(intent.kind) ? chatId : personId;
    const talk = await talkOf(answeredIn, key);
    await reply(answeredIn, await conversation.answer(talk, intent));
  }

  /** Mentioned without a wish we know: photos are welcome now. */
  async function inviteToSend(chatId: string, _personId: string, key: string): Promise<void> {
    const talk = await talkOf(chatId, key);
    const minutes = invitedMs / 60_000;
    const words = messages.text('bots.wechat.sendNow', talk.customer.language, { minutes });
    await sender.say(chatId, answer(talk, words));
  }

  /** Photos that follow each other closely are one album. */
  async function photo(what: Of<'photo'>, key: string, sentMs: number): Promise<void> {
    const { chatId, personId, fileRef, bytes, compressed } = what;
    const one: IncomingPhoto = { key: `wx:${key}`, fileRef, bytes, compressed };
    await deps.albums().add(senderOf(chatId, personId), { photo: one, sentMs });
  }

  async function photos(album: IncomingAlbum): Promise<void> {
    const { chatId } = album;
    const { key, intent } = photosIntent(album);
    const talk = await talkOf(chatId, key);
    await reply(chatId, await conversation.answer(talk, intent));
  }

  async function albumClosed({ albumId, chatId }: IncomingAlbum): Promise<void> {
    const talk = await talkOf(chatId, `closed:${albumId}`);
    await newsTurns.take(chatId, async () =>
      reply(chatId, await conversation.albumClosed(talk, albumId)),
    );
  }

  async function news({ chatId, customerId, event, key }: Of<'news'>): Promise<void> {
    const customer = await studio.profile(customerId);
    const to = personalNews.has(event.kind) ? placeOf(chatId).personId : chatId;
    const chat = { channel: 'wechat' as const, chatId: to };
    await newsTurns.take(chatId, async () =>
      reply(to, await conversation.tell({ customer, chat }, event, key)),
    );
  }

  async function reply(chatId: string, replies: readonly Reply[]): Promise<void> {
    // Paid files never into a room.
    for (const one of replies) await sender.say(one.file ? placeOf(chatId).personId : chatId, one);
  }

  async function talkOf(chatId: string, key: string): Promise<Talk> {
    const { personId } = placeOf(chatId);
    // News that are nobody else's business go to the person alone.
    const alone = { channel: 'wechat' as const, chatId: personId };
    const customer = await studio.identify(alone, personId, 'zh-CN');
    return { customer, chat: { channel: 'wechat', chatId }, key };
  }

  return { handle, albums: { photos, closed: albumClosed } };
}

/** A room's chat is one person's thread in it already. */
const senderOf = (chatId: string, userId: string) => ({ chatId, userId, isGroup: false });
