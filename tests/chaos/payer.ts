import type { Random } from '../crash/random.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import type { ChaosClock } from './chaos-clock.js';
import { type Providers, type ProviderTrade, tradesAt } from './providers.js';

const minute = 60_000;

/** What becomes of a code, decided when it first appears; times are the shop's. */
export type Fate = 'soon' | 'scanned' | 'never' | 'late' | 'wrong' | 'forged' | 'lastSecond';

const shares: readonly (readonly [Fate, number])[] = [
  ['soon', 0.56],
  ['scanned', 0.07],
  ['never', 0.07],
  ['late', 0.12],
  ['wrong', 0.04],
  ['forged', 0.06],
  ['lastSecond', 0.08],
];

/** All customers' phones: they scan, pay, pay late, pay a wrong sum; and a forger beside them. */
export class Payer {
  readonly fates = new Map<string, Fate>();
  forged = 0;
  /** Answers to forged notifications; none may be "accepted". */
  readonly believed: string[] = [];
  /** What went wrong on the payers' side: an error of the test itself. */
  readonly troubles: string[] = [];
  private readonly plan: { atMs: number; act: () => Promise<unknown> | unknown }[] = [];
  private readonly running = new Set<Promise<unknown>>();
  private stopped = false;
  private nextPerson = 880_000;

  constructor(
    private readonly providers: Providers,
    private readonly clock: ChaosClock,
    private readonly random: Random,
    private readonly shopUrl: string,
  ) {}

  async run(): Promise<void> {
    while (!this.stopped) {
      this.look();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await Promise.allSettled(this.running);
  }

  stop(): void {
    this.stopped = true;
  }

  /** Nothing is planned any more and everybody has acted. */
  get done(): boolean {
    return this.plan.length === 0 && this.running.size === 0;
  }

  /** For whoever waits in vain. */
  get state(): object {
    const planned = this.plan.map(({ atMs }) => atMs);
    return { planned, acting: this.running.size, troubles: this.troubles };
  }

  private look(): void {
    for (const trade of tradesAt(this.providers))
      if (!this.fates.has(trade.outTradeNo)) this.decide(trade);
    const now = this.clock.now();
    const due = this.plan.filter((one) => one.atMs <= now);
    for (const one of due) {
      this.plan.splice(this.plan.indexOf(one), 1);
      const act = Promise.resolve()
        .then(one.act)
        .catch((error) => void this.troubles.push(String(error)))
        .finally(() => this.running.delete(act));
      this.running.add(act);
    }
  }

  private decide(trade: ProviderTrade): void {
    const { method, outTradeNo } = trade;
    let fate = this.pick();
    // Telegram itself takes no wrong sum and no forged news, and asks before it takes money late.
    if (method === 'stars' && (fate === 'wrong' || fate === 'forged')) fate = 'soon';
    this.fates.set(outTradeNo, fate);
    const at = (atMs: number, act: () => Promise<unknown> | unknown) =>
      void this.plan.push({ atMs, act });
    const now = this.clock.now();
    const expires = Math.min(trade.expiresAtMs, now + 5 * minute);
    const between = (low: number, high: number) => this.random.between(low, high);
    if (fate === 'soon') at(now + between(0, 2 * minute), () => this.pay(trade));
    if (fate === 'scanned') at(now + between(0, minute), () => this.scan(trade));
    if (fate === 'late') at(expires + between(0, 90 * minute), () => this.pay(trade, true));
    if (fate === 'lastSecond') at(expires - between(500, 20_000), () => this.pay(trade));
    if (fate === 'wrong') {
      const wrong = this.random.chance(0.5) ? trade.askedMinor - 1 : trade.askedMinor * 10;
      at(now + between(0, minute), () => this.pay(trade, false, wrong));
    }
    if (fate === 'forged') at(now + between(0, minute), () => this.forge(trade));
  }

  private pick(): Fate {
    let chance = this.random.next();
    for (const [fate, share] of shares) {
      chance -= share;
      if (chance < 0) return fate;
    }
    return 'soon';
  }

  private scan({ method, outTradeNo }: ProviderTrade): void {
    if (method === 'alipay') this.providers.alipay.scan(outTradeNo);
  }

  private async pay(trade: ProviderTrade, evenIfClosed = false, fen?: number): Promise<void> {
    const { method, outTradeNo } = trade;
    const { alipay, wechatpay, telegram } = this.providers;
    const options = { evenIfClosed, ...(fen === undefined ? {} : { fen }) };
    if (method === 'alipay') alipay.pay(outTradeNo, options);
    if (method === 'wechatpay') wechatpay.pay(outTradeNo, options);
    if (method !== 'stars') return;
    this.nextPerson += 1;
    const person = new TelegramPerson(telegram, { id: this.nextPerson });
    const chargeId = await person.paysInvoice(outTradeNo);
    if (chargeId && this.random.chance(0.3)) person.tellsOfPayment(chargeId);
  }

  /** "It was paid", says somebody who is not the provider. */
  private async forge({ method, outTradeNo, askedMinor }: ProviderTrade): Promise<void> {
    const { alipay, wechatpay, forgers } = this.providers;
    const paid = { paidAtMs: this.clock.now(), amountFen: askedMinor };
    const url = `${this.shopUrl}/notify/${method}`;
    let headers: Record<string, string>;
    let body: string;
    if (method === 'alipay') {
      const trade = {
        ...alipay.trades.get(outTradeNo)!,
        ...paid,
        tradeNo: '2026112222001499999999',
      };
      body = forgers.alipay.notificationBody({ ...trade, status: 'TRADE_SUCCESS' });
      headers = { 'content-type': 'application/x-www-form-urlencoded' };
    } else {
      const trade = { ...wechatpay.trades.get(outTradeNo)!, ...paid, transactionId: '4200000000' };
      const json = forgers.wechatpay.tradeJson({ ...trade, status: 'SUCCESS' });
      // Half of them name the true key's serial.
      const said = forgers.wechatpay.notification(url, 'TRANSACTION.SUCCESS', 'transaction', json);
      const serial = wechatpay.platforms[0]!.serial;
      headers = this.random.chance(0.5)
        ? { ...said.headers, 'Wechatpay-Serial': serial }
        : said.headers;
      body = said.body;
    }
    this.forged += 1;
    const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer && answer.status < 300) this.believed.push(outTradeNo);
  }
}
