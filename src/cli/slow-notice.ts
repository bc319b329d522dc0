import type { MigrationProgress } from '../storage/migrate.js';
import type { Shell } from './shell.js';

/** What is over sooner needs no notice, ms. */
const quietMs = 2_000;

/** @returns says something only when it has been quiet for two seconds: short work stays silent. */
export function slowNotice(now: () => number): (say: () => void) => void {
  let saidMs = now();
  return (say) => {
    if (now() - saidMs < quietMs) return;
    saidMs = now();
    say();
  };
}

/** How far a large database is on its way to today's schema. */
export function migrationNotice({
  output,
  t,
  now,
}: Pick<Shell, 'output' | 't' | 'now'>): (progress: MigrationProgress) => void {
  const slow = slowNotice(now);
  return ({ step, done, of }) =>
    slow(() => output.notice(t('office.db.migrating', { step, done, of })));
}
