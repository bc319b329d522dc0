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

/** The database holds steps that this program does not know: a newer version has opened it. */
export class DatabaseNewer extends StudioError {
  /** @param program version that wrote it, or the name of its newest step. @param ours this version. */
  constructor(
    readonly program: string,
    readonly ours: string,
  ) {
    super(
      'DATABASE_NEWER',
      'storage.databaseNewer',
      'never',
      `the database is of ${program}, newer than ${ours}`,
      { params: { program, ours } },
    );
  }
}

/** The database file is no database any more, or parts of it are not. */
export class DatabaseDamaged extends StudioError {
  constructor(
    readonly reason: string,
    cause?: unknown,
  ) {
    super('DATABASE_DAMAGED', 'storage.databaseDamaged', 'later', `database damaged: ${reason}`, {
      cause,
      params: { reason },
    });
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

/**
 * The place where blobs are kept does not answer, or refuses us: server away, network cut, wrong
 * key, wrong clock. Whoever has a job gives it back; this is nobody's failed attempt.
 */
export class BlobsAway extends StudioError {
  constructor(
    readonly place: string,
    readonly reason: string,
    cause?: unknown,
  ) {
    // Customers read the message: address, bucket and reason are for the log and the operator.
    super('BLOBS_AWAY', 'storage.blobsAway', 'later', `blobs at ${place}: ${reason}`, { cause });
  }
}

/** Bytes arrived that are not the ones the key names, again and again. */
export class BlobDamaged extends StudioError {
  constructor(
    readonly key: string,
    reason: string,
  ) {
    super('BLOB_DAMAGED', 'storage.blobDamaged', 'later', `${key}: ${reason}`, {
      params: { key, reason },
    });
  }
}

/** A store that does not let everybody do everything: a worker neither lists nor deletes. */
export class BlobsNotOffered extends StudioError {
  constructor(what: 'list' | 'delete') {
    super('BLOBS_NOT_OFFERED', 'storage.blobsNotOffered', 'never', `${what} is not for workers`, {
      params: { what },
    });
  }
}
