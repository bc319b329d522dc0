import { StudioError } from './base.js';

/** The chat's server is away or asks us to wait. */
export class ChannelAway extends StudioError {
  constructor(
    readonly channel: string,
    readonly retryAfterMs?: number,
    cause?: unknown,
  ) {
    super('CHANNEL_AWAY', 'channel.away', 'later', `${channel} is away`, { cause });
  }
}

/** The customer blocked us or left: telling them is over. */
export class CustomerUnreachable extends StudioError {
  constructor(readonly channel: string) {
    super('CUSTOMER_UNREACHABLE', 'channel.unreachable', 'never', `${channel}: unreachable`);
  }
}
