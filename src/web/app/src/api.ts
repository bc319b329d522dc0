import type { PaymentMethod } from '../../../studio/ports/gateway';
import type { Problem } from '../../api-types';
import type { Language } from './texts';

export type {
  LinkCode,
  Look,
  Me,
  Order,
  OrderToPay,
  PaymentNeeded,
  Photo,
  PhotoAccepted,
  Prices,
  Receipt,
  Redeemed,
  TimelineEntry,
  Unlocked,
} from '../../api-types';

/** A way to pay. */
export type Method = PaymentMethod;

/** A refusal of the server, in the customer's words; code NETWORK when it could not be asked. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly status = 0,
    /** How long the server asks to wait; 0: it did not say. */
    readonly retryAfterSeconds = 0,
  ) {
    super(detail);
  }
}

let language: Language = 'en';
/** Language of the answers from now on. */
export function speak(wanted: Language): void {
  language = wanted;
}

/** Language of the answers now. */
export function spoken(): Language {
  return language;
}

/** The server could not be asked. @throws {ApiError} */
export function networkFault(): never {
  throw new ApiError('NETWORK', '');
}

type Verb = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Ask the API. @throws {ApiError} */
export async function api<T>(
  verb: Verb,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(`/api/v1${path}`, {
    method: verb,
    headers: {
      'accept-language': language,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(networkFault);
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw refusal(answer, response.status);
  return answer as T;
}

/** What the server says in a refusal; another server on the way says nothing of it. */
export function refusal(answer: unknown, status: number, retryAfterSeconds = 0): ApiError {
  const { code = 'UNKNOWN', detail = '' } = (answer ?? {}) as Partial<Problem>;
  return new ApiError(code, detail, status, retryAfterSeconds);
}
