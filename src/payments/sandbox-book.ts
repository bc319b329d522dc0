import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from '../studio/errors/base.js';

/** What happened to one sandbox trade. A trade is a file of these, one JSON line each. */
export type SandboxEvent =
  | { kind: 'opened'; atMs: number; amountFen: number; subject: string; expiresAtMs: number }
  | { kind: 'paid'; atMs: number }
  | { kind: 'closed'; atMs: number }
  | { kind: 'refunded'; atMs: number; outRefundNo: string; refundFen: number };

/** A pretended trade, as its file tells it. */
export interface SandboxTradeRecord {
  readonly outTradeNo: string;
  readonly providerId: string;
  readonly amountFen: number;
  readonly subject: string;
  readonly expiresAtMs: number;
  readonly paidAtMs?: number;
  readonly closedAtMs?: number;
  /** By refund number, in order. */
  readonly refunds: ReadonlyMap<string, { refundFen: number; atMs: number }>;
}

/** The sandbox's memory: survives restarts and is shared by every process of this data folder. */
export interface SandboxBook {
  /** Write an event, then read what it came to: an impossible one (paid and closed) has no effect. */
  append(outTradeNo: string, event: SandboxEvent): Promise<SandboxTradeRecord | undefined>;
  read(outTradeNo: string): Promise<SandboxTradeRecord | undefined>;
  all(): Promise<SandboxTradeRecord[]>;
}

/**
 * Append-only files, one per trade. Short appends do not mix, so two processes that disagree both
 * write, and the order in the file decides for both.
 */
export function createSandboxBook(dir: string): SandboxBook {
  const fileOf = (outTradeNo: string) => path.join(dir, `${outTradeNo}.jsonl`);
  const read = async (outTradeNo: string) => {
    // Numbers become file names: nothing but ours may pass.
    if (!/^[A-Za-z0-9_]{6,32}$/.test(outTradeNo)) return undefined;
    const text = await readFile(fileOf(outTradeNo), 'utf8').catch(missing);
    return text === undefined ? undefined : fold(outTradeNo, parseLines(text));
  };
  return {
    read,
    async append(outTradeNo, event) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const file = await open(fileOf(outTradeNo), 'a', 0o600);
      try {
        // A leading break closes a line that a power cut left half written.
        await file.write(`\n${JSON.stringify(event)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      return read(outTradeNo);
    },
    async all() {
      const names = (await readdir(dir).catch(missing)) ?? [];
      const numbers = names.filter((name) => name.endsWith('.jsonl')).map((n) => n.slice(0, -6));
      const trades = await Promise.all(numbers.map(read));
      return trades.filter((trade) => trade !== undefined);
    },
  };
}

function missing(error: unknown): undefined {
  if (systemCodeOf(error) !== 'ENOENT') throw error;
}

function parseLines(text: string): SandboxEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as SandboxEvent] : [];
    } catch {
      return [];
    }
  });
}

/** First come, first served: what contradicts an earlier event never happened. */
function fold(outTradeNo: string, events: readonly SandboxEvent[]): SandboxTradeRecord | undefined {
  const opened = events.find((event) => event.kind === 'opened');
  if (!opened) return undefined;
  let paidAtMs: number | undefined;
  let closedAtMs: number | undefined;
  let refundedFen = 0;
  const refunds = new Map<string, { refundFen: number; atMs: number }>();
  for (const event of events) {
    if (event.kind === 'paid' && closedAtMs === undefined) paidAtMs ??= event.atMs;
    if (event.kind === 'closed' && paidAtMs === undefined) closedAtMs ??= event.atMs;
    if (event.kind !== 'refunded' || paidAtMs === undefined) continue;
    const fits = refundedFen + event.refundFen <= opened.amountFen;
    if (refunds.has(event.outRefundNo) || !fits) continue;
    refundedFen += event.refundFen;
    refunds.set(event.outRefundNo, { refundFen: event.refundFen, atMs: event.atMs });
  }
  const { amountFen, subject, expiresAtMs } = opened;
  const providerId = `sandbox_${createHash('sha256').update(outTradeNo).digest('hex').slice(0, 20)}`;
  const times = { paidAtMs, closedAtMs };
  return { outTradeNo, providerId, amountFen, subject, expiresAtMs, ...times, refunds };
}
