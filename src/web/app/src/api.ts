import type { PaymentMethod } from '../../../studio/ports/gateway';
import type { Language } from './texts';

export interface Look {
  id: string;
  index: number;
  status: 'waiting' | 'ready' | 'failed';
  model: string;
  sizePx?: number;
  strength: number;
  warmth: number;
  provider?: string;
  seconds?: number;
  notes: string[];
  previewUrl?: string;
  comparisonUrl?: string;
}

export interface Photo {
  id: string;
  status: 'received' | 'queued' | 'restoring' | 'ready' | 'failed' | 'cancelled' | 'deleted';
  position?: number;
  etaSeconds?: number;
  waitingFor?: 'card';
  progress?: number;
  preset: string;
  createdAt: string;
  widthPx?: number;
  heightPx?: number;
  looks: Look[];
  selectedLookId?: string;
  unlocked: boolean;
  originalUrl?: string;
  masterUrl?: string;
  error?: { code: string; detail: string };
}

export interface Order {
  id: string;
  status:
    | 'created'
    | 'pending'
    | 'paid'
    | 'fulfilled'
    | 'closing'
    | 'closed'
    | 'credited'
    | 'refunded';
  kind: 'unlock' | 'topup';
  photoIds: string[];
  credits: number;
  amountMinor: number;
  currency: string;
  method: Method;
  sandbox: boolean;
  qr?: string;
  appUrl?: string;
  payUrl: string;
  createdAt: string;
  expiresAt: string;
  paidAt?: string;
}

export type Method = PaymentMethod;

export interface Me {
  id: string;
  language: Language;
  customerCode: string;
  credits: number;
  freePreviewsLeftToday: number;
  settings: { preset: string };
  identities: string[];
}

export interface Prices {
  hdCredits: number;
  hdAmountFen: number;
  packs: { id: string; credits: number; amountFen: number }[];
  methods: Method[];
}

export interface TimelineEntry {
  at: string;
  event: string;
  text: string;
}

export interface Receipt {
  orderId: string;
  lines: { text: string; amountMinor: number }[];
  currency: string;
  method: Method;
  paidAt: string;
}

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
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new ApiError(answer.code ?? 'UNKNOWN', answer.detail ?? '', response.status);
  return answer as T;
}

export interface Sending {
  readonly done: Promise<{ id: string }>;
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
  const done = new Promise<{ id: string }>((resolve, reject) => {
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
    request.onload = () => {
      const answer = request.response ?? {};
      if (request.status === 202) resolve(answer);
      else reject(new ApiError(answer.code ?? 'UNKNOWN', answer.detail ?? '', request.status));
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
