// A worker to be killed: takes one job and never ends it. Runs the built product (dist).
// node queue-victim.cjs <bull|sqlite|postgres> <redis url|file|database url> <policy JSON>
const [kind, place, policy] = process.argv.slice(2);
const deps = {
  clock: { now: () => Date.now() },
  logger: { debug() {}, info() {}, warn() {}, error() {} },
};

async function open() {
  if (kind === 'bull') {
    const { createBullQueue } = require('../../dist/queue/bull-queue.js');
    return createBullQueue(deps, { redisUrl: place, ...JSON.parse(policy) });
  }
  const { createDatabaseQueue } = require('../../dist/queue/database-queue.js');
  const { openDatabase } = require('../../dist/storage/database.js');
  const target = kind === 'postgres' ? { file: '', url: place } : { file: place };
  const db = openDatabase(target).raw;
  return createDatabaseQueue({ db, ...deps }, { dialect: kind, pollMs: 50, ...JSON.parse(policy) });
}

open().then((queue) => {
  const notify = async (job) => {
    process.stdout.write(`${JSON.stringify({ key: job.key, attempt: job.attempt })}\n`);
    await new Promise(() => {});
  };
  queue.consume(['notify'], { notify }, { concurrency: 1, worker: `victim:${process.pid}` });
  setInterval(() => {}, 1_000);
});
