import type { ChannelId } from './basics.js';

/** Something that arrived from a chat, written down before anybody thinks about it. */
export interface ChatUpdate {
  readonly channel: ChannelId;
  /** Natural key within the channel (Telegram's update_id, WeChat's message id). */
  readonly key: string;
  /** Updates of one chat are handled one after the other, in order of arrival. */
  readonly chatKey: string;
  /** What the channel's adapter needs to handle it later; JSON. */
  readonly payload: unknown;
  readonly receivedMs: number;
}

/** A message of ours that a chat shows. */
export interface SentMessage {
  readonly channel: ChannelId;
  /** Natural key of what was said, e.g. the key of a `notify` job. */
  readonly key: string;
  readonly chatKey: string;
  /** The channel's own name of the message, for edits; empty while the call is under way. */
  readonly ref: string;
}

/**
 * Memory of the chats: what came in (persist first, answer once) and what went out (say once, edit
 * instead of repeating). Contract: tests/contracts/chat-log, on SQLite and PostgreSQL.
 */
export interface ChatLog {
  /**
   * Durable when it resolves; all or none. Repeats are left out.
   * @returns those that are new.
   */
  record(updates: readonly ChatUpdate[]): Promise<readonly ChatUpdate[]>;
  /** Not handled yet, oldest first: what a crash left, and what is new. */
  open(channel: ChannelId, limit: number): Promise<readonly ChatUpdate[]>;
  handled(channel: ChannelId, key: string, nowMs: number): Promise<void>;

  sent(channel: ChannelId, key: string): Promise<SentMessage | undefined>;
  /** Before the call with an empty ref, after it with the real one. */
  recordSent(message: SentMessage, nowMs: number): Promise<void>;
  /** The message of ours that somebody replies to. */
  byRef(channel: ChannelId, chatKey: string, ref: string): Promise<SentMessage | undefined>;

  /** Small state of one chat (offered choices, an album under way, a blocked bot); JSON. */
  state<T>(channel: ChannelId, chatKey: string, name: string): Promise<T | undefined>;
  /** `undefined` forgets. */
  setState(channel: ChannelId, chatKey: string, name: string, value: unknown): Promise<void>;
  /** Chats that have a state of this name, for what must go on after a restart. */
  withState<T>(
    channel: ChannelId,
    name: string,
    limit: number,
  ): Promise<readonly { readonly chatKey: string; readonly value: T }[]>;
  /** Handled updates and sent messages older than that are forgotten. */
  forget(beforeMs: number): Promise<void>;
}
