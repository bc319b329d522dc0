import { sql } from 'kysely';
import { accounts } from '../studio/ledger.js';
import { type PhotoState, photoStateNames } from '../studio/photo.js';
import { type Currency, currencies, type GatewayId } from '../studio/ports/gateway.js';
import type { MoneyMovement, ReportTable } from '../studio/ports/reports.js';
import type { Target } from './rows.js';

/** Prefix of the key under which a refund is booked. */
const booked = 'refunded:';

type Reader = Target['db'];

/** Operators' questions over many rows; reads only. */
export function reportTable({ db }: Target): ReportTable {
  return {
    async photosSince(sinceMs) {
      const rows = await db
        .selectFrom('photos')
        .select((one) => ['state', one.fn.countAll<number>().as('photos')])
        // All of them by name: state and time are found in one index.
        .where('state', 'in', photoStateNames)
        .where('createdMs', '>=', sinceMs)
        .groupBy('state')
        .execute();
      return Object.fromEntries(
        rows.map(({ state, photos }) => [state, Number(photos)]),
      ) as Partial<Record<PhotoState, number>>;
    },
    async customersSince(sinceMs) {
      const row = await db
        .selectFrom('customers')
        .select((one) => one.fn.countAll<number>().as('customers'))
        .where('createdMs', '>=', sinceMs)
        .executeTakeFirstOrThrow();
      return Number(row.customers);
    },
    paidSince: (sinceMs) => paidSince(db, sinceMs),
    async chatsSince(channel, sinceMs, limit) {
      const rows = await db
        .selectFrom('identities')
        .select(['channel', 'chatId'])
        .where('channel', '=', channel)
        .where('seenMs', '>=', sinceMs)
        .where('chatId', '<>', '')
        .orderBy('seenMs', 'desc')
        .limit(limit)
        .execute();
      return rows;
    },
    movements: async (gateway, fromMs, toMs) => [
      ...(await chargesPaid(db, gateway, fromMs, toMs)),
      ...(await refundsBooked(db, gateway, fromMs, toMs)),
    ],
  };
}

async function paidSince(db: Reader, sinceMs: number) {
  const rows = await db
    .selectFrom('orders')
    .select((one) => [
      'currency',
      one.fn.countAll<number>().as('orders'),
      one.fn.sum<number>('amountMinor').as('amountMinor'),
    ])
    .where('paidMs', '>=', sinceMs)
    .groupBy('currency')
    .execute();
  return rows.map(({ currency, orders, amountMinor }) => ({
    currency: currency as Currency,
    orders: Number(orders),
    amountMinor: Number(amountMinor),
  }));
}

async function chargesPaid(
  db: Reader,
  gateway: GatewayId,
  fromMs: number,
  toMs: number,
): Promise<MoneyMovement[]> {
  const rows = await db
    .selectFrom('charges')
    .select(['id', 'providerId', 'amountMinor', 'currency', 'paidMs'])
    .where('gateway', '=', gateway)
    .where('state', '=', sql.lit('paid' as const))
    .where('paidMs', '>=', fromMs)
    .where('paidMs', '<', toMs)
    .execute();
  return rows.map(
    (row): MoneyMovement => ({
      kind: 'charge',
      outTradeNo: row.id,
      providerId: row.providerId ?? undefined,
      amountMinor: Number(row.amountMinor),
      currency: row.currency as Currency,
      atMs: Number(row.paidMs),
    }),
  );
}

async function refundsBooked(
  db: Reader,
  gateway: GatewayId,
  fromMs: number,
  toMs: number,
): Promise<MoneyMovement[]> {
  const giving = currencies.map((currency) => accounts.gateway(gateway, currency).id);
  const rows = await db
    // When it was booked: a refund may succeed long after it was asked for.
    .selectFrom('transfers')
    .innerJoin('refunds', (join) =>
      join.on('refunds.id', '=', sql<string>`substr(transfers.key, ${sql.lit(booked.length + 1)})`),
    )
    .innerJoin('charges', 'charges.id', 'refunds.chargeId')
    .select([
      'refunds.id as refundId',
      'charges.id as id',
      'charges.providerId as providerId',
      'refunds.amountMinor as amountMinor',
      'charges.currency as currency',
      'transfers.atMs as atMs',
    ])
    .where('transfers.to', 'in', giving)
    .where('charges.gateway', '=', gateway)
    .where('refunds.state', '=', 'succeeded')
    .where('transfers.atMs', '>=', fromMs)
    .where('transfers.atMs', '<', toMs)
    .execute();
  return rows.map(
    (row): MoneyMovement => ({
      kind: 'refund',
      outTradeNo: row.id,
      outRefundNo: row.refundId,
      providerId: row.providerId ?? undefined,
      amountMinor: Number(row.amountMinor),
      currency: row.currency as Currency,
      atMs: Number(row.atMs),
    }),
  );
}
