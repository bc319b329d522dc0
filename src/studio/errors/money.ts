import { StudioError } from './base.js';

/** Same natural key, other content: nothing is written, somebody must look. */
export class LedgerConflict extends StudioError {
  constructor(readonly key: string) {
    super('LEDGER_CONFLICT', 'money.conflict', 'never', `ledger conflict on ${key}`);
  }
}

/** Fewer credits than the work costs. */
export class CreditsInsufficient extends StudioError {
  constructor(
    readonly needed: number,
    readonly available: number,
  ) {
    super(
      'CREDITS_INSUFFICIENT',
      'money.creditsInsufficient',
      'never',
      `${needed} credits needed, ${available} available`,
      { params: { needed, available } },
    );
  }
}

/** A way to pay that is not offered here. */
export class MethodUnavailable extends StudioError {
  constructor(readonly method: string) {
    super('METHOD_UNAVAILABLE', 'money.methodUnavailable', 'never', `method ${method}`, {
      params: { method },
    });
  }
}

/** No provider is set up for this channel, and the sandbox is off. */
export class NothingToPayWith extends StudioError {
  constructor() {
    super('METHOD_UNAVAILABLE', 'money.nothingToPayWith', 'never', 'no method');
  }
}

/** Same Idempotency-Key, other request. */
export class IdempotencyConflict extends StudioError {
  constructor() {
    super('IDEMPOTENCY_CONFLICT', 'money.idempotencyConflict', 'never', 'key used before');
  }
}

/** Nobody knows whether the provider did it: query before deciding. */
export class GatewayUnknown extends StudioError {
  constructor(
    readonly gateway: string,
    reason: string,
    cause?: unknown,
  ) {
    super('GATEWAY_UNKNOWN', 'money.gatewayUnknown', 'unknown', `${gateway}: ${reason}`, {
      cause,
      params: { gateway },
    });
  }
}

/** A verified, final no of the provider. */
export class GatewayRefused extends StudioError {
  constructor(
    readonly gateway: string,
    readonly providerCode: string,
    reason: string,
  ) {
    super(
      'GATEWAY_REFUSED',
      'money.gatewayRefused',
      'never',
      `${gateway} ${providerCode}: ${reason}`,
      {
        params: { gateway, providerCode },
      },
    );
  }
}

/** Not from the provider, or not for us, or too old. `reason` holds no secrets. */
export class NotificationRejected extends StudioError {
  constructor(
    readonly gateway: string,
    readonly reason: string,
  ) {
    super('NOTIFICATION_REJECTED', 'money.notificationRejected', 'never', `${gateway}: ${reason}`);
  }
}

/** The provider has not made that day's bill yet. @param date YYYY-MM-DD. */
export class BillNotReady extends StudioError {
  constructor(gateway: string, date: string) {
    super(
      'BILL_NOT_READY',
      'money.billNotReady',
      'later',
      `${gateway} has no bill for ${date} yet`,
      {
        params: { gateway, date },
      },
    );
  }
}
