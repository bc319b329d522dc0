import type { Context } from './context.js';
import { current } from './customers.js';
import type { Question } from './ports/operator.js';
import type { NewQuestion } from './ports/studio.js';

/** Longer words are cut: a table is no place for books. */
const textMax = 4_000;

/** Keep a customer's words for the operator, who reads them with `huancai operator questions`. */
export async function leaveQuestion(
  { store, clock, log }: Context,
  customerId: string,
  { key, subject, text, orderId }: NewQuestion,
): Promise<void> {
  const added = await store.transaction(async (tables) => {
    const { id } = await current(tables, customerId);
    const words = { text: text.slice(0, textMax), createdMs: clock.now(), answeredMs: null };
    return tables.questions.add({
      key,
      customerId: id,
      subject,
      orderId: orderId ?? null,
      ...words,
    });
  });
  if (added === 'added')
    log.warn('customer.questionWaits', { customerId, subject, see: 'huancai operator questions' });
}

/** What nobody has answered yet, oldest first. */
export async function waitingQuestions(
  { store: { read } }: Context,
  limit: number,
): Promise<readonly Question[]> {
  const waiting = await read.questions.waiting(limit);
  return Promise.all(
    waiting.map(async ({ customerId, subject, text, orderId, createdMs }) => ({
      ...{ subject, text, createdMs },
      customerCode: (await read.customers.find(customerId))?.code ?? '',
      ...(orderId === null ? {} : { orderId }),
    })),
  );
}
