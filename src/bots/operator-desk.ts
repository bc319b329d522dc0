import { StudioError } from '../studio/errors/index.js';
import type { ChatRef } from '../studio/jobs.js';
import type { ChannelId, Clock, Logger, Messages } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Actor, Operator } from '../studio/ports/operator.js';
import type { Studio } from '../studio/ports/studio.js';
import { createBroadcasts } from './broadcasts.js';
import type { Reply } from './conversation/reply.js';
import { createDeskQuestions, type DeskConfig, type DeskQuestions } from './desk-questions.js';
import { refund, stuck, type Text, today } from './desk-reports.js';

/** The operator's side of the chats. */
export interface OperatorDesk extends DeskQuestions {
  /** Whether this chat is the operator's own. */
  isDesk(channel: ChannelId, chatId: string): boolean;
  /** A message in the operator's chat. @returns false when it is nothing for the desk. */
  handle(message: DeskMessage): Promise<boolean>;
  /** Goes on with broadcasts that a restart cut off. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What somebody said in the operator's chat. */
export interface DeskMessage {
  readonly text: string;
  readonly repliesTo?: string;
  /** Who of several; absent: the chat is one person's. */
  readonly from?: string;
  readonly key: string;
}

/** The message that a command came in: its natural key, and who wrote it. */
interface Order {
  readonly key: string;
  readonly by: Actor;
}

type Command = (rest: string, order: Order) => Promise<string>;

/** The operator's own chat: customers' questions, numbers, refunds, pause, broadcast. */
export function createOperatorDesk(
  deps: {
    operator: Operator;
    studio: Pick<Studio, 'leaveQuestion' | 'photo'>;
    chatLog: ChatLog;
    messages: Messages;
    clock: Clock;
    log: Logger;
    say: (chat: ChatRef, reply: Reply) => Promise<void>;
  },
  config: DeskConfig,
): OperatorDesk {
  const { chat } = config;
  const { operator } = deps;
  const text: Text = (key, params) =>
    deps.messages.text(`bots.desk.${key}`, config.language, params);
  const broadcasts = createBroadcasts({ ...deps, text });

  /** @returns undefined when this is no reply to a customer's question. */
  async function answerCustomer(ref: string, words: string, { key, by }: Order) {
    if (!chat) return undefined;
    const asked = await deps.chatLog.byRef(chat.channel, chat.chatId, ref);
    const customerCode = asked && /:ask:([^:]+)$/.exec(asked.key)?.[1];
    if (!customerCode) return undefined;
    await operator.answer(by, customerCode, words, `answer:${key}`);
    return text('answered');
  }

  const commands: Readonly<Record<string, Command>> = {
    today: () => today(operator, text),
    stuck: () => stuck(operator, text),
    refund: (rest, { key, by }) => refund(operator, by, text, rest, key),
    async pause(_, { by }) {
      await operator.pauseIntake(by, true);
      return text('paused');
    },
    async resume(_, { by }) {
      await operator.pauseIntake(by, false);
      return text('resumed');
    },
    /** Where messages cannot be replied to one by one. */
    async answer(rest, { key, by }) {
      const [, code, words] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
      if (!code || !words) return text('answerUsage');
      await operator.answer(by, code.toUpperCase(), words, `answer:${key}`);
      return text('answered');
    },
    async join(rest, { key, by }) {
      const [, older, newer] = /^(\S+)\s+(\S+)$/.exec(rest) ?? [];
      if (!older || !newer) return text('joinUsage');
      const language = await operator.join(by, older, newer);
      const news = deps.messages.text('bots.claim.done', language);
      await operator.answer(by, older, news, `join:${key}`);
      return text('joined', { older: older.toUpperCase() });
    },
    async broadcast(rest, { key, by }) {
      if (!chat || !rest) return text('broadcastUsage');
      return text('broadcasting', { count: await broadcasts.begin(by, chat, rest, key) });
    },
    help: async () => text('help'),
    desk: async () => text('help'),
  };

  async function obey(words: string, repliesTo: string | undefined, order: Order) {
    const answered = repliesTo ? await answerCustomer(repliesTo, words, order) : undefined;
    if (answered) return answered;
    const [, name = '', rest = ''] = /^\/([a-z]+)(?:@\w+)?\s*([\s\S]*)$/i.exec(words.trim()) ?? [];
    return Object.hasOwn(commands, name.toLowerCase())
      ? commands[name.toLowerCase()]?.(rest.trim(), order)
      : undefined;
  }

  return {
    isDesk: (channel, chatId) => chat?.channel === channel && chat.chatId === chatId,
    ...createDeskQuestions({ ...deps, text }, config),
    async handle({ text: words, repliesTo, from, key }) {
      if (!chat) return false;
      const name = [chat.channel, from].filter(Boolean).join(':');
      const by: Actor = { door: 'chat', name };
      const told = await obey(words, repliesTo, { key, by }).catch((error: unknown) => {
        if (!(error instanceof StudioError) || error.retry === 'later') throw error;
        return deps.messages.text(error.messageKey, config.language, error.params);
      });
      if (told === undefined) return false;
      await deps.say(chat, { key: `desk:${key}`, text: told });
      return true;
    },
    start: () => broadcasts.start(),
    stop: () => broadcasts.stop(),
  };
}
