/** What the Bot API, or the way to it, said no with. */
export interface TelegramFault {
  /** HTTP status as the Bot API tells it; absent: no answer came. */
  readonly code?: number;
  readonly description: string;
  readonly retryAfterMs?: number;
  /** The group became this supergroup. */
  readonly movedTo?: string;
}

/** telegraf's errors hold the request's address, and with it the token: only this gets out. */
export function readFault(error: unknown): TelegramFault {
  const answer = (
    error as {
      response?: {
        error_code?: number;
        description?: string;
        parameters?: { retry_after?: number; migrate_to_chat_id?: number };
      };
    }
  ).response;
  const { retry_after: retryAfter, migrate_to_chat_id: movedTo } = answer?.parameters ?? {};
  return {
    code: answer?.error_code,
    description: answer?.description ?? '',
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter * 1_000 }),
    ...(movedTo === undefined ? {} : { movedTo: String(movedTo) }),
  };
}

/** 400s that mean "already so", not "wrong". */
const harmless = ['message is not modified', 'query is too old', 'message to delete not found'];
/** 400s about chats that are no more: as good as a 403. */
const gone = ['chat not found', 'upgraded to a supergroup', 'PEER_ID_INVALID'];
/** A topic that was closed or deleted, or a group in which we may not speak. */
const closed = [
  ...['TOPIC_CLOSED', 'TOPIC_DELETED', 'message thread not found', 'CHAT_WRITE_FORBIDDEN'],
  ...['not enough rights to send', 'have no rights to send', 'CHAT_RESTRICTED'],
];

const says = ({ description }: TelegramFault, texts: readonly string[]): boolean =>
  texts.some((text) => description.includes(text));

/** Whether it is already so, and nothing is wrong. */
export const isHarmless = (fault: TelegramFault): boolean =>
  fault.code === 400 && says(fault, harmless);

/** What a fault means to a call. */
type Verdict = 'closed' | 'gone' | 'later' | 'unknown' | 'refused';

/** Judges a fault; `unknown`: the connection broke, and the call may have worked. */
export function verdictOf(fault: TelegramFault): Verdict {
  const { code } = fault;
  if (code === undefined) return 'unknown';
  if (says(fault, closed)) return 'closed';
  if (code === 403 || says(fault, gone)) return 'gone';
  // Telegram's servers answer a wrong 401 now and then: no reason to drop what was to be said.
  if (code === 429 || code === 401 || code >= 500) return 'later';
  return 'refused';
}
