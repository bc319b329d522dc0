import assert from 'node:assert/strict';

/** Legal moves of one kind of thing: from each state, where it may go. */
export type Moves<S extends string> = Readonly<Record<S, readonly S[]>>;

/**
 * Assert that a move is legal; an illegal one is a bug of ours and must not be written.
 * @throws {AssertionError}
 */
export function assertMove<S extends string>(moves: Moves<S>, from: S, to: S, what: string): void {
  assert(moves[from].includes(to), `illegal move of ${what}: ${from} -> ${to}`);
}
