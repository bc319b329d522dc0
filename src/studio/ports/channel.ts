import type { ChatRef, CustomerEvent } from '../jobs.js';
import type { ChannelId } from './basics.js';
import type { Customer } from './studio.js';

/** Outbound side of a chat: web page, Telegram, WeChat. Inbound sides call the `Studio` port. */
export interface ChatChannel {
  readonly id: ChannelId;
  /**
   * Tell the customer. `key` is natural: the same key again must not show twice (edit or skip).
   * @throws {ChannelAway} later; {CustomerUnreachable} never (blocked, left).
   */
  notify(to: ChatRef, customer: Customer, event: CustomerEvent, key: string): Promise<void>;
  /**
   * Download what `fileRef` of an intake names into `file`.
   * @throws {PhotoFileTooLarge | ChannelAway | PhotoUnreadable}
   */
  fetchFile(fileRef: string, file: string, signal: AbortSignal): Promise<void>;
}
