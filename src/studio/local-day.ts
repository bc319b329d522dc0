/**
 * When the local day of `nowMs` began.
 * @param timeZone IANA name, e.g. Asia/Shanghai.
 * @returns ms since 1970, UTC.
 */
export function startOfDayMs(nowMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const sinceMidnight = (atMs: number): number => {
    const part = Object.fromEntries(
      format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]),
    );
    return ((part['hour']! * 60 + part['minute']!) * 60 + part['second']!) * 1000 + (atMs % 1000);
  };
  const guess = nowMs - sinceMidnight(nowMs);
  // On the days when clocks change the wall clock has run an hour more or less than the day.
  const off = sinceMidnight(guess);
  if (off === 0) return guess;
  return off < 43_200_000 ? guess - off : guess + (86_400_000 - off);
}
