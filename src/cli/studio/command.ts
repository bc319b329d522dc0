import { type Command, InvalidArgumentError } from 'commander';
import type { BackupOptions } from '../backup/run.js';
import { exitCodesHelp } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import { wholeIn } from '../options.js';
import { type Finish, withCommonOptions } from '../register.js';

/** The operator's desk: database, books, orders, refunds, codes. Work is imported when it runs. */
export function registerOffice(program: Command, finish: Finish): void {
  registerDatabase(program, finish);
  registerLedger(program, finish);
  registerOrders(program, finish);
  registerCodes(program, finish);
  registerLog(program, finish);
  registerPhotos(program, finish);
}

function registerDatabase(program: Command, finish: Finish): void {
  const db = program.command('db').description('see, bring up to date and back up the database');
  withCommonOptions(
    db.command('status').description('Which database, and which schema steps it has.'),
  )
    .addHelpText('after', exitCodesHelp)
    .action(async (options: GlobalOptions) => {
      const { databaseStatus } = await import('./database.js');
      finish(await databaseStatus(options));
    });
  withCommonOptions(
    db.command('migrate').description('Bring the schema up to date, as "huancai serve" does.'),
  )
    .addHelpText('after', exitCodesHelp)
    .action(async (options: GlobalOptions) => {
      const { databaseMigrate } = await import('./database.js');
      finish(await databaseMigrate(options));
    });
  withCommonOptions(
    db
      .command('backup')
      .description(`Write one archive of all that must survive, while the studio is open: database, photos,
keys, logged-in chats, settings. Photos in a bucket are listed, not copied.`),
  )
    .argument('<file>', 'a new file, such as huancai.zip')
    .option('--without-photos', 'list the photos only: back up the folder "blobs" another way')
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: BackupOptions) => {
      const { databaseBackup } = await import('../backup/run.js');
      finish(await databaseBackup(file, options));
    });
  withCommonOptions(
    db
      .command('restore')
      .description(`Bring a backup back into an empty data folder or PostgreSQL database, on this machine or
another, and prove the books. Stop the studio before.`),
  )
    .argument('<file>', 'what "huancai db backup" wrote')
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: GlobalOptions) => {
      const { databaseRestore } = await import('../backup/run.js');
      finish(await databaseRestore(file, options));
    });
}

function registerLedger(program: Command, finish: Finish): void {
  const ledger = program.command('ledger').description('the books');
  withCommonOptions(
    ledger
      .command('audit')
      .description(`Prove the books: assets balance, no balance is negative, every posted hold has a
delivery, every paid order its transfers. Prints the rows that do not fit and exits with 1.`),
  )
    .addHelpText('after', exitCodesHelp)
    .action(async (options: GlobalOptions) => {
      const { audit } = await import('./ledger.js');
      finish(await audit(options));
    });
}

function registerOrders(program: Command, finish: Finish): void {
  const orders = program.command('orders').description('orders, payments and money set aside');
  const limit = ['--limit <n>', 'at most this many', wholeIn(1, 10_000, 50), 50] as const;
  withCommonOptions(orders.command('list').description('Orders, newest first.'))
    .option(...limit)
    .option('--customer <customer>', 'only theirs: cu_..., or the code they quote')
    .action(async (options: GlobalOptions & { limit: number; customer?: string }) => {
      const { listOrders } = await import('./orders.js');
      finish(await listOrders(options));
    });
  withCommonOptions(orders.command('show').description('All there is to know of an order.'))
    .argument('<order>', 'or_..., or a customer (cu_... or their code): all of theirs')
    .action(async (id: string, options: GlobalOptions) => {
      const { showOrder } = await import('./orders.js');
      finish(await showOrder(id, options));
    });
  withCommonOptions(
    orders
      .command('quarantine')
      .description(`Payments that do not match an order to the fen. Nothing was delivered for them; look at
the provider, refund there or deliver by hand, then mark them with --resolve.`),
  )
    .option(...limit)
    .option('--resolve <id>', 'this one has been dealt with')
    .action(async (options: GlobalOptions & { limit: number; resolve?: string }) => {
      const { quarantine } = await import('./orders.js');
      finish(await quarantine(options));
    });
  withCommonOptions(
    program
      .command('refund')
      .summary('give money back')
      .description(`Give money back through the gateway it came by. Credits bought with it are taken
back unless they are spent. The studio does it at once, or when it is next started.`),
  )
    .argument('<order>', 'or_..., from "huancai orders list"; or a customer who has paid only one')
    .requiredOption('--reason <text>', 'kept with the refund')
    .option(
      '--amount-fen <n>',
      'part of it, in fen (Stars for XTR); default: all that is left',
      wholeIn(1, 100_000_000, 500),
    )
    .option('--key <key>', 'the same key again is the same refund')
    .addHelpText('after', exitCodesHelp)
    .action(async (id: string, options) => {
      const { refund } = await import('./orders.js');
      finish(await refund(id, options));
    });
}

