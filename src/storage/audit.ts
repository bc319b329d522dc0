import { type Kysely, sql } from 'kysely';
import { translateDatabaseError } from './database-errors.js';

/** A row of the books that should not be there. */
export interface AuditFinding {
  readonly check: string;
  /** Account, order, hold, refund or transfer. */
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | null>>;
}

interface Check {
  readonly name: string;
  /** Answers offending rows only, the first column called `subject`. One statement, so that it sees
   * one moment even while the shop is open. */
  readonly query: string;
}

const checks: readonly Check[] = [
  {
    name: 'balance equals transfers',
    query: `select subject, balance, moved from (
        select a.id as subject, a.balance, (case when a.side = 'holder' then 1 else -1 end) * (
          coalesce((select sum(amount) from transfers where "to" = a.id), 0)
          - coalesce((select sum(amount) from transfers where "from" = a.id), 0)) as moved
        from accounts a) as books
      where balance <> moved`,
  },
  {
    name: 'no negative balance',
    query: 'select id as subject, balance from accounts where balance < 0',
  },
  {
    name: 'every asset balances',
    query: `select asset as subject,
        sum(case when side = 'source' then balance else 0 end) as entered,
        sum(case when side = 'holder' then balance else 0 end) as held
      from accounts group by asset
      having sum(case when side = 'source' then balance else -balance end) <> 0`,
  },
  {
    name: 'every posted hold has a delivery',
    query: `select h.id as subject, h.photo_id, h.delivered_key from holds h
      left join transfers t on t.key = 'post:' || h.id
      where h.state = 'posted'
        and (h.delivered_key is null or t.id is null or t.amount <> h.credits)`,
  },
  {
    name: 'every hold has its transfers',
    query: `select h.id as subject, h.state, h.credits from holds h
      left join transfers t on t.key = 'hold:' || h.id
      left join transfers v on v.key = 'void:' || h.id
      left join transfers p on p.key = 'post:' || h.id
      where t.id is null or t.amount <> h.credits
        or (h.state = 'voided') <> (v.id is not null) or (h.state = 'posted') <> (p.id is not null)`,
  },
  {
    name: 'held credits belong to holds',
    query: `select a.id as subject, a.balance, coalesce(h.credits, 0) as held
      from accounts a left join (
        select customer_id, sum(credits) as credits from holds where state = 'held'
        group by customer_id) h on a.id = 'customer:' || h.customer_id || ':held'
      where a.id like 'customer:%:held' and a.balance <> coalesce(h.credits, 0)`,
  },
  {
    name: 'every paid order has its transfers',
    query: `select o.id as subject, o.state, o.amount_minor, p.amount as booked, b.amount as credited
      from orders o left join charges c on c.order_id = o.id
      left join transfers p on p.key = 'paid:' || c.id
      left join transfers b on b.key = 'bought:' || o.id
      where (o.paid_ms is not null or o.state in ('paid', 'fulfilled', 'credited', 'refunded'))
        and (c.id is null or c.state <> 'paid' or p.id is null or p.amount <> o.amount_minor
          or p.asset <> o.currency or b.id is null or b.amount <> o.credits)`,
  },
  {
    name: 'every payment booked belongs to a paid order',
    query: `select t.key as subject, t.amount, c.state from transfers t
      left join charges c on c.id = substr(t.key, 6)
      left join orders o on o.id = c.order_id
      where t.key like 'paid:%' and (c.id is null or c.state <> 'paid' or o.paid_ms is null)`,
  },
  {
    name: 'refunds are booked and within what was paid',
    query: `select r.id as subject, r.state, r.amount_minor, t.amount as booked from refunds r
      left join transfers t on t.key = 'refunded:' || r.id
      where (r.state = 'succeeded') <> (t.id is not null) or t.amount <> r.amount_minor
      union all
      select o.id, o.state, o.refunded_minor, sum(r.amount_minor) from orders o
      join refunds r on r.order_id = o.id and r.state = 'succeeded'
      group by o.id, o.state, o.refunded_minor, o.amount_minor
      having sum(r.amount_minor) <> o.refunded_minor or o.refunded_minor > o.amount_minor`,
  },
  {
    name: 'fulfilled orders handed something over',
    query: `select o.id as subject, o.kind from orders o
      where o.kind = 'unlock' and o.state = 'fulfilled' and not exists (
        select 1 from holds h where h.order_id = o.id and h.state = 'posted')`,
  },
  {
    name: 'paid orders wait for a file',
    query: `select o.id as subject, o.kind from orders o
      where o.state = 'paid' and not exists (
        select 1 from holds h where h.order_id = o.id and h.state = 'held')`,
  },
];

/** Names of all checks, in order. */
export const auditChecks: readonly string[] = checks.map((check) => check.name);

/**
 * Prove the books: assets balance, nothing is negative, every posted hold has a delivery, every
 * paid order its transfers, every refund its booking. Reads only, and keeps nobody from writing; the
 * time it takes grows as the books do.
 * @param onCheck told before each check: its name, and how many come before it.
 * @returns offending rows; none when all is well.
 */
export async function auditLedger(
  raw: Kysely<unknown>,
  onCheck: (name: string, done: number) => void = () => {},
): Promise<AuditFinding[]> {
  try {
    const findings: AuditFinding[] = [];
    for (const [done, { name, query }] of checks.entries()) {
      onCheck(name, done);
      const { rows } = await sql.raw<Record<string, string | number | null>>(query).execute(raw);
      for (const { subject, ...details } of rows) {
        findings.push({ check: name, subject: String(subject), details });
      }
    }
    return findings;
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
