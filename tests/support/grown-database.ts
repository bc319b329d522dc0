import { type Kysely, sql } from 'kysely';

/** When the shop of a grown database opened, ms since 1970; a photo came in each minute. */
export const openedMs = 1_700_000_000_000;
/** Between two photos, ms. */
export const everyMs = 60_000;

/** Id of the n-th row of a table, from 1: all of one length, in the order of time. */
export const nth = (prefix: string, n: number): string => `${prefix}_${10_000_000 + n}`;

const id = (prefix: string, n = 'i') => `'${prefix}_' || (10000000 + ${n})`;
const at = (i = 'i') => `${openedMs} + ${i} * ${everyMs}`;
const chat = `'{"channel":"web","chatId":"c"}'`;

/** How a shop with so many photos looks. */
interface Extent {
  readonly photos: number;
  readonly customers: number;
  readonly paid: number;
  /** Orders whose credits are still set aside. */
  readonly held: number;
}

/**
 * Fill a database of the product with a shop that has been open for a while: its books are right, a
 * hundredth of its jobs waits, one photo in a thousand is under way. By SQL alone: 10^5 photos take
 * seconds.
 */
export async function growDatabase(raw: Kysely<unknown>, photos: number): Promise<void> {
  const customers = Math.max(20, Math.ceil(photos / 10));
  const paid = Math.ceil(photos / 4);
  const extent = { photos, customers, paid, held: Math.min(10, paid) };
  await raw.transaction().execute(async (transaction) => {
    for (const one of [...people(extent), ...pictures(extent), ...books(extent), ...work(extent)]) {
      await sql.raw(one).execute(transaction);
    }
  });
}

/** One row for each i from 1 to n. */
const rows = (table: string, columns: string, n: number, values: string, where = ''): string => `
  insert into ${table} (${columns})
  with recursive numbers(i) as (
    select cast(1 as bigint) union all select i + 1 from numbers where i < ${n})
  select ${values} from numbers ${where}`;

function people({ customers, photos }: Extent): string[] {
  const customer = id('cu', `i % ${customers}`);
  return [
    rows(
      'customers',
      'id, code, language, preset, finishing, created_ms',
      customers,
      `${id('cu', 'i - 1')}, 'C' || i, 'en', 'auto', '{}', ${at()}`,
    ),
    rows(
      'identities',
      'channel, user_id, chat_id, customer_id, seen_ms',
      customers,
      `case when i % 2 = 0 then 'web' else 'telegram' end, 'u' || i, 'chat' || i,
        ${id('cu', 'i - 1')}, ${at()}`,
    ),
    rows('credit_codes', 'hash, batch, credits', customers, `'hash' || i, 'b', 1`),
    rows('link_codes', 'hash, customer_id, expires_ms', customers, `'hash' || i, ${customer}, 1`),
    rows('wishes', 'customer_id, key, request', photos, `${customer}, 'w' || i, '{}'`),
    rows(
      'chat_updates',
      'channel, key, chat_key, payload, received_ms, handled_ms',
      photos,
      `'telegram', 'k' || i, 'chat' || (i % ${customers}), '{}', ${at()},
        case when i % 1000 = 0 then null else ${at()} end`,
    ),
    rows(
      'chat_messages',
      'channel, key, chat_key, ref, sent_ms',
      photos,
      `'telegram', 'k' || i, 'chat' || (i % ${customers}), 'r' || i, ${at()}`,
    ),
    rows(
      'chat_states',
      'channel, chat_key, name, value',
      customers,
      `'telegram', 'chat' || i, 'choices', '{}'`,
    ),
    rows(
      'questions',
      'key, customer_id, subject, text, created_ms, answered_ms',
      customers,
      `'q' || i, ${id('cu', 'i - 1')}, 'question', '', ${at()},
        case when i % 100 = 0 then null else ${at()} end`,
    ),
    rows(
      'operator_log',
      'key, at_ms, door, actor, action, subject, details',
      customers,
      `'o' || i, ${at()}, 'cli', 'me', 'job', '', '{}'`,
    ),
  ];
}

function pictures({ photos, customers, paid, held }: Extent): string[] {
  const state = `case when i % 1000 = 999 then 'queued' else 'ready' end`;
  return [
    rows(
      'photos',
      `id, customer_id, state, key, chat, preset, original_key, sheet_key, master_key, runs,
        created_ms, updated_ms`,
      photos,
      `${id('ph')}, ${id('cu', `i % ${customers}`)}, ${state}, 'up' || i, ${chat}, 'auto',
        'original/' || i, 'sheet/' || i,
        case when i > ${held} and i <= ${paid} then 'master/' || i else null end, 1, ${at()}, ${at()}`,
    ),
    rows(
      'looks',
      `id, photo_id, "index", state, model, finishing, chroma_key, preview_key, comparison_key,
        provider, seconds, notes, created_ms, ready_ms`,
      photos,
      `${id('lo')}, ${id('ph')}, 0, 'ready', 'starter', '{}', 'chroma/' || i, 'preview/' || i,
        'comparison/' || i, 'cpu', 1.5, '[]', ${at()}, ${at()}`,
    ),
    rows(
      'timeline',
      'id, photo_id, at_ms, event, details',
      photos,
      `${id('tl')}, ${id('ph')}, ${at()}, 'photo.received', '{}'`,
    ),
  ];
}

