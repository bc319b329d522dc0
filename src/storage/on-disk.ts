import { DiskUnavailable, systemCodeOf } from '../studio/errors/index.js';

const diskFaults = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'ENOTDIR']);

/** Faults of a full, read-only or broken disk become `DiskUnavailable`; all else passes. */
export async function onDisk<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemCodeOf(error) ?? '';
    if (diskFaults.has(code)) throw new DiskUnavailable(folder, code, error);
    throw error;
  }
}
