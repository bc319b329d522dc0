import type { ChannelId, Language } from './basics.js';
import type { Finishing } from './colorizer.js';

/** Who is asking: resolved once per request or update, created at first sight. */
export interface Customer {
  readonly id: string;
  readonly language: Language;
  /** Short code a customer can quote to the operator; stable over unstable contact ids. */
  readonly customerCode: string;
}

/** A customer with what they have and want. */
export interface CustomerProfile extends Customer {
  readonly credits: number;
  readonly freePreviewsLeftToday: number;
  readonly settings: CustomerSettings;
  readonly identities: readonly ChannelId[];
}

/** A profile without a customer. */
export type Newcomer = Omit<CustomerProfile, 'id' | 'customerCode'>;

/** What a customer wants for every photo to come. */
export interface CustomerSettings {
  readonly preset: string;
  readonly finishing: Finishing;
}
