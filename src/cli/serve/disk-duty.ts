import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { Store } from '../../studio/ports/store.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The pace is that of the last days; what was before says little. */
const rememberMs = 3 * dayMs;
/** A pace of less than that is one batch of photos. */
const leastMs = 12 * hourMs;
/** Operators are told this many days ahead: time to order a disk. */
const warnDays = 7;

/** What the disk forecast works with. */
export interface DiskDutyDeps {
  readonly blobs: Pick<Blobs, 'freeBytes'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From here on no photo is taken in, bytes. */
  readonly minFreeBytes: number;
  /** The operator's chat, where there is one; a repeated key is said once. */
  readonly tellOperator: (key: string, news: DiskNews) => Promise<void>;
}

/** Days are rounded down; `freeGb` has one decimal. */
export interface DiskNews {
  /** No photo is taken in any more. */
  readonly full: boolean;
  readonly days: number;
  readonly freeGb: string;
  readonly gbPerDay: string;
}

/** How much was free when. */
interface Sample {
  readonly ms: number;
  readonly freeBytes: number;
}

/**
 * Where photos go is looked at every hour; when at the pace of the last days there will soon be no
 * room for another photo, the log and the operator say so, once a day.
 */
export function createDiskDuty(deps: DiskDutyDeps) {
  return { name: 'disk', everyMs: hourMs, run: () => look(deps) };
}

/** @returns 1 when the operator was told, else 0. */
async function look(deps: DiskDutyDeps): Promise<number> {
  const { blobs, store, clock, logger, minFreeBytes } = deps;
  const freeBytes = await blobs.freeBytes();
  // A bucket has no end.
  if (freeBytes === undefined) return 0;
  const ms = clock.now();
  const samples = [...(await remembered(store, ms)), { ms, freeBytes }];
  const text = JSON.stringify(samples.map((one) => [one.ms, one.freeBytes]));
  await store.transaction(({ settings }) => settings.set(setting, text));
  const lost = -bytesPerDay(samples);
  const days = freeBytes <= minFreeBytes ? 0 : (freeBytes - minFreeBytes) / lost;
  // Nothing is lost, or not for long enough to know.
  const fills = days === 0 || (lost > 0 && days < warnDays);
  if (!fills) return 0;
  const full = freeBytes <= minFreeBytes;
  const news = {
    full,
    days: Math.floor(days),
    freeGb: gigabytes(freeBytes),
    gbPerDay: gigabytes(lost),
  };
  logger.warn('disk.fills', { ...news });
  await deps.tellOperator(`disk:${Math.floor(ms / dayMs)}`, news);
  return 1;
}

const setting = 'disk.samples';

async function remembered({ read }: Store, nowMs: number): Promise<Sample[]> {
  const text = (await read.settings.get(setting)) ?? '[]';
  const samples = (JSON.parse(text) as [number, number][]).map(
    ([ms, freeBytes]): Sample => ({ ms, freeBytes }),
  );
  return samples.filter(({ ms }) => ms > nowMs - rememberMs && ms < nowMs);
}

/** Slope of the line that fits the samples best; 0 while they span too little time. */
function bytesPerDay(samples: readonly Sample[]): number {
  const first = samples[0]?.ms ?? 0;
  if ((samples.at(-1)?.ms ?? 0) - first < leastMs) return 0;
  const mean = (of: (one: Sample) => number) =>
    samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const daysOf = ({ ms }: Sample) => (ms - first) / dayMs;
  const [meanDays, meanBytes] = [mean(daysOf), mean((one) => one.freeBytes)];
  const spread = mean((one) => (daysOf(one) - meanDays) ** 2);
  return mean((one) => (daysOf(one) - meanDays) * (one.freeBytes - meanBytes)) / spread;
}

const gigabytes = (bytes: number) => (Math.max(0, bytes) / 1e9).toFixed(1);
