import { sql } from 'kysely';
import { auditChecks, auditLedger } from '../../src/storage/audit.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';

let shop: BankShop;
let orderId: string;
let chargeId: string;
beforeEach(async () => {
  shop = await openBankShop();
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.orderHd(someone, [photo.id]);
  ({ id: orderId, chargeId } = order);
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await auditLedger(shop.database.raw)).toEqual([]);
});
afterEach(() => shop.close());

/** What a bug, a disk or a thief may do to the books, and the checks that notice. */
const crimes: readonly [crime: string, statement: string, noticed: readonly string[]][] = [
  [
    'credits out of thin air',
    `update accounts set balance = balance + 5 where id like 'customer:%:credits'`,
    ['balance equals transfers', 'every asset balances'],
  ],
  [
    'a delivery that never was',
    `pragma ignore_check_constraints = on; update holds set delivered_key = null`,
    ['every posted hold has a delivery'],
  ],
  ['a hold nobody funded', `update holds set credits = 2`, ['every hold has its transfers']],
  [
    'a paid order turned back',
    `update orders set state = 'pending', paid_ms = null`,
    ['every payment booked belongs to a paid order'],
  ],
  [
    'an order declared paid',
    `update orders set amount_minor = 991`,
    ['every paid order has its transfers'],
  ],
  [
    'a charge reopened',
    `update charges set state = 'open'`,
    ['every paid order has its transfers'],
  ],
  [
    'a refund nobody booked',
    `insert into refunds (id, order_id, charge_id, key, state, amount_minor, credits, reason,
      created_ms, polls) values ('rf', '$ORDER', '$CHARGE', 'k', 'succeeded', 5, 0, 'x', 1, 0)`,
    ['refunds are booked and within what was paid'],
  ],
  [
    'a refund that its order forgot',
    `insert into refunds (id, order_id, charge_id, key, state, amount_minor, credits, reason,
      created_ms, polls) values ('rf', '$ORDER', '$CHARGE', 'k', 'succeeded', 5, 0, 'x', 1, 0);
      insert into transfers (id, key, "from", "to", amount, asset, at_ms)
      values ('tr', 'refunded:rf', 'house:revenue:CNY', 'gateway:alipay:CNY', 5, 'CNY', 1)`,
    ['refunds are booked and within what was paid'],
  ],
  [
    'fulfilled without a file',
    `update holds set order_id = null`,
    ['fulfilled orders handed something over'],
  ],
  [
    'a paid order that everybody forgot',
    `update orders set state = 'paid'`,
    ['paid orders wait for a file'],
  ],
  [
    'held credits that vanished',
    `update holds set state = 'held', delivered_key = null`,
    ['held credits belong to holds', 'every hold has its transfers'],
  ],
];

test.each(crimes)('%s is noticed', async (_, statement, noticed) => {
  const text = statement.replace('$ORDER', orderId).replace('$CHARGE', chargeId);
  for (const part of text.split(';')) await sql.raw(part).execute(shop.database.raw);
  const findings = await auditLedger(shop.database.raw);
  const names = new Set(findings.map((finding) => finding.check));
  for (const name of noticed) {
    expect(auditChecks).toContain(name);
    expect(names).toContain(name);
  }
  expect(findings.every((finding) => finding.subject.length > 0)).toBe(true);
});
