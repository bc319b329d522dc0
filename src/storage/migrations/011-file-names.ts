import type { Migration } from './migration.js';

/** What the sender called a photo's file: a name for what they get back, never a path. */
export const fileNames: Migration = {
  name: '011-file-names',
  statements: () => ['alter table photos add column file_name text'],
};
