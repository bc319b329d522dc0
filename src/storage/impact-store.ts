import { sql } from 'kysely';
import type { PeriodReports, WorkFacts } from '../studio/impact/facts.js';
import type { Database } from './database.js';
import { translateDatabaseError } from './database-errors.js';

/** What was made in a period, over an open, migrated database; reads only. */
export function createPeriodReports({ reader: db }: Database): PeriodReports {
  const made = (fromMs: number, toMs: number) =>
    db
      .selectFrom('looks')
      .where('state', '=', 'ready')
      .where('readyMs', '>=', fromMs)
      .where('readyMs', '<', toMs);

  return {
    async period(fromMs, toMs) {
      try {
        const { photos } = await made(fromMs, toMs)
          .select(({ fn }) => fn.count<number>('photoId').distinct().as('photos'))
          .executeTakeFirstOrThrow();
        const rows = await made(fromMs, toMs)
          // Another finishing of known colours costs no inference.
          .where('provider', '<>', 'none')
          .select(({ fn }) => [
            'provider',
            'card',
            'cardId',
            fn.countAll<number>().as('inferences'),
            fn.sum<number>('seconds').as('seconds'),
            sql<number>`sum(case when joules is null then 0 else seconds end)`.as(
              'measuredSeconds',
            ),
            sql<number>`coalesce(sum(joules), 0)`.as('joules'),
            fn.min<number>('readyMs').as('firstMs'),
            fn.max<number>('readyMs').as('lastMs'),
          ])
          .groupBy(['provider', 'card', 'cardId'])
          .orderBy('provider')
          .orderBy('card')
          .orderBy('cardId')
          .execute();
        return { photos: Number(photos), work: rows.map(toFacts) };
      } catch (error) {
        throw translateDatabaseError(error);
      }
    },
  };
}

function toFacts(row: { [K in keyof WorkFacts]: WorkFacts[K] | null }): WorkFacts {
  return {
    provider: String(row.provider),
    card: row.card,
    cardId: row.cardId,
    inferences: Number(row.inferences),
    seconds: Number(row.seconds),
    measuredSeconds: Number(row.measuredSeconds),
    joules: Number(row.joules),
    firstMs: Number(row.firstMs),
    lastMs: Number(row.lastMs),
  };
}
