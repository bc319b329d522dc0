import { readFileSync } from 'node:fs';

/** Resident memory of a process, MB. Linux. */
export const residentMb = (pid: number): number => statusMb(pid, 'VmRSS');

/**
 * The most that this process ever held, MB. Linux. Not `process.resourceUsage().maxRSS`: a child
 * begins with its parent's.
 */
export const peakResidentMb = (): number => statusMb(process.pid, 'VmHWM');

function statusMb(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
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
