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

/** The blob was deleted (retention, erase) or never stored. */
export class BlobMissing extends StudioError {
  constructor(readonly key: string) {
    super('BLOB_MISSING', 'storage.blobMissing', 'never', `no blob ${key}`);
  }
}

/** The database cannot be reached. */
export class DatabaseAway extends StudioError {
  constructor(cause?: unknown) {
    super('DATABASE_AWAY', 'storage.databaseAway', 'later', 'the database cannot be reached', {
      cause,
    });
  }
}
