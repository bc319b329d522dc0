import type { JobName } from '../jobs.js';
import type { PhotoState } from '../photo.js';
import type { GatewayId, PaymentMethod } from './gateway.js';

/** Jobs of one kind that are wanted and not through yet. */
export interface Backlog {
  readonly job: JobName;
  readonly priority: number;
  readonly jobs: number;
  /** How long the oldest has been due, ms. */
  readonly oldestMs: number;
}

/** Standing figures of the whole studio, read when somebody asks; never by the stages. */
export interface Monitor {
  backlog(nowMs: number): Promise<readonly Backlog[]>;
  photos(): Promise<readonly { readonly state: PhotoState; readonly count: number }[]>;
  orders(): Promise<
    readonly { readonly state: string; readonly method: PaymentMethod; readonly count: number }[]
  >;
  charges(): Promise<
    readonly { readonly state: string; readonly gateway: GatewayId; readonly count: number }[]
  >;
  refunds(): Promise<readonly { readonly state: string; readonly count: number }[]>;
  /** Money that matches no order and that nobody has dealt with. */
  quarantined(): Promise<readonly { readonly gateway: GatewayId; readonly count: number }[]>;
}
