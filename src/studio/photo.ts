import type { Moves } from './state-machine.js';

/**
 * received: recorded, bytes not here yet. queued: bytes stored, restore waits. restoring: a worker
 * has it. ready: preview and plane exist. failed and cancelled are final for this attempt; a retry
 * goes back to queued. deleted: nothing but the row is left.
 */
export type PhotoState =
  | 'received'
  | 'queued'
  | 'restoring'
  | 'ready'
  | 'failed'
  | 'cancelled'
  | 'deleted';

export const photoMoves: Moves<PhotoState> = {
  received: ['queued', 'failed', 'cancelled', 'deleted'],
  queued: ['restoring', 'ready', 'failed', 'cancelled', 'deleted'],
  restoring: ['queued', 'ready', 'failed', 'cancelled', 'deleted'],
  ready: ['deleted'],
  failed: ['queued', 'received', 'deleted'],
  cancelled: ['queued', 'received', 'deleted'],
  deleted: [],
};

/** A look is one colouring of a photo: model, size, finishing. */
export type LookState = 'waiting' | 'ready' | 'failed';

export const lookMoves: Moves<LookState> = {
  waiting: ['ready', 'failed'],
  ready: [],
  failed: ['waiting'],
};
