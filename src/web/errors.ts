import { StudioError } from '../studio/errors/base.js';

/** A browser sent this from another site's page. */
export class CrossSiteRefused extends StudioError {
  constructor() {
    super('CROSS_SITE_REFUSED', 'web.crossSite', 'never', 'cross-site request refused');
  }
}

/** Too many requests, uploads, new customers or live connections. */
export class TooManyRequests extends StudioError {
  constructor(
    readonly what: 'requests' | 'uploads' | 'customers' | 'connections',
    readonly retryAfterSeconds: number,
  ) {
    super('TOO_MANY_REQUESTS', `web.tooMany.${what}`, 'later', `too many ${what}`, {
      params: { retryAfterSeconds },
    });
  }
}

/** The HD file exists for whoever unlocks it. */
export class PaymentRequired extends StudioError {
  constructor() {
    super('PAYMENT_REQUIRED', 'web.paymentRequired', 'never', 'not unlocked');
  }
}

/** The file will exist, but does not yet: ask again in a moment. */
export class NotReadyYet extends StudioError {
  readonly retryAfterSeconds = 2;
  constructor(what: string) {
    super('NOT_READY_YET', 'web.notReadyYet', 'later', `${what} is not ready yet`);
  }
}

/** Buying HD without a usable Idempotency-Key. */
export class IdempotencyKeyMissing extends StudioError {
  constructor() {
    super(
      'IDEMPOTENCY_KEY_MISSING',
      'web.idempotencyKeyMissing',
      'never',
      'Idempotency-Key header missing or not 8..128 printable characters',
    );
  }
}

/** An address that is none of ours. */
export class NoSuchPage extends StudioError {
  constructor() {
    super('NO_SUCH_PAGE', 'web.noSuchPage', 'never', 'no such address');
  }
}

/** A field that must be there is not. */
export class FieldMissing extends StudioError {
  constructor(field: string) {
    super('INVALID_REQUEST', 'web.fieldMissing', 'never', `${field} is missing`, {
      params: { field },
    });
  }
}

/** A field nobody asked for. */
export class FieldUnknown extends StudioError {
  constructor(field: string) {
    super('INVALID_REQUEST', 'web.fieldUnknown', 'never', `${field} is not known`, {
      params: { field },
    });
  }
}

/** Broken JSON, a form that ends too early. @param reason for the log, in the parser's words. */
export class RequestMalformed extends StudioError {
  constructor(reason: string) {
    super('INVALID_REQUEST', 'web.malformed', 'never', `malformed: ${reason}`);
  }
}

/** One part of the address is longer than any of ours. */
export class AddressTooLong extends StudioError {
  constructor() {
    super('ADDRESS_TOO_LONG', 'web.addressTooLong', 'never', 'a part of the address is too long');
  }
}

/** More headers than are read, as when a browser has collected too many cookies. */
export class HeadersTooLarge extends StudioError {
  constructor() {
    super('HEADERS_TOO_LARGE', 'web.headersTooLarge', 'never', 'request headers too large');
  }
}

/** The request did not arrive in time. */
export class RequestTooSlow extends StudioError {
  constructor() {
    super('REQUEST_TOO_SLOW', 'web.requestTooSlow', 'later', 'request did not arrive in time');
  }
}

/** A body in another format than the route reads. */
export class ContentTypeUnsupported extends StudioError {
  constructor(expected: string) {
    super('CONTENT_TYPE_UNSUPPORTED', 'web.contentType', 'never', `expected ${expected}`, {
      params: { expected },
    });
  }
}

/** Of everything that is no photo. */
export class BodyTooLarge extends StudioError {
  constructor(limitBytes: number) {
    super('BODY_TOO_LARGE', 'web.bodyTooLarge', 'never', `limit ${limitBytes} bytes`, {
      params: { limitKilobytes: Math.floor(limitBytes / 1000) },
    });
  }
}

/** The file is shorter than the part that was asked for. */
export class RangeNotThere extends StudioError {
  constructor() {
    super('RANGE_NOT_THERE', 'web.rangeNotThere', 'never', 'the file has no such part');
  }
}

/** Not a worker of ours: the token is missing or another. */
export class WorkerRefused extends StudioError {
  constructor() {
    super('WORKER_REFUSED', 'web.workerRefused', 'never', 'worker token missing or wrong');
  }
}

/** What arrived is not what its name says; it was thrown away. */
export class UploadDamaged extends StudioError {
  constructor(expected: string, found: string) {
    super('UPLOAD_DAMAGED', 'web.uploadDamaged', 'later', `expected ${expected}, found ${found}`, {
      params: { expected, found },
    });
  }
}

/** A part that does not begin where the upload ended; the answer's header says where that is. */
export class OffsetMismatch extends StudioError {
  constructor(readonly offsetBytes: number) {
    super('OFFSET_MISMATCH', 'web.offsetMismatch', 'later', `the upload ends at ${offsetBytes}`, {
      params: { offsetBytes },
    });
  }
}

/** `/metrics` without its token. */
export class MetricsRefused extends StudioError {
  constructor() {
    super('METRICS_REFUSED', 'web.metricsRefused', 'never', 'no or another token');
  }
}

/** Another process listens there already, or the address is not ours. */
export class AddressInUse extends StudioError {
  constructor(host: string, port: number, cause: unknown) {
    super('ADDRESS_IN_USE', 'web.addressInUse', 'never', `cannot listen on ${host}:${port}`, {
      cause,
      params: { host, port },
    });
  }
}
