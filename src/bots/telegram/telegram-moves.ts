import type { ChatLog } from '../../studio/ports/chat-log.js';

const channel = 'telegram';
const movedState = 'movedTo';
const groupsMax = 10_000;

/**
 * Groups that became supergroups: Telegram gives them another id. To the rest of the bot a chat
 * keeps the id it had first, so that nothing that refers to it is lost.
 */
export interface TelegramMoves {
  /** Call once, before anything is sent. */
  start(): Promise<void>;
  /** Remembered for ever. */
  learn(from: string, to: string): Promise<void>;
  /** The id that Telegram takes now. */
  current(chatId: string): string;
  /** The id that the chat had first. */
  original(chatId: string): string;
}

/** Keeps them in the chat log, and all of them in memory: there are few. */
export function createTelegramMoves({ chatLog }: { chatLog: ChatLog }): TelegramMoves {
  const forward = new Map<string, string>();
  const back = new Map<string, string>();

  function note(from: string, to: string): void {
    forward.set(from, to);
    back.set(to, from);
  }

  return {
    async start() {
      for (const { chatKey, value } of await chatLog.withState<string>(
        channel,
        movedState,
        groupsMax,
      ))
        note(chatKey, value);
    },
    async learn(given, to) {
      const from = back.get(given) ?? given;
      if (from === to || forward.get(from) === to) return;
      await chatLog.setState(channel, from, movedState, to);
      note(from, to);
    },
    current: (chatId) => forward.get(chatId) ?? chatId,
    original: (chatId) => back.get(chatId) ?? chatId,
  };
}
