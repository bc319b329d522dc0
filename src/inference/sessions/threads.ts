import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * Threads worth giving to the CPU provider: physical cores (hyper-threads slow matrix products
 * down), within this process's CPU set and its container's quota.
 */
export function usableCores(): number {
  const physical = physicalCores() ?? os.availableParallelism();
  return Math.max(1, Math.min(physical, os.availableParallelism(), cgroupQuota() ?? Infinity));
}

function physicalCores(): number | undefined {
  const base = '/sys/devices/system/cpu';
  try {
    const siblings = readdirSync(base)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(`${base}/${name}/topology/thread_siblings_list`, 'utf8').trim());
    return new Set(siblings).size || undefined;
  } catch {
    return undefined;
  }
}

/** cgroup v2: "max 100000" or "150000 100000" (quota and period, µs). */
function cgroupQuota(): number | undefined {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ');
    const cores = Number(quota) / Number(period);
    return Number.isFinite(cores) && cores > 0 ? Math.ceil(cores) : undefined;
  } catch {
    return undefined;
  }
}
