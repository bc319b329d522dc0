import { studioTables } from './001-studio.js';
import { moneyTables } from './002-money.js';
import { queueTables } from './003-queue.js';
import { chatTables } from './004-chats.js';
import { workFacts } from './005-work-facts.js';
import { jobAnswers } from './006-answers.js';
import { operatorLog } from './007-operator-log.js';
import { questions } from './008-questions.js';
import { growth } from './009-growth.js';
import { labels } from './010-labels.js';
import { fileNames } from './011-file-names.js';
import type { Migration } from './migration.js';

/** All steps, in order. Never change one that has been released: add another. */
export const migrations: readonly Migration[] = [
  studioTables,
  moneyTables,
  queueTables,
  chatTables,
  workFacts,
  jobAnswers,
  operatorLog,
  questions,
  growth,
  labels,
  fileNames,
];

export type { DialectName, Migration } from './migration.js';
