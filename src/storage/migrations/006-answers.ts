import type { Migration } from './migration.js';

/** What a job answered, for whoever added it. */
export const jobAnswers: Migration = {
  name: '006-answers',
  statements: () => ['alter table queue_jobs add column answer text'],
};