function registerCodes(program: Command, finish: Finish): void {
  const codes = program.command('codes').description('codes that customers turn into credits');
  withCommonOptions(
    codes
      .command('create')
      .description(`Make codes and print them, this once: only their hashes are kept.`),
  )
    .requiredOption('--credits <n>', 'what each is worth', wholeIn(1, 1_000_000, 5))
    .option('--count <n>', 'how many', wholeIn(1, 10_000, 100), 1)
    .option('--batch <name>', 'a name for these', 'codes')
    .option('--expires <date>', 'YYYY-MM-DD, until the end of that day UTC', endOfDay)
    .action(async (options) => {
      const { createCodes } = await import('./codes.js');
      finish(await createCodes(options));
    });
}

function registerLog(program: Command, finish: Finish): void {
  const operator = program
    .command('operator')
    .description('what operators did, and what customers asked them');
  registerQuestions(operator, finish);
  withCommonOptions(
    operator
      .command('log')
      .description(`What operators changed, newest first: refunds, answers, joins, pauses, codes, erasures, broadcasts,
jobs; who did it, and from where. Nothing in it can be changed.`),
  )
    .option('--limit <n>', 'at most this many', wholeIn(1, 10_000, 50), 50)
    .addHelpText('after', exitCodesHelp)
    .action(async (options: GlobalOptions & { limit: number }) => {
      const { showOperatorLog } = await import('./operator-log.js');
      finish(await showOperatorLog(options));
    });
}

/** What customers asked where no operator's chat is set. */
function registerQuestions(operator: Command, finish: Finish): void {
  withCommonOptions(
    operator
      .command('questions')
      .description(`What customers asked the operator where no operator's chat is set, oldest first. Exits with 1
while somebody waits for an answer.`),
  )
    .option('--limit <n>', 'at most this many', wholeIn(1, 10_000, 50), 50)
    .addHelpText('after', exitCodesHelp)
    .action(async (options: GlobalOptions & { limit: number }) => {
      const { showQuestions } = await import('./questions.js');
      finish(await showQuestions(options));
    });
  withCommonOptions(
    operator
      .command('answer')
      .description('Answer a customer in their chat; the studio tells them when it is open.'),
  )
    .argument('<customer>', 'the code the customer quotes, or cu_...')
    .argument('<words...>', 'what to tell them')
    .action(async (customer: string, words: string[], options: GlobalOptions) => {
      const { answerQuestion } = await import('./questions.js');
      finish(await answerQuestion(customer, words, options));
    });
}

function registerPhotos(program: Command, finish: Finish): void {
  const photo = program.command('photo').description('what happened to a photo');
  withCommonOptions(photo.command('show').description('A photo and its history.'))
    .argument('<photo>', 'ph_..., or a customer (cu_... or their code): all of theirs')
    .action(async (id: string, options: GlobalOptions) => {
      const { showPhoto } = await import('./photos.js');
      finish(await showPhoto(id, options));
    });
  withCommonOptions(
    program
      .command('erase')
      .summary('delete everything personal of a customer')
      .description(`Delete all photos of a customer and everything personal at once. Orders and transfers
stay without a name, as accounts must.`),
  )
    .argument('<customer>', 'cu_..., or the code the customer quotes')
    .requiredOption('--yes', 'this cannot be undone')
    .action(async (customer: string, options: GlobalOptions) => {
      const { erase } = await import('./photos.js');
      finish(await erase(customer, options));
    });
}

function endOfDay(text: string): number {
  const atMs = Date.parse(`${text}T23:59:59.999Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(atMs)) return atMs;
  throw new InvalidArgumentError('Expected a date such as 2027-01-31.');
}
