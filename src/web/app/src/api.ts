import type { PaymentMethod } from '../../../studio/ports/gateway';
import type { PhotoAccepted, Problem } from '../../api-types';
import type { Language } from './texts';

export type {
  LinkCode,
  Look,
  Me,
  Order,
  OrderToPay,
  PaymentNeeded,
  Photo,
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
  ) {
    super(detail);
  }
}

let language: Language = 'en';
/** Language of the answers from now on. */
export function speak(wanted: Language): void {
  language = wanted;
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
  }).catch(() => {
    throw new ApiError('NETWORK', '');
  });
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw refusal(answer, response.status);
  return answer as T;
}

/** What the server says in a refusal; another server on the way says nothing of it. */
export function refusal(answer: unknown, status: number): ApiError {
  const { code = 'UNKNOWN', detail = '' } = (answer ?? {}) as Partial<Problem>;
  return new ApiError(code, detail, status);
}

/** An upload under way. */
export interface Sending {
  readonly done: Promise<PhotoAccepted>;
  abort(): void;
}

/** Upload with progress, which fetch cannot tell. @param onProgress 0..1 */
export function sendPhoto(
  file: File,
  fields: Record<string, string>,
  onProgress: (share: number) => void,
): Sending {
  const request = new XMLHttpRequest();
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('photo', file);
  const done = new Promise<PhotoAccepted>((resolve, reject) => {
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else reject(refusal(request.response, request.status));
    };
    request.onerror = () => reject(new ApiError('NETWORK', ''));
    request.onabort = () => reject(new ApiError('ABORTED', ''));
  });
  request.open('POST', '/api/v1/photos');
  request.responseType = 'json';
  request.setRequestHeader('accept-language', language);
  request.send(form);
  return { done, abort: () => request.abort() };
}
