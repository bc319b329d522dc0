import { useEffect, useState } from 'preact/hooks';
import type { Me, Order, Photo, Prices } from './api';
import { initialLanguage, type Language, type Translate, translator } from './texts';

/** A file on its way (uploads/queue.ts). */
export interface Upload {
  /** 32 hex digits; sorts by age. */
  readonly key: string;
  readonly name: string;
  readonly thumbnail: string;
  readonly file: Blob;
  readonly preset: string;
  /** Held: it goes on by itself. Refused: not without the customer. Accepted: the photo follows. */
  readonly state: 'waiting' | 'sending' | 'held' | 'refused' | 'accepted';
  /** What has left this browser, 0..1. */
  readonly share: number;
  readonly error?: string;
  /** Refused for a reason that may pass. */
  readonly again?: boolean;
  /** Once accepted. */
  readonly photoId?: string;
  readonly abort?: () => void;
}

/** What lies over the chat. */
export type Sheet =
  | { name: 'order'; orderId: string }
  | { name: 'method'; photoIds: readonly string[] }
  | { name: 'credits' }
  | { name: 'history' }
  | { name: 'settings' }
  | { name: 'adjust'; photoId: string }
  | { name: 'details'; photoId: string }
  | { name: 'label'; photoId: string }
  | { name: 'receipt'; orderId: string };

/** All the page knows. */
export interface State {
  readonly language: Language;
  readonly me?: Me;
  readonly prices?: Prices;
  /** Oldest first, as in a chat. */
  readonly photos: readonly Photo[];
  readonly morePhotos: boolean;
  readonly uploads: readonly Upload[];
  readonly orders: Readonly<Record<string, Order>>;
  /** Object URLs of photos sent from this page, by photo id. */
  readonly thumbnails: Readonly<Record<string, string>>;
  readonly preset: string;
  readonly online: boolean;
  readonly sheet?: Sheet;
  readonly toast?: { text: string; bad: boolean };
}

let state: State = {
  language: initialLanguage(),
  photos: [],
  morePhotos: false,
  uploads: [],
  orders: {},
  thumbnails: {},
  preset: 'auto',
  online: true,
};
const listeners = new Set<() => void>();

/** The state of now. */
export function getState(): State {
  return state;
}

/** Change some of the state and tell every listener. */
export function setState(change: Partial<State> | ((now: State) => Partial<State>)): void {
  state = { ...state, ...(typeof change === 'function' ? change(state) : change) };
  for (const listener of listeners) listener();
}

/** Rerender whenever anything changed; the page is small enough. */
export function useStore(): State {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    const listener = () => setSeen(state);
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return seen;
}

/** Texts in the language chosen now. */
export function useTexts(): { t: Translate; language: Language } {
  const { language } = useStore();
  return { t: translator(language), language };
}

/** Text outside a component. */
export function text(...args: Parameters<Translate>): string {
  return translator(state.language)(...args);
}

/** Add a photo or replace its older state; oldest first. */
export function putPhoto(photo: Photo): void {
  setState(({ photos, uploads }) => {
    const rest = photos.filter((one) => one.id !== photo.id);
    const next = [...rest, photo];
    next.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
    return { photos: next, uploads: uploads.filter((one) => one.photoId !== photo.id) };
  });
}

/** Take an upload off the page. */
export function dropUpload(key: string): void {
  setState(({ uploads }) => ({ uploads: uploads.filter((one) => one.key !== key) }));
}

/** Forget a photo that is gone. */
export function dropPhoto(id: string): void {
  setState(({ photos }) => ({ photos: photos.filter((photo) => photo.id !== id) }));
}

/** Add an order or replace its older state. */
export function putOrder(order: Order): void {
  setState(({ orders }) => ({ orders: { ...orders, [order.id]: order } }));
}

let toastTimer: number | undefined;
/** A line at the foot of the page, read out by screen readers. */
export function toast(words: string, bad = false): void {
  clearTimeout(toastTimer);
  setState({ toast: { text: words, bad } });
  toastTimer = window.setTimeout(() => setState({ toast: undefined }), bad ? 9000 : 4000);
}
