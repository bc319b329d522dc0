import type { ChatChannel } from '../studio/ports/channel.js';
import { isOneOfMany, photosIntent } from './album-rules.js';
import { createChatListener } from './chat-listener.js';
import { createChatNews, isNews, notifier } from './chat-news.js';
import { type ChatTalks, createChatTalks } from './chat-talks.js';
import { type Conversation, createConversation } from './conversation/conversation.js';
import type { ConversationConfig, ConversationDeps } from './conversation/talk.js';
import type { Door } from './door.js';
import { createInbox } from './inbox.js';
import { type AlbumHandlers, createIncomingAlbums } from './incoming-albums.js';
import { createInward } from './inward.js';
import { createOfferedChoices } from './offered-choices.js';
import type { OperatorDesk } from './operator-desk.js';
import { createPrivateChats } from './private-chats.js';
import { createProgressFollower, type ProgressFollower } from './progress-follower.js';
import { createSaidBudget } from './said-budget.js';
import { createSender, type Sender } from './sender.js';
import { Turns } from './turns.js';

/** What every channel's chat bot needs. */
export interface ChatBotDeps extends ConversationDeps {
  readonly desk: OperatorDesk;
}

/** One channel's bot: what comes in through its door is answered, news go out through it. */
export interface ChatBot {
  /** The studio tells its customers through it. */
  readonly channel: ChatChannel;
  /** Say something once; see `Sender.say`. */
  readonly say: Sender['say'];
  start(): Promise<void>;
  /** No new messages; what runs is finished. */
  stop(): Promise<void>;
}

/**
 * The chat bot behind a door. It is the same for all channels; see `Door` for what a channel is,
 * and how to add one.
 */
export function createChatBot(
  deps: ChatBotDeps,
  config: Omit<ConversationConfig, 'abilities' | 'greetsPhotos'>,
  door: Door,
): ChatBot {
  const { abilities } = door;
  const greetsPhotos = greetsPhotosOf(door);
  const conversation = createConversation(deps, { ...config, abilities, greetsPhotos });
  const choices = createOfferedChoices(deps, door.id);
  const budget = createSaidBudget(deps, door.id, door.abilities.budget);
  const sender = createSender({ ...deps, choices, budget }, door);
  const privateChats = createPrivateChats({ ...deps, sender }, door);
  const talks = createChatTalks({ ...deps, sender, privateChats }, door);
  const turns = new Turns();
  const said = { ...deps, conversation, talks, privateChats, budget, turns };
  const news = createChatNews(said, door);
  const progress = progressOf({ ...deps, conversation, talks }, door);
  const rules = { channel: door.id, ...door.albums };
  const albums = createIncomingAlbums(deps, rules, albumHandlers({ ...said, progress }, door));
  const heard = { ...deps, conversation, talks, sender, choices, albums };
  const hear = createChatListener(heard, door, greetsPhotos);
  const inbox = createInbox(
    deps,
    door.id,
    (update, followers) =>
      isNews(update) ? news.tellWaiting(update.payload) : hear(update, followers),
    () => door.ready?.() ?? true,
  );
  const inward = createInward({ ...deps, inbox, budget }, door);
  return {
    channel: {
      id: door.id,
      notify: notifier({ ...deps, news, inbox }, door),
      fetchFile: door.fetchFile,
    },
    say: sender.say,
    async start() {
      await albums.start();
      await door.start(inward);
    },
    async stop() {
      await door.stop();
      await inbox.stop();
      await albums.stop();
      progress?.stop();
      await sender.idle();
      await door.close?.();
    },
  };
}

interface Talking extends ChatBotDeps {
  readonly conversation: Conversation;
  readonly talks: ChatTalks;
}

/** Where a photo waits for others before it is taken, no word can be changed later, none is scarce. */
function greetsPhotosOf({ abilities, albums }: Door): boolean {
  return !abilities.edits && !albums.marksGroups && !abilities.budget;
}

/** Live progress, where a message can move: elsewhere it would be said once, and stale. */
function progressOf(deps: Talking, door: Door): ProgressFollower | undefined {
  if (!door.abilities.edits) return undefined;
  const { conversation, talks, studio } = deps;
  return createProgressFollower(deps, async (customerId, chat, event) => {
    void door.working?.(chat.chatId);
    const customer = await studio.profile(customerId);
    const replies = await conversation.tell({ customer, chat }, event, `progress:${customerId}`);
    for (const reply of replies) await talks.reply({ customer, chat }, [reply]).catch(() => {});
  });
}

/** What becomes of albums: their photos are taken, then they are priced. */
function albumHandlers(
  deps: Talking & { readonly turns: Turns; readonly progress?: ProgressFollower },
  { groups, working }: Pick<Door, 'groups' | 'working'>,
): AlbumHandlers {
  const { conversation, talks, turns, progress, messages } = deps;
  return {
    async photos(album) {
      const { key, intent } = photosIntent(album);
      const talk = await talks.of(album, key);
      await talks.reachable(intent.kind, async () =>
        talks.reply(talk, await conversation.answer(talk, intent)),
      );
      void working?.(talk.chat.chatId);
      progress?.follow(talk.customer.id, talk.chat);
    },
    async closed(album) {
      const { albumId, chatId } = album;
      const talk = await talks.of(album, `closed:${albumId}`);
      const tell = async () => talks.reply(talk, await conversation.albumClosed(talk, albumId));
      await turns.take(chatId, () => talks.reachable('album', tell));
      const hint = isOneOfMany(album) ? groups?.onePhotoOfAlbum?.() : undefined;
      if (!hint) return;
      const text = messages.text(hint.messageKey, talk.customer.language, hint.params);
      const reply = { key: `oneOfAlbum:${albumId}`, text, once: true };
      await turns.take(chatId, () => talks.reachable('album', () => talks.reply(talk, [reply])));
    },
  };
}
