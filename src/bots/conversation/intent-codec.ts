import type { Language } from '../../studio/ports/basics.js';
import { isPaymentMethod } from '../../studio/ports/gateway.js';
import type { FinishingChange, Intent } from './intent.js';

/** Telegram's limit on a button's callback_data. */
export const encodedIntentMaxBytes = 64;

type Kind = Intent['kind'];

/** Two letters per kind that a button can carry; the rest never comes from a button. */
const codes = {
  start: 'st',
  help: 'he',
  credits: 'cr',
  buy: 'bu',
  buyPack: 'bp',
  history: 'hi',
  settings: 'se',
  setPreset: 'sp',
  language: 'la',
  link: 'li',
  delete: 'de',
  deleteAll: 'da',
  support: 'su',
  cancel: 'ca',
  refund: 'rf',
  showPhoto: 'ph',
  hd: 'hd',
  hdAlbum: 'ha',
  zip: 'zi',
  oneByOne: 'ob',
  variants: 'va',
  pick: 'pi',
  adjust: 'ad',
  setFinishing: 'sf',
  refreshOrder: 'ro',
  cancelOrder: 'co',
  receipt: 'rc',
  label: 'lb',
} as const satisfies Partial<Record<Kind, string>>;

const kinds = new Map(Object.entries(codes).map(([kind, code]) => [code as string, kind as Kind]));
/** Kinds that say all by themselves. */
const bare = new Set<Kind>(['start', 'help', 'credits', 'buy', 'settings', 'cancel']);
const changes: readonly string[] = ['stronger', 'weaker', 'warmer', 'cooler', 'reset'];

/** `hd:ph_...:alipay`. @throws {RangeError} an intent that no button carries, or too long. */
export function encodeIntent(intent: Intent): string {
  const code = (codes as Partial<Record<Kind, string>>)[intent.kind];
  if (!code) throw new RangeError(`no button carries ${intent.kind}`);
  const text = [code, ...parts(intent)].join(':');
  if (Buffer.byteLength(text) > encodedIntentMaxBytes) throw new RangeError(`too long: ${text}`);
  return text;
}

function parts(intent: Intent): string[] {
  switch (intent.kind) {
    case 'buyPack':
      return [intent.pack, ...(intent.method ? [intent.method] : [])];
    case 'setPreset':
      return [intent.preset];
    case 'language':
      return intent.language ? [intent.language] : [];
    case 'delete':
      return intent.photoId ? [intent.photoId] : [];
    case 'refund':
      return intent.orderId ? [intent.orderId] : [];
    case 'history':
      return intent.before ? [intent.before] : [];
    case 'deleteAll':
      return intent.confirmed ? ['yes'] : [];
    case 'hd':
      return [intent.photoId, ...(intent.method ? [intent.method] : [])];
    case 'hdAlbum':
      return [intent.albumId, ...(intent.method ? [intent.method] : [])];
    case 'zip':
      return [intent.albumId];
    case 'oneByOne':
      return [intent.albumId, String(intent.from)];
    case 'showPhoto':
    case 'variants':
    case 'adjust':
      return [intent.photoId];
    case 'label':
      return [intent.want, ...(intent.photoId ? [intent.photoId] : [])];
    case 'pick':
      return [intent.lookId, intent.photoId];
    case 'setFinishing':
      return [intent.photoId, intent.change];
    case 'refreshOrder':
    case 'cancelOrder':
    case 'receipt':
      return [intent.orderId];
    default:
      return [];
  }
}

/** @returns undefined for anything we never wrote: old buttons and forged ones. */
export function decodeIntent(text: string): Intent | undefined {
  const [code = '', a, b] = text.split(':');
  const kind = kinds.get(code);
  if (!kind) return undefined;
  if (kind === 'language') {
    if (a !== undefined && a !== 'en' && a !== 'zh-CN') return undefined;
    return { kind, ...(a ? { language: a as Language } : {}) };
  }
  if (kind === 'history') return { kind, ...(a ? { before: a } : {}) };
  if (kind === 'refund') return { kind, ...(a ? { orderId: a } : {}) };
  if (kind === 'delete') return { kind, ...(a ? { photoId: a } : {}) };
  if (kind === 'deleteAll') return { kind, confirmed: a === 'yes' };
  if (kind === 'link' || kind === 'support') return { kind };
  if (bare.has(kind)) return a === undefined ? ({ kind } as Intent) : undefined;
  return byMethod(kind, a, b) ?? withSubject(kind, a, b);
}

/** A method that is none must not become the default one: such a button is nobody's wish. */
function byMethod(
  kind: Kind,
  a: string | undefined,
  method: string | undefined,
): Intent | undefined {
  if (!a || (method !== undefined && !isPaymentMethod(method))) return undefined;
  switch (kind) {
    case 'buyPack':
      return { kind, pack: a, method };
    case 'hd':
      return { kind, photoId: a, method };
    case 'hdAlbum':
      return { kind, albumId: a, method };
    default:
      return undefined;
  }
}

function withSubject(kind: Kind, a: string | undefined, b: string | undefined): Intent | undefined {
  if (!a) return undefined;
  switch (kind) {
    case 'setPreset':
      return { kind, preset: a };
    case 'zip':
      return { kind, albumId: a };
    case 'oneByOne':
      return /^\d{1,4}$/.test(b ?? '') ? { kind, albumId: a, from: Number(b) } : undefined;
    case 'showPhoto':
    case 'variants':
    case 'adjust':
      return { kind, photoId: a };
    case 'label':
      return a === 'with' || a === 'without' || a === 'confirmed'
        ? { kind, want: a, ...(b ? { photoId: b } : {}) }
        : undefined;
    case 'pick':
      return b ? { kind, lookId: a, photoId: b } : undefined;
    case 'setFinishing':
      return b && changes.includes(b)
        ? { kind, photoId: a, change: b as FinishingChange }
        : undefined;
    case 'refreshOrder':
    case 'cancelOrder':
    case 'receipt':
      return { kind, orderId: a };
    default:
      return undefined;
  }
}
