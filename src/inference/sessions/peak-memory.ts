import { readFileSync } from 'node:fs';

/**
 * Most memory that this process has held at once, bytes. On Linux the kernel's `ru_maxrss` of a child
 * also counts what its parent held when it was started (exec keeps the mark), `VmHWM` does not.
 */
export function peakResidentBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
