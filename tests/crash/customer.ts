import sharp from 'sharp';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import type { Random } from './random.js';

/** What one customer was promised, to be held against what became of it. */
export interface Wish {
  readonly photoId: string;
  cancelled: boolean;
  /** Every order the shop ever answered for this wish: one, or somebody would pay twice. */
  readonly orders: Set<string>;
  /** The pay page said that the money arrived. */
  paid: boolean;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A customer with a script for a phone: sends photos, unlocks and pays, asks again and again while
 * the shop is down, presses twice, changes its mind.
 */
export class CrashCustomer {
  readonly wishes: Wish[] = [];
  readonly client: HttpClient;
  /** Answers that no customer should ever see. */
  readonly complaints: string[] = [];
  /** Steps that went well: photos ready, orders, payments. */
  steps = 0;
  private leaving = false;
  private stopped = false;

  constructor(
    url: string,
    private readonly name: string,
    private readonly random: Random,
  ) {
    this.client = createHttpClient(url, { 'accept-language': 'en' });
  }

  /** Send no further photos, but finish what was begun. */
  leave(): void {
    this.leaving = true;
  }

  /** Drop everything. */
  stop(): void {
    this.leaving = true;
    this.stopped = true;
  }

  /** Sends photos, up to three at once, until asked to leave. */
  async run(photosMax: number): Promise<void> {
    let next = 0;
    // A first visit: three hands without a cookie would be three customers.
    await this.persist('GET', '/me');
    const hand = async () => {
      while (next < photosMax && !this.leaving) {
        await this.onePhoto(next++);
        await pause(this.random.between(0, 300));
      }
    };
    await Promise.all([hand(), hand(), hand()]);
  }

  private async onePhoto(index: number): Promise<void> {
    const photo = await this.send(index);
    if (!photo) return;
    const wish: Wish = { photoId: photo, cancelled: false, orders: new Set(), paid: false };
    this.wishes.push(wish);
    this.steps++;
    if (this.random.chance(0.1)) {
      const answer = await this.persist('POST', `/photos/${photo}/cancel`);
      wish.cancelled = answer?.status === 200;
      return;
    }
    if (!this.random.chance(0.75)) return;
    const end = Date.now() + 180_000;
    while (!this.stopped && Date.now() < end) {
      const now = await this.persist('GET', `/photos/${photo}`);
      if (now?.body.status === 'ready') {
        this.steps++;
        return this.buy(wish);
      }
      if (now && ['failed', 'cancelled'].includes(now.body.status)) return;
      await pause(150);
    }
  }

  private async send(index: number): Promise<string | undefined> {
    const file = await picture(this.random, `${this.name} ${index}`);
    while (!this.stopped) {
      try {
        const answer = await this.client.upload(file, {}, `${index}.jpg`);
        if (answer.httpStatus === 202 || answer.httpStatus === 200) return answer.id;
        if (answer.httpStatus < 500) {
          this.complaints.push(`upload: ${answer.httpStatus} ${JSON.stringify(answer)}`);
          return undefined;
        }
      } catch {
        // Down: the same bytes again, which is the same photo.
      }
      await pause(this.random.between(50, 250));
    }
    return undefined;
  }

  private async buy(wish: Wish): Promise<void> {
    const key = `wish-${wish.photoId}`;
    const unlock = () =>
      this.persist('POST', `/photos/${wish.photoId}/unlock`, '{}', { 'idempotency-key': key });
    // Two fingers: both get the same order.
    const answers = await Promise.all(this.random.chance(0.3) ? [unlock(), unlock()] : [unlock()]);
    for (const answer of answers) if (answer?.body.order) wish.orders.add(answer.body.order.id);
    this.steps++;
    const order = answers.find((answer) => answer?.body.order)?.body.order;
    if (!order || this.random.chance(0.1)) return;
    const path = new URL(order.payUrl).pathname;
    const pay = () => this.persist('POST', path, undefined, {}, '');
    const payments = await Promise.all(this.random.chance(0.3) ? [pay(), pay()] : [pay()]);
    wish.paid = payments.some((one) => one?.status === 200);
    this.steps++;
  }

  /** Ask until there is an answer that a restart would not change. */
  private async persist(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
    prefix = '/api/v1',
    // biome-ignore lint/suspicious/noExplicitAny: answers are checked field by field
  ): Promise<{ status: number; body: any } | undefined> {
    while (!this.stopped) {
      try {
        const json: Record<string, string> = body ? { 'content-type': 'application/json' } : {};
        const init = { body, headers: { ...json, ...headers } };
        const answer = await this.client.send(method, prefix + path, init);
        const text = await answer.text();
        // 409: not possible yet, or not possible any more; the check at the end decides.
        if (answer.status < 500) return { status: answer.status, body: parse(text) };
      } catch {
        // Down.
      }
      await pause(this.random.between(50, 250));
    }
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** A small photograph that nobody else has. */
async function picture(random: Random, name: string): Promise<Buffer> {
  const width = Math.round(random.between(120, 320));
  const height = Math.round(random.between(120, 320));
  const background = { r: random.between(0, 255), g: random.between(0, 255), b: 90 };
  const text = `<svg width="${width}" height="${height}"><circle cx="${width / 2}" cy="${height / 2}"
    r="${random.between(20, 60)}" fill="#ccc"/><text x="4" y="20" font-size="12">${name}</text></svg>`;
  return sharp({ create: { width, height, channels: 3, background } })
    .composite([{ input: Buffer.from(text) }])
    .greyscale()
    .jpeg()
    .toBuffer();
}
