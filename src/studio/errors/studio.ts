import type { OrderState } from '../order.js';
import type { LookState, PhotoState } from '../photo.js';
import { StudioError } from './base.js';

/** Not there, or somebody else's: the two look the same from outside. */
export class NotFound extends StudioError {
  constructor(what: 'photo' | 'order' | 'look' | 'customer' | 'code' | 'job') {
    super('NOT_FOUND', `studio.notFound.${what}`, 'never', `${what} not found`, {
      params: { what },
    });
  }
}

/** What was wanted; each has its words in `studio.doing`. */
export type Doing =
  | 'unlock'
  | 'select'
  | 'change'
  | 'colour'
  | 'cancel'
  | 'pay'
  | 'sandbox'
  | 'receipt'
  | 'refund'
  | 'label';

/** How the thing is; each has its words in `studio.being`. */
export type Being =
  | PhotoState
  | LookState
  | OrderState
  | 'expired'
  | 'sandboxOff'
  | 'otherMethod'
  | 'notOffered';

/** The thing exists but is not in a state where this makes sense. */
export class NotPossibleNow extends StudioError {
  constructor(action: Doing, state: Being) {
    super('NOT_POSSIBLE_NOW', 'studio.notPossibleNow', 'never', `${action} while ${state}`, {
      params: { action, state },
    });
  }
}

/** A file without the visible label goes to whoever has confirmed that they label it themselves. */
export class LabelUnconfirmed extends StudioError {
  constructor() {
    super('LABEL_UNCONFIRMED', 'studio.labelUnconfirmed', 'never', 'not confirmed');
  }
}

/** Today's free previews are used up. */
export class QuotaExceeded extends StudioError {
  constructor(readonly limitPerDay: number) {
    super('QUOTA_EXCEEDED', 'studio.quotaExceeded', 'never', `${limitPerDay} free a day`, {
      params: { limitPerDay },
    });
  }
}

/** Too many photos wait already (per customer or in all), or the operator paused intake. */
export class IntakeClosed extends StudioError {
  constructor(reason: 'backlog' | 'paused' | 'disk') {
    super('INTAKE_CLOSED', `studio.intakeClosed.${reason}`, 'later', `intake closed: ${reason}`, {
      params: { reason },
    });
  }
}

/** A request whose words are off: which field, what was expected, what came. */
export class InvalidRequest extends StudioError {
  constructor(field: string, expected: string, found: string) {
    super(
      'INVALID_REQUEST',
      'studio.invalidRequest',
      'never',
      `${field}: expected ${expected}, found ${found}`,
      { params: { field, expected, found } },
    );
  }
}

/** The queue's server cannot be reached. */
export class QueueAway extends StudioError {
  constructor(cause?: unknown) {
    super('QUEUE_AWAY', 'studio.queueAway', 'later', 'the queue cannot be reached', { cause });
  }
}

/** Workers died again and again while they had this job: it is set aside. */
export class WorkerLost extends StudioError {
  constructor(readonly workers: number) {
    super('WORKER_LOST', 'studio.workerLost', 'never', `${workers} workers died with it`, {
      params: { workers },
    });
  }
}

/** Something nobody foresaw: a bug of ours or of a library. The cause is in the log. */
export class UnexpectedFault extends StudioError {
  constructor(cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    super('UNEXPECTED', 'studio.unexpected', 'later', text.slice(0, 500), { cause });
  }
}