/** Every fourth photo is paid for; of the first few the file is still being made. */
function books({ photos, customers, paid, held }: Extent): string[] {
  const orders = paid * 2;
  const customer = id('cu', `i % ${customers}`);
  const isPaid = `i <= ${paid}`;
  const isHeld = `i <= ${held}`;
  const balance = (who: string, name: string, asset: string, side: string, amount: number) =>
    `insert into accounts (id, asset, side, balance)
      values ('${who}:${name}', '${asset}', '${side}', ${amount})`;
  const account = (name: string) => `'customer:' || ${customer} || ':${name}'`;
  const transfer = (
    key: string,
    from: string,
    to: string,
    amount: number,
    asset: string,
    n = '0',
  ) =>
    rows(
      'transfers',
      'id, key, "from", "to", amount, asset, at_ms',
      paid,
      `${id(`t${key}`)}, '${key}:' || ${id(keyed[key] ?? 'ho')}, ${from}, ${to}, ${amount},
        '${asset}', ${at()}`,
      `where i > ${n}`,
    );
  return [
    rows(
      'orders',
      `id, customer_id, state, kind, credits, amount_minor, currency, method, chat, pay_token,
        created_ms, expires_ms, paid_ms, refunded_minor`,
      orders,
      `${id('or')}, ${customer},
        case when ${isHeld} then 'paid' when ${isPaid} then 'fulfilled' else 'expired' end,
        'unlock', 1, 990, 'CNY', 'alipay', ${chat}, 'token' || i, ${at()}, ${at()},
        case when ${isPaid} then ${at()} else null end, 0`,
    ),
    rows('order_photos', 'order_id, photo_id, position', paid, `${id('or')}, ${id('ph')}, 0`),
    rows(
      'charges',
      `id, order_id, gateway, state, amount_minor, currency, merchant_id, app_id, expires_ms,
        provider_id, paid_ms, created_ms, polls`,
      orders,
      `${id('ch')}, ${id('or')}, 'alipay', case when ${isPaid} then 'paid' else 'closed' end, 990,
        'CNY', 'm', 'a', ${at()}, 'p' || i, case when ${isPaid} then ${at()} else null end,
        ${at()}, 1`,
    ),
    rows(
      'refunds',
      `id, order_id, charge_id, key, state, amount_minor, credits, reason, created_ms, polls`,
      Math.ceil(paid / 10),
      `${id('re')}, ${id('or')}, ${id('ch')}, 'k', 'failed', 990, 1, 'r', ${at()}, 1`,
    ),
    rows(
      'holds',
      `id, customer_id, photo_id, order_id, credits, state, created_ms, settled_ms, delivered_key`,
      paid,
      `${id('ho')}, ${customer}, ${id('ph')}, ${id('or')}, 1,
        case when ${isHeld} then 'held' else 'posted' end, ${at()}, ${at()}, 'master/' || i`,
    ),
    rows(
      'notifications',
      'gateway, key, out_trade_no, status, received_ms, handled_ms',
      photos,
      `'alipay', 'n' || i, ${id('ch')}, '{}', ${at()},
        case when i % 10000 = 0 then null else ${at()} end`,
    ),
    rows(
      'quarantine',
      'id, gateway, key, out_trade_no, reason, status, at_ms, resolved_ms',
      customers,
      `${id('qu')}, 'alipay', 'q' || i, 'x', 'unknown', '{}', ${at()},
        case when i % 1000 = 0 then null else ${at()} end`,
    ),
    balance('gateway:alipay', 'CNY', 'CNY', 'source', 990 * paid),
    balance('house:revenue', 'CNY', 'CNY', 'holder', 990 * paid),
    balance('house', 'sold', 'CREDIT', 'source', paid),
    balance('house', 'spent', 'CREDIT', 'holder', paid - held),
    rows('accounts', 'id, asset, side', customers, `${account('credits')}, 'CREDIT', 'holder'`),
    rows(
      'accounts',
      'id, asset, side, balance',
      customers,
      `${account('held')}, 'CREDIT', 'holder', case when ${isHeld} then 1 else 0 end`,
    ),
    transfer('paid', `'gateway:alipay:CNY'`, `'house:revenue:CNY'`, 990, 'CNY'),
    transfer('bought', `'house:sold'`, account('credits'), 1, 'CREDIT'),
    transfer('hold', account('credits'), account('held'), 1, 'CREDIT'),
    transfer('post', account('held'), `'house:spent'`, 1, 'CREDIT', String(held)),
  ];
}

/** What a transfer's key names. */
const keyed: Readonly<Record<string, string>> = { paid: 'ch', bought: 'or' };

function work({ photos, customers }: Extent): string[] {
  const out = Math.max(10, Math.ceil(photos / 100));
  const group = id('cu', `i % ${customers}`);
  const lasting = 1_000;
  return [
    rows(
      'outbox',
      'key, name, payload, priority, "group", created_ms, relayed_ms',
      out,
      `'restore:' || ${id('ph')}, 'restore', '{}', case when i % 10 = 0 then 2 else 5 end, ${group},
        ${at()}, case when i % 100 = 0 then null else ${at()} end`,
    ),
    rows(
      'queue_jobs',
      `key, name, payload, priority, turn, customer_group, state, run_at_ms, added_ms, failures,
        lost_workers, cancel_requested, progress, started_ms, finished_ms`,
      photos,
      `'restore:' || ${id('ph')}, case when i % 2 = 0 then 'restore' else 'notify' end, '{}', 5, i,
        ${group}, case when i <= ${out} then 'waiting' when i % 1000 = 500 then 'dead' else 'done' end,
        ${at()}, ${at()}, 0, 0, 0, 0, ${at()},
        case when i <= ${out} then null else ${at()} + ${lasting} end`,
    ),
  ];
}
