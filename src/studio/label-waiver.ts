import type { Language } from './ports/basics.js';

/** Somebody was given a file without a visible label. */
export interface LabelWaiverRecord {
  readonly key: string;
  readonly customerId: string;
  readonly photoId: string;
  /** `customer`: confirmed that they label it themselves; `operator`: files have none here. */
  readonly asked: 'customer' | 'operator';
  /** In which the words were. */
  readonly language: Language;
  readonly atMs: number;
}

/** What a customer wants of the visible label on a paid file. */
export interface LabelWish {
  readonly visible: boolean;
  /** They have read that they must label the picture themselves when they publish it. */
  readonly confirmed?: boolean;
}
