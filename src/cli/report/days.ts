import { startOfDayMs } from '../../studio/local-day.js';

const hourMs = 3_600_000;

/**
 * When a day of the calendar begins in a time zone.
 * @param date YYYY-MM-DD. @returns ms since 1970.
 */
export function dayStartMs(date: string, timeZone: string): number {
  const noonMs = Date.parse(`${date}T12:00:00Z`);
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  // Zones reach from UTC-12 to UTC+14: noon in Greenwich may be a day later there.
  for (const shift of [0, -14, 12]) {
    const startMs = startOfDayMs(noonMs + shift * hourMs, timeZone);
    if (format.format(startMs) === date) return startMs;
  }
  return startOfDayMs(noonMs, timeZone);
}

/** The day after. @param date YYYY-MM-DD. */
export function nextDay(date: string): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + 24 * hourMs).toISOString().slice(0, 10);
}
