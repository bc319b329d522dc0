import sharp from 'sharp';
import type { Random } from '../crash/random.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { methods } from './providers.js';

export interface Bought {
  readonly orderId: string;
  readonly kind: 'topup' | 'unlock';
  readonly photoIds: readonly string[];
}

const packs = ['five', 'twenty', 'hundred'];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A customer at the HTTP API who never gives up, presses twice and changes its mind. */
export class Buyer {
  readonly bought: Bought[] = [];
  /** Answers that nobody should ever see. */
  readonly complaints: string[] = [];
  readonly client: HttpClient;
  private stopped = false;

  constructor(
    url: string,
    private readonly name: string,
    private readonly random: Random,
  ) {
    this.client = createHttpClient(url, { 'accept-language': 'en' });
  }

  stop(): void {
    this.stopped = true;
  }

  /** Takes orders off a common counter until none is left. */
  async run(next: () => number | undefined, photoShare: number): Promise<void> {
    await this.ask('GET', '/me');
    for (let index = next(); index !== undefined && !this.stopped; index = next()) {
      if (this.random.chance(photoShare)) await this.photo(index);
      else await this.topUp(index);
      await pause(this.random.between(0, 120));
    }
  }

  private async topUp(index: number): Promise<void> {
    const pack = packs[Math.floor(this.random.next() * packs.length)];
    const body = { pack, method: this.method() };
    const key = { 'idempotency-key': `chaos-${this.name}-${index}` };
    const press = () => this.ask('POST', '/me/topups', body, key);
    const answers = await Promise.all(this.random.chance(0.2) ? [press(), press()] : [press()]);
    await this.keep(answers, 'topup', []);
  }

  private async photo(index: number): Promise<void> {
    const id = await this.upload(index);
    const end = Date.now() + 120_000;
    for (;;) {
      const photo = id && (await this.ask('GET', `/photos/${id}`));
      if (!photo || photo['status'] === 'failed' || Date.now() > end || this.stopped) return;
      if (photo['status'] === 'ready') break;
      await pause(200);
    }
    const key = { 'idempotency-key': `chaos-${this.name}-${index}` };
    const body = { photoIds: [id], method: this.method() };
    await this.keep([await this.ask('POST', '/unlocks', body, key)], 'unlock', [id as string]);
  }

  private method(): string {
    const chance = this.random.next();
    return chance < 0.44 ? methods[0]! : chance < 0.88 ? methods[1]! : methods[2]!;
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are checked field by field
  private async keep(answers: any[], kind: Bought['kind'], photoIds: string[]): Promise<void> {
    const ids = new Set<string>(answers.flatMap((answer) => answer?.order?.id ?? []));
    if (ids.size > 1) this.complaints.push(`one wish, orders ${[...ids].join(' ')}`);
    for (const orderId of ids) {
      if (this.bought.some((one) => one.orderId === orderId)) continue;
      this.bought.push({ orderId, kind, photoIds });
      if (this.random.chance(0.05)) await this.ask('POST', `/orders/${orderId}/cancel`);
      else if (this.random.chance(0.2)) await this.ask('POST', `/orders/${orderId}/refresh`);
    }
  }

  /** Ask until there is an answer that a restart would not change. */
  private async ask(method: string, path: string, body?: unknown, headers = {}) {
    while (!this.stopped) {
      try {
        const answer = await this.client.json(method, path, body, headers);
        // `status` of an order or photo hides the number: those answers are good ones.
        if (typeof answer.status === 'string' || answer.status < 400) return answer;
        if (answer.status === 409 || answer.status === 404) return undefined;
        if (answer.status < 500) {
          const { headers: _, ...said } = answer;
          this.complaints.push(`${method} ${path}: ${JSON.stringify(said)}`);
          return undefined;
        }
      } catch {
        // Down.
      }
      await pause(this.random.between(50, 300));
    }
    return undefined;
  }

  private async upload(index: number): Promise<string | undefined> {
    const background = { r: (index * 37) % 256, g: (index * 11) % 256, b: index >> 8 };
    const file = await sharp({ create: { width: 96, height: 80, channels: 3, background } })
      .jpeg()
      .toBuffer();
    while (!this.stopped) {
      const answer = await this.client
        .upload(file, {}, `${this.name}-${index}.jpg`)
        .catch(() => {});
      if (answer?.httpStatus === 202 || answer?.httpStatus === 200) return answer.id;
      if (answer && answer.httpStatus < 500) {
        this.complaints.push(`upload: ${answer.httpStatus}`);
        return undefined;
      }
      await pause(200);
    }
    return undefined;
  }
}
