import type { Moves } from './state-machine.js';

/**
 * received: recorded, bytes not here yet. queued: bytes stored, restore waits. restoring: a worker
 * has it. ready: preview and plane exist. failed and cancelled are final for this attempt; a retry
 * goes back to queued. deleted: nothing but the row is left.
 */
export const photoStates = {
  received: 'underWay',
  queued: 'underWay',
  restoring: 'underWay',
  ready: 'done',
  failed: 'over',
  cancelled: 'over',
  deleted: 'over',
} as const satisfies Readonly<Record<string, 'underWay' | 'done' | 'over'>>;

/** Where a photo stands. */
export type PhotoState = keyof typeof photoStates;

/** All states, in the order of a photo's life. */
export const photoStateNames = Object.keys(photoStates) as readonly PhotoState[];
/** States of a photo that waits or is worked on. */
export const statesUnderWay = photoStateNames.filter(isUnderWay);

/** Whether a photo waits or is worked on, and has nothing to show yet. */
export function isUnderWay(state: PhotoState): boolean {
  return photoStates[state] === 'underWay';
}

/** Whether a run's outcome still counts: cancelled, deleted or given up, it does not. */
export function awaitsOutcome(state: PhotoState): boolean {
  return state === 'ready' || photoMoves[state].includes('ready');
}

/** What a photo may become. */
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
export const lookStateNames = ['waiting', 'ready', 'failed'] as const;
/** Where a look stands. */
export type LookState = (typeof lookStateNames)[number];

/** What a look may become. */
export const lookMoves: Moves<LookState> = {
  waiting: ['ready', 'failed'],
  ready: [],
  failed: ['waiting'],
};
