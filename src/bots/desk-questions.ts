import type { ChatRef } from '../studio/jobs.js';
import type { Language, Messages } from '../studio/ports/basics.js';
import type { NewQuestion, OrderView, Studio } from '../studio/ports/studio.js';
import type { Reply } from './conversation/reply.js';
import { type Heard, priceText, type Talk } from './conversation/talk.js';
import type { Text } from './desk-reports.js';

/** Where the desk is; without a chat there is none. */
export interface DeskConfig {
  readonly chat?: ChatRef;
  readonly language: Language;
}

/** What customers ask the operator. */
export interface DeskQuestions {
  /** Whether there is an operator's chat. Without one, what customers ask is kept. */
  readonly listens: boolean;
  /** A customer's words to the operator. */
  ask(talk: Talk, text: string): Promise<Heard>;
  /** A customer says that an older code is theirs. */
  askToJoin(talk: Talk, olderCode: string): Promise<Heard>;
  /** A customer wants an order's money back. */
  askRefund(talk: Talk, order: OrderView): Promise<Heard>;
}

/** What a customer asks: as the operator's chat says it, and as it is kept. */
interface Forwarded {
  readonly talk: Talk;
  readonly about: 'question' | 'claim' | 'refundAsked';
  readonly words: Readonly<Record<string, string>>;
  readonly question: Omit<NewQuestion, 'key'> & { readonly key?: string };
  readonly picture?: Partial<Reply>;
}

/** Customers' questions: into the operator's chat, or kept where there is none. */
export function createDeskQuestions(
  deps: {
    studio: Pick<Studio, 'leaveQuestion' | 'photo'>;
    messages: Messages;
    say: (chat: ChatRef, reply: Reply) => Promise<void>;
    text: Text;
  },
  { chat, language }: DeskConfig,
): DeskQuestions {
  const { text } = deps;

  /** A customer's question: the end of its key says whose it is. Kept where nobody listens. */
  async function forward({ talk, about, words, question, picture }: Forwarded): Promise<Heard> {
    const { id, customerCode: code } = talk.customer;
    if (!chat) {
      const key = `${talk.chat.channel}:${question.key ?? talk.key}`;
      await deps.studio.leaveQuestion(id, { ...question, key });
      return 'kept';
    }
    const key = `${question.key ?? talk.key}:ask:${code}`;
    await deps.say(chat, { key, text: text(about, { code, ...words }), ...picture });
    return 'sent';
  }

  async function askRefund(talk: Talk, order: OrderView): Promise<Heard> {
    const { id: orderId, refundedMinor } = order;
    const words = refundWords({ ...deps, language }, order);
    // One order, one question, however often it is asked.
    const question = {
      ...{ key: `refund:${orderId}:${refundedMinor}`, orderId },
      subject: 'refund',
      text: text('refundAsked', { code: talk.customer.customerCode, ...words }),
    } as const;
    const picture = chat ? await pictureOf(deps.studio, talk, order) : {};
    return forward({ talk, about: 'refundAsked', words, question, picture });
  }

  return {
    listens: chat !== undefined,
    ask: (talk, words) => {
      const question = { subject: 'question', text: words } as const;
      return forward({ talk, about: 'question', words: { text: words }, question });
    },
    askToJoin: (talk, older) => {
      const question = { subject: 'claim', text: older } as const;
      return forward({ talk, about: 'claim', words: { older }, question });
    },
    askRefund,
  };
}

/** What the operator is told of an order. */
function refundWords(
  { messages, text, language }: { messages: Messages; text: Text; language: Language },
  order: OrderView,
) {
  const { id, method, paidAtMs = 0, amountMinor, refundedMinor, currency } = order;
  return {
    order: id,
    amount: priceText(amountMinor - refundedMinor, currency),
    photos: order.photoIds.join(' ') || text('noPhoto'),
    method: messages.text(`bots.method.${method}`, language),
    paid: new Date(paidAtMs).toISOString().slice(0, 16).replace('T', ' '),
  };
}

/** What was bought, as far as it is still here. */
async function pictureOf(
  studio: Pick<Studio, 'photo'>,
  { customer }: Talk,
  { photoIds }: OrderView,
): Promise<Partial<Reply>> {
  const [first] = photoIds;
  if (!first) return {};
  const photo = await studio.photo(customer.id, first).catch(() => undefined);
  const look = photo?.looks.find(({ id }) => id === photo.selectedLookId);
  const blobKey = look?.comparisonKey ?? look?.previewKey;
  return blobKey ? { picture: { blobKey, name: 'huancai-preview.jpg' } } : {};
}
