import { DiskUnavailable } from '../../studio/errors/index.js';

/** The disk's own errors (full, read-only, no such folder) as ours; others as they are. */
export function translateDiskError(file: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new DiskUnavailable(file, error.message, error);
}

/** By its fields: an error may come from another realm. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'code' in error && 'syscall' in error;
}
