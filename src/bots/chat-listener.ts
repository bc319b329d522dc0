import type { Clock, Messages } from '../studio/ports/basics.js';
import type { ChatUpdate } from '../studio/ports/chat-log.js';
import { isNews } from './chat-news.js';
import type { ChatTalks } from './chat-talks.js';
import type { Conversation } from './conversation/conversation.js';
import type { IncomingPhoto, Intent } from './conversation/intent.js';
import { parseText, presetOfCaption } from './conversation/parse-text.js';
import { answer } from './conversation/talk.js';
import type { Door, DoorAsks, Notice, Said, Speaker } from './door.js';
import type { Followers } from './inbox.js';
import type { IncomingAlbums } from './incoming-albums.js';
import type { OfferedChoices } from './offered-choices.js';
import type { OperatorDesk } from './operator-desk.js';
import { createWordLimit, intentOf, wordsTogether } from './said-words.js';
import type { Sender } from './sender.js';

interface ListenerDeps {
  readonly conversation: Conversation;
  readonly talks: ChatTalks;
  readonly sender: Sender;
  readonly choices: OfferedChoices;
  readonly albums: IncomingAlbums;
  readonly desk: OperatorDesk;
  readonly messages: Messages;
  readonly clock: Clock;
}

/** Handles what is written down already, one chat's in order. May run again for the same update. */
export function createChatListener(
  deps: ListenerDeps,
  door: Door,
  greetsPhotos: boolean,
): (update: ChatUpdate, followers: Followers) => Promise<void> {
  const { conversation, talks, sender, albums, desk, messages } = deps;
  const { groups, abilities } = door;
  const limit = createWordLimit(deps);
  const isGroup = (chatId: string) => groups?.isGroup(chatId) === true;
  const senderOf = ({ chatId, userId, languageCode }: Speaker) => ({
    ...{ chatId, userId, languageCode },
    isGroup: isGroup(chatId),
  });
  const asks: DoorAsks = {
    isDesk: (chatId) =>
      [chatId, groups?.wholeOf?.(chatId) ?? chatId].some((one) => desk.isDesk(door.id, one)),
    albumOf: (who) => albums.current(senderOf(who)),
  };

  async function said(what: Said, intent: Intent, update: ChatUpdate): Promise<void> {
    const { who } = what;
    const { chatId } = who;
    if (what.text?.trim() === '/id') return tellId(chatId, update.key);
    if (await isForDesk(what, update.key)) return;
    // Whoever asks for another language has said which they do not want.
    if (intent.kind !== 'language') await talks.hears(who, what.text ?? '', update.key);
    if (what.also) await notice({ who, ...what.also, once: 'also' }, update.key);
    const photo = intent.kind === 'photos' ? intent.photos[0] : undefined;
    if (photo) return collect(what, photo, update);
    if (await describesPhotos(who, intent)) return;
    // "Colour this, please" means the photos that may be sent now.
    const asksHow = intent.kind === 'wish' && intent.topic === 'howTo';
    if (groups?.hint && (intent.kind === 'text' || asksHow) && isGroup(chatId))
      return notice({ who, ...groups.hint }, update.key);
    const beside = what.beside?.();
    const wish = await chosen(chatId, intent);
    const isPublic = groups?.answeredThere?.has(wish.kind) ?? true;
    const talk = await talks.of(who, update.key, !isPublic);
    await talks.reply(talk, await conversation.answer(talk, wish));
    await beside;
  }

  /** What the setting of the operator's chat is set to. */
  const tellId = (chatId: string, key: string) =>
    sender.say(chatId, { key: `id:${key}`, text: groups?.aloneOf?.(chatId) ?? chatId });

  async function isForDesk({ who, text = '', repliesTo }: Said, key: string): Promise<boolean> {
    if (!asks.isDesk(who.chatId)) return false;
    // Alone with us there is only one.
    const from = isGroup(who.chatId) ? who.userId : undefined;
    return desk.handle({ text, repliesTo, from, key: `${door.keyPrefix}:${key}` });
  }

  /** An app sends a selection photo by photo: what belongs together is found out first. */
  async function collect(what: Said, photo: IncomingPhoto, update: ChatUpdate): Promise<void> {
    const { groupId, sentMs = update.receivedMs, who } = what;
    await albums.add(senderOf(who), { photo, sentMs, ...(groupId ? { groupId } : {}) });
    const album = greetsPhotos ? await albums.current(senderOf(who)) : undefined;
    if (!album) return;
    // Others may follow for seconds: nobody should wait so long for the first word.
    const talk = await talks.of(who, update.key);
    const text = messages.text('bots.photo.accepted', talk.customer.language);
    await talks.reply(talk, [{ key: `got:${album.albumId}`, text, passing: true }]);
  }

  /** Where words cannot be put under a photo, a style named beside it counts. */
  async function describesPhotos(who: Speaker, intent: Intent): Promise<boolean> {
    if (abilities.incomingCaptions || intent.kind !== 'text') return false;
    return !!presetOfCaption(intent.text) && albums.describe(senderOf(who), intent.text);
  }

  async function chosen(chatId: string, intent: Intent): Promise<Intent> {
    if (intent.kind !== 'choice') return intent;
    return (await deps.choices.chosen(chatId, intent.number)) ?? intent;
  }

  async function notice(what: Omit<Notice, 'kind'>, key: string): Promise<void> {
    const { who, messageKey, params, once } = what;
    const talk = await talks.of(who, key);
    const reply = answer(talk, messages.text(messageKey, talk.customer.language, params));
    const said = once ? { ...reply, key: `once:${messageKey}:${once}`, once: true } : reply;
    await talks.reply(talk, [said]);
  }

  /** Words alone: no photo, no choice among numbers, nothing pressed, not the operator's. */
  async function wordsOf(update: ChatUpdate): Promise<string | undefined> {
    const heard = isNews(update) ? undefined : await door.understand(update, asks);
    if (heard?.kind !== 'said' || heard.intent || asks.isDesk(heard.who.chatId)) return undefined;
    const { text = '' } = heard;
    return parseText(text).kind === 'choice' ? undefined : text;
  }

  /** What somebody wants, and whether they get an answer: on slow channels not to each line. */
  async function wantedBy(heard: Said, update: ChatUpdate, followers: Followers) {
    const { text = '', who } = heard;
    const words = door.wordsPauseMs === undefined ? undefined : await wordsOf(update);
    if (words === undefined) return heard.intent ?? parseText(text);
    const said = await wordsTogether(words, followers, door.wordsPauseMs ?? 0, wordsOf);
    const standing = limit(who.chatId);
    if (standing === 'last')
      await notice({ who, messageKey: 'bots.tooMany', params: {} }, update.key);
    return standing === 'answer' ? intentOf(said) : undefined;
  }

  return async (update, followers) => {
    const heard = await door.understand(update, asks);
    if (heard?.kind === 'membership') return sender.setBlocked(heard.chatId, heard.gone);
    if (heard?.kind === 'notice') return talks.reachable('notice', () => notice(heard, update.key));
    if (!heard) return;
    // Whoever speaks to us wants to hear from us again.
    if (door.canBeBlocked) await sender.setBlocked(heard.who.chatId, false);
    const intent = await wantedBy(heard, update, followers);
    if (!intent) return;
    await talks.reachable(intent.kind, () => said(heard, intent, update));
  };
}
