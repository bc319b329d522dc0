import type { ControlledTransaction, Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.js';

/** Pieces of work that may share one commit. */
const groupMax = 64;

type Work = (db: Transaction<Schema>) => Promise<unknown>;

interface Waiting {
  readonly work: Work;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * SQLite has one writer, and waiting for the disk is what a commit costs. Work that arrives while a
 * commit is under way shares the next one, each piece behind its own savepoint: a piece that fails
 * is undone alone, the others commit. Each promise resolves after the disk has it.
 */
export function createGroupCommit(writer: Kysely<Schema>) {
  const waiting: Waiting[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      // Whoever waits for the event loop may still join.
      await new Promise((resolve) => setImmediate(resolve));
      await commit(waiting.splice(0, groupMax));
    }
    running = false;
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    const settle: (() => void)[] = [];
    try {
      const transaction = await writer.startTransaction().execute();
      try {
        for (const piece of group) settle.push(await attempt(transaction, piece));
        await transaction.commit().execute();
      } catch (error) {
        await transaction
          .rollback()
          .execute()
          .catch(() => {});
        throw error;
      }
      for (const tell of settle) tell();
    } catch (error) {
      // Nothing of the group is on the disk.
      for (const { reject } of group) reject(error);
    }
  }

  return <T>(work: (db: Transaction<Schema>) => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ work, resolve: resolve as (result: unknown) => void, reject });
      if (!running) run();
    });
}

/** @returns what to tell its caller once the group is on the disk. */
async function attempt(
  transaction: ControlledTransaction<Schema>,
  { work, resolve, reject }: Waiting,
): Promise<() => void> {
  const piece = await transaction.savepoint('piece').execute();
  try {
    const result = await work(piece);
    await piece.releaseSavepoint('piece').execute();
    return () => resolve(result);
  } catch (error) {
    await piece.rollbackToSavepoint('piece').execute();
    return () => reject(error);
  }
}
