import type { ChannelId, Language } from '../studio/ports/basics.js';
import type { ChatUpdate } from '../studio/ports/chat-log.js';
import type { Customer } from '../studio/ports/studio.js';
import type { Abilities } from './abilities.js';
import type { AlbumRules, AlbumSender, IncomingAlbum } from './album-rules.js';
import type { Intent } from './conversation/intent.js';
import type { Reply } from './conversation/reply.js';

/**
 * A channel, as the chat bot sees it. To add one, write a folder with these four things and give
 * the door to `createChatBot`:
 *
 * - *parse*: `understand` says what a message means, from what was written down of it;
 * - *send*: `send` delivers one message, `edit` changes it, `fetchFile` fetches a photo;
 * - *pace*: `pace` waits for the channel's limits; `abilities` tell what it carries and how much;
 * - *identity*: chat ids and user ids that stay the same for ever.
 *
 * Everything else is the chat bot's: writing down before thinking, one chat in order, saying once,
 * albums, the operator's desk, news, progress, numbered choices, what nobody else in a group may
 * see, and the budget. A door with many sessions (one per customer) finds the session by chat id.
 */
export interface Door {
  readonly id: ChannelId;
  readonly abilities: Abilities;
  /** Keeps keys of this channel's messages apart from others', e.g. `tg`. Never change it. */
  readonly keyPrefix: string;
  /** Of people whose app does not tell theirs. */
  readonly language: Language;
  /** How the channel's app sends several photos. */
  readonly albums: AlbumRules;
  /** Rules of chats in which others read along; absent: there are none. */
  readonly groups?: GroupRules;
  /**
   * News are written down beside what came in and told in that order, when the channel is there.
   * For channels that may be away for a night or have a budget; others let the job be repeated.
   */
  readonly newsWait: boolean;
  /**
   * What a person says within so many ms is answered together, and no more than a person can mean:
   * for channels where every answer of ours is slow. Absent: each message has its answer.
   */
  readonly wordsPauseMs?: number;
  /** Whoever cannot be reached has blocked us, and is not written to before they speak again. */
  readonly canBeBlocked: boolean;

  /** Connect, in the background, and hand what arrives to `inward`; stay connected. */
  start(inward: Inward): Promise<void>;
  /** Take in nothing more; resolves when what was received is written down. */
  stop(): Promise<void>;
  /** The last words are said: hang up. */
  close?(): Promise<void>;
  /** How the connection is, for /readyz; absent: there is none. @throws {StudioError} it is not. */
  check?(): string;
  /** Whether trying again makes sense now, for messages that could not be answered; default: yes. */
  ready?(): boolean;

  /**
   * What a message that was written down means. May run again after a crash. What concerns the
   * channel alone (payments inside it) is done here.
   * @returns undefined: nothing for the conversation.
   */
  understand(update: ChatUpdate, asks: DoorAsks): Promise<Heard | undefined> | Heard | undefined;
  /** Wait until one more message may go. @throws {ChannelAway} not now. */
  pace?(chatId: string): Promise<void>;
  /**
   * Deliver one message, which `pack.ts` cut to the channel's abilities.
   * @returns the channel's own name of it, for edits and for people's replies to it.
   * @throws {ChannelAway | CustomerUnreachable | RoomClosed}
   */
  send(chatId: string, message: Outgoing): Promise<string>;
  /** Change a message; only with `abilities.edits`. What cannot be changed any more is let go. */
  edit?(chatId: string, ref: string, message: Outgoing): Promise<void>;
  /** Show for a moment that something is being made; a fault of it is nobody's. */
  working?(chatId: string): Promise<void>;
  /** As `ChatChannel.fetchFile`. */
  fetchFile(fileRef: string, file: string, signal: AbortSignal): Promise<void>;
}

/** What a door gives what arrives to. */
export interface Inward {
  /**
   * Write down what arrived, then handle it; resolves when it is durable, and never rejects.
   * Confirm to the channel after that, not before.
   */
  receive(incoming: Incoming): Promise<void>;
  /** Handle what a crash left behind; call once, when `understand` can do its work. */
  open(): Promise<void>;
  /** The channel is back: try again now what could not be answered. */
  catchUp(): Promise<void>;
}

