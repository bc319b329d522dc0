import type { Command } from 'commander';
import { exitCodesHelp } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import { wholeIn } from '../options.js';
import { type Finish, withCommonOptions } from '../register.js';

/** serve, worker and jobs: the processes of a studio. Their work is imported when they run. */
export function registerServe(program: Command, finish: Finish): void {
  const serve = program
    .command('serve')
    .summary('open the studio: web page, HTTP API and workers')
    .description(
      `Open the studio on this machine: prints one address. Everything is kept in the data folder, and
a second start goes on where the first one stopped. Listens to this machine alone unless HOST says
otherwise.`,
    );
  withCommonOptions(serve)
    .addHelpText(
      'after',
      `
Settings (environment; all of them in config/default.yaml):
  HOST, PORT          where to listen (127.0.0.1:8080)
  PUBLIC_URL          how the outside reaches it
  HUANCAI_DATA_DIR    photos, database, keys
  DATABASE_URL        postgres://...  instead of the built-in SQLite
  REDIS_URL           redis://...     work shared with "huancai worker" on other boxes
${exitCodesHelp}`,
    )
    .action(async (options: GlobalOptions) => {
      const { serve: run } = await import('./run.js');
      finish(await run(options));
    });

  const worker = program
    .command('worker')
    .summary('colour photos for a studio that runs elsewhere')
    .description(
      `Take photos out of the studio's queue and colour them: on another box with REDIS_URL, or beside
"huancai serve" on the same data folder. Needs no bot tokens and no payment keys.`,
    );
  withCommonOptions(worker)
    .addHelpText(
      'after',
      `
Settings (environment; all of them in docs/fleet.md):
  REDIS_URL              the studio's queue
  S3_BUCKET, S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY
                         photos in a bucket; the studio has the same settings
  HUANCAI_STUDIO_URL, HUANCAI_WORKER_TOKEN
                         or photos over the studio's own address
  MODEL_MIRRORS          where models are fetched from
${exitCodesHelp}`,
    )
    .action(async (options: GlobalOptions) => {
      const { worker: run } = await import('../worker/run.js');
      finish(await run(options));
    });
  withCommonOptions(
    program
      .command('workers')
      .summary('list the boxes that colour photos')
      .description('List the workers that are connected to Redis: cards, speed, models, state.'),
  ).action(async (options: GlobalOptions) => {
    const { listWorkers } = await import('../worker/list.js');
    finish(await listWorkers(options));
  });
  registerJobs(program, finish);
}

function registerJobs(program: Command, finish: Finish): void {
  const jobs = program.command('jobs').description('see, retry and cancel the work in the queue');
  withCommonOptions(jobs.command('list').description('Show jobs, newest first.'))
    .option('--state <state>', 'waiting, active, delayed, done, dead, cancelled; repeated', collect)
    .option('--limit <n>', 'at most this many', wholeIn(1, 1_000, 50), 50)
    .action(async (options) => {
      const { listJobs } = await import('../jobs.js');
      finish(await listJobs(options));
    });
  for (const action of ['retry', 'cancel'] as const) {
    const description = {
      retry: 'Let dead or cancelled jobs run again, attempts from zero.',
      cancel: 'Cancel waiting jobs at once and ask running ones to stop.',
    }[action];
    withCommonOptions(jobs.command(action).description(description))
      .argument('<keys...>', 'from "huancai jobs list"')
      .addHelpText('after', exitCodesHelp)
      .action(async (keys: string[], options: GlobalOptions) => {
        const { changeJobs } = await import('../jobs.js');
        finish(await changeJobs(action, keys, options));
      });
  }
}

function collect(value: string, all: string[] = []): string[] {
  return [...all, value];
}
