import { readFileSync } from 'node:fs';

/** Resident memory of a process, MB. Linux. */
export function residentMb(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(match?.[1]) * 1024) / 1e6;
}

/** How much a series rises from one value to the next: least squares. */
export function slopeOf(series: readonly number[]): number {
  const n = series.length;
  const meanX = (n - 1) / 2;
  const meanY = series.reduce((sum, y) => sum + y, 0) / n;
  let up = 0;
  let down = 0;
  for (const [x, y] of series.entries()) {
    up += (x - meanX) * (y - meanY);
    down += (x - meanX) ** 2;
  }
  return up / down;
}