/** Something that arrived. */
export interface Incoming {
  /** Natural key within the channel: a repeat is dropped by it. */
  readonly key: string;
  /** Messages with the same one are handled in order; the chat's id, where there is a chat. */
  readonly chatKey: string;
  /** What `understand` needs later; JSON. */
  readonly payload: unknown;
  /** False for what gives no new budget (a click, where the channel does not count it). */
  readonly renewsBudget?: boolean;
}

/** What a door may ask while it parses. */
export interface DoorAsks {
  /** The operator's own chat: there every command is meant for us. */
  isDesk(chatId: string): boolean;
  /** The album that this person may still add to: its photos need not name us again. */
  albumOf(who: Omit<AlbumSender, 'isGroup'>): Promise<IncomingAlbum | undefined>;
}

/** Who speaks, where. */
export interface Speaker {
  /** Where it was said, and is answered. */
  readonly chatId: string;
  /** The person; where there are groups, also the id of the chat in which they are alone. */
  readonly userId: string;
  /** IETF tag that the app tells, e.g. `zh-hans`. */
  readonly languageCode?: string;
}

/** What a message means. */
export type Heard = Said | Notice | Membership;

/** A person said something, pressed something, or sent a photo. */
export interface Said {
  readonly kind: 'said';
  readonly who: Speaker;
  /** The words as they were typed, for the operator's desk. */
  readonly text?: string;
  /** What is wanted; absent: what the words mean. One photo is `photos` with one. */
  readonly intent?: Intent;
  /** The channel's own name of our message that this replies to. */
  readonly repliesTo?: string;
  /** Photos with the same one were sent in one go. */
  readonly groupId?: string;
  /** When it was sent, ms; absent: unknown. */
  readonly sentMs?: number;
  /** Told before the answer, once in this chat: a text of config/messages. */
  readonly also?: Pick<Notice, 'messageKey' | 'params'>;
  /** Runs beside the answer: a pressed button stops spinning. */
  readonly beside?: () => Promise<void>;
}

/** The door itself has something to say to a person: a text of config/messages. */
export interface Notice {
  readonly kind: 'notice';
  readonly who: Speaker;
  readonly messageKey: string;
  readonly params: Readonly<Record<string, string | number>>;
  /** Several with the same one in a chat are said once: parts of what was sent in one go. */
  readonly once?: string;
}

/** We were blocked or thrown out, or let in again. */
export interface Membership {
  readonly kind: 'membership';
  readonly chatId: string;
  readonly gone: boolean;
}

/** What others in a chat may see, and how somebody is talked to alone. */
export interface GroupRules {
  /** Whether others read along in this chat. */
  isGroup(chatId: string): boolean;
  /** The person's own chat, where the group's chat id tells it; else they are remembered. */
  aloneOf?(chatId: string): string;
  /** Wishes that are answered where they were said, others alone. Absent: all are. */
  readonly answeredThere?: ReadonlySet<Intent['kind']>;
  /** The group that a chat within it belongs to. Absent: groups have none. */
  wholeOf?(chatId: string): string;
  /** What to say when only one photo of an album reached us; undefined: nothing, it may be all. */
  onePhotoOfAlbum?(): Pick<Notice, 'messageKey' | 'params'> | undefined;
  /** Said in the group to somebody who cannot be written to alone. Absent: nothing is. */
  invitation?(customer: Customer, key: string): Reply;
  /** Said to words without a wish, a text of config/messages. Absent: what is said anywhere. */
  readonly hint?: Pick<Notice, 'messageKey' | 'params'>;
}

/**
 * One message as it goes out. At most one of `picture`, `pictures` (two or more) and `file`; `text`
 * is '' only beside one of them, and `choices` are only there where they fit as buttons. `repliesTo`
 * is the natural key of a person's message, only with `abilities.replies`: it may be gone meanwhile.
 */
export type Outgoing = Pick<
  Reply,
  'text' | 'picture' | 'pictures' | 'file' | 'instead' | 'choices' | 'passing'
> & { readonly repliesTo?: string };
