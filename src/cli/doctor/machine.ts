import { readFileSync } from 'node:fs';
import { access, constants, stat, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Check, Finding } from './check.js';

const GB = 1e9;

/** Supported: 20.19 and later of 20, 22.12 and later. */
export const checkNode: Check = async () => {
  const version = process.versions.node;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const supported = major === 20 ? minor >= 19 : major === 22 ? minor >= 12 : major > 22;
  return [finding('node', supported ? 'ok' : 'fail', { version })];
};

/** The starter needs well under 1 GB; DDColor at 512 px up to 2.5 GB. */
export const checkMemory: Check = async () => {
  const available = availableBytes();
  const params = { available: gigabytes(available), total: gigabytes(os.totalmem()) };
  const status = available < 0.7 * GB ? 'fail' : available < 3 * GB ? 'warn' : 'ok';
  return [finding('memory', status, params)];
};

/** Cores and make of the processor; one core is slow. */
export const checkProcessor: Check = async () => {
  const cores = os.availableParallelism();
  const model = os.cpus()[0]?.model.trim() ?? os.arch();
  return [finding('processor', cores < 2 ? 'warn' : 'ok', { cores, model })];
};

/** Room for models and writable: the data folder, or the nearest that exists above it. */
export const checkDisk: Check = async ({ config }) => {
  const dir = await nearestFolder(config.paths.dataDir);
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  const params = { dir: config.paths.dataDir, free: gigabytes(free) };
  const writable = await access(dir, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) return [{ name: 'disk', status: 'fail', key: 'doctor.disk.readOnly', params }];
  const status = free < 0.2 * GB ? 'fail' : free < 2 * GB ? 'warn' : 'ok';
  return [finding('disk', status, params)];
};

function finding(name: string, status: Finding['status'], params: Finding['params']): Finding {
  return { name, status, key: `doctor.${name}.${status}`, params };
}

/** What programs may still take: Linux counts its file cache as available, os.freemem does not. */
function availableBytes(): number {
  try {
    const match = /MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'));
    return match ? Number(match[1]) * 1024 : os.freemem();
  } catch {
    return os.freemem();
  }
}

async function nearestFolder(dir: string): Promise<string> {
  const exists = await stat(dir).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return exists || path.dirname(dir) === dir ? dir : nearestFolder(path.dirname(dir));
}

const gigabytes = (bytes: number) => (bytes / GB).toFixed(1);
