import { StudioError } from './base.js';

/** The disk that should take the result is full or read-only. */
export class DiskUnavailable extends StudioError {
  constructor(
    readonly path: string,
    reason: string,
    cause?: unknown,
  ) {
    super('DISK_UNAVAILABLE', 'storage.diskUnavailable', 'later', `cannot write: ${reason}`, {
      cause,
      params: { reason },
    });
  }
}
